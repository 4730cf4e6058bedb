/** Counters as the admin interface shows them (the text format of Prometheus). */
export class Metrics {
  readonly #values: Map<string, number> = new Map();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const match = /^(\w+)(?:\{\w+="([^"]*)"\})? (\S+)$/.exec(line);
      if (match) this.#values.set(key(match[1] ?? "", match[2]), Number(match[3]));
    }
  }

  /** A metric, or the one with this value of its label. Throws if there is none: a counter that was renamed must not pass for zero. */
  get(name: string, label?: string): number {
    const value = this.#values.get(key(name, label));
    if (value === undefined) throw new Error(`there is no metric ${key(name, label)}`);
    return value;
  }
}

function key(name: string, label: string | undefined): string {
  return label === undefined ? name : `${name}/${label}`;
}
