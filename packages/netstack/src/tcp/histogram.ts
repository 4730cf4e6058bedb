/** Buckets of a histogram: bucket 0 holds what is below 1, bucket n what is from 2^(n−1) to below 2^n; the last holds all beyond, too. */
export const BUCKETS = 33;

const BAR = 40;

export interface HistogramBucket {
  /** What the bucket holds is below this; +∞ in the last. */
  readonly below: number;
  readonly count: number;
}

/** Counts of values by their power of two: bounded, and nothing is allocated to add one. */
export class Histogram {
  readonly description: string;
  readonly unit: string;
  readonly #counts: Float64Array = new Float64Array(BUCKETS);
  count = 0;
  sum = 0;

  constructor(description: string, unit: string) {
    this.description = description;
    this.unit = unit;
  }

  /** `value`: not negative; its fraction does not count. */
  add(value: number): void {
    const bucket = value >= 0x80000000 ? BUCKETS - 1 : 32 - Math.clz32(value);
    this.#counts[bucket]!++;
    this.count++;
    this.sum += value;
  }

  /** Every bucket, also those that hold nothing. */
  buckets(): HistogramBucket[] {
    return Array.from(this.#counts, (count, i) => ({
      below: i === BUCKETS - 1 ? Number.POSITIVE_INFINITY : 2 ** i,
      count,
    }));
  }

  /** The smallest power of two that at least `share` (0 … 1) of the values stay below; 0 without values. */
  quantile(share: number): number {
    let seen = 0;
    for (const { below, count } of this.buckets()) {
      seen += count;
      if (seen > 0 && seen >= share * this.count) return below;
    }
    return 0;
  }

  /** A line for each bucket from the first to the last that holds anything. */
  toString(): string {
    const filled = this.buckets();
    while (filled.length > 0 && filled.at(-1)!.count === 0) filled.pop();
    const first = filled.findIndex(({ count }) => count > 0);
    const most = Math.max(...filled.map(({ count }) => count));
    const lines = filled.slice(Math.max(0, first)).map(({ below, count }) => {
      const bar = "#".repeat(Math.ceil((count / most) * BAR));
      return `  < ${String(below).padStart(10)} ${String(count).padStart(10)} ${bar}`.trimEnd();
    });
    return [`${this.description} (${this.unit}): ${this.count}`, ...lines].join("\n");
  }

  reset(): void {
    this.#counts.fill(0);
    this.count = 0;
    this.sum = 0;
  }
}
