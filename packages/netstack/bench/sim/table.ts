/** A table of the page that `npm run bench:sim` writes. To add one: a file beside this one that exports a `SimTable`, and its name in `tables.ts`. */
export interface SimTable {
  /** For `--only`, and the anchor in the page: lower case, hyphens. */
  readonly name: string;
  readonly title: string;
  /** What stands above the table: what is simulated, and how to read it. */
  readonly text: string;
  readonly columns: readonly string[];
  /** Rows, each as soon as it is known; everything in virtual time, and the same each time it is run. */
  rows(): AsyncIterable<readonly string[]>;
}

export function mbit(bitsPerSecond: number): string {
  const value = bitsPerSecond / 1e6;
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;
}
