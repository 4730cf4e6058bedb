/** Numbers as the admin interface shows them (the text format of Prometheus). */
export class Metrics {
  readonly #values: Map<string, number> = new Map();
  readonly #names: Set<string> = new Set();

  constructor(page: string) {
    for (const line of page.split("\n")) {
      const name = /^# TYPE (\S+) /.exec(line)?.[1];
      if (name !== undefined) this.#names.add(name);
      if (line === "" || line.startsWith("#")) continue;
      const space = line.lastIndexOf(" ");
      this.#values.set(line.slice(0, space), Number(line.slice(space + 1)));
    }
  }

  /** The names of all metrics. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /**
   * A metric, with its labels as they stand on the page: `nfs4_errors_total{status="NFS4ERR_NOENT"}`. One that nothing was counted for yet is 0. Throws if
   * there is no such name: a counter that was renamed must not pass for zero.
   */
  get(metric: string): number {
    const value = this.#values.get(metric);
    if (value !== undefined) return value;
    const [name = "", labels] = metric.split("{");
    if (labels === undefined || !this.#names.has(name)) throw new Error(`there is no metric ${metric}`);
    return 0;
  }
}
