/** What the admin interface shows. Whoever wires it gives it functions; it knows no server and no stack. */

export type Metric = CounterMetric | HistogramMetric;

export interface CounterMetric {
  /** Prometheus name: lower case, with unit suffix, `_total` for what only grows. */
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  /** Names of the labels that every sample has; default: none. */
  readonly labels?: readonly string[];
  readonly samples: readonly Sample[];
}

/** Values by size, counted elsewhere. */
export interface HistogramMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: "histogram";
  readonly labels?: readonly string[];
  readonly samples: readonly HistogramSample[];
}

export interface HistogramSample {
  readonly labels?: Readonly<Record<string, string>>;
  /** What is up to `most` and above the bucket before; the last is +∞. */
  readonly buckets: readonly { readonly most: number; readonly count: number }[];
  readonly sum: number;
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ClientReport {
  readonly id: string;
  readonly name: string;
  readonly minorVersions: string;
  readonly address: string;
  readonly implementation: string;
  readonly confirmed: boolean;
  readonly expired: boolean;
  readonly secondsSinceRenewal: number;
  readonly sessions: number;
  readonly states: number;
}

export interface ExportReport {
  readonly path: string;
  readonly id: number;
  readonly readOnly: boolean;
  readonly squash: string;
  readonly clients: string;
}

export interface HealthReport {
  readonly healthy: boolean;
  /** What is wrong, in words. Empty if healthy. */
  readonly problems: readonly string[];
  readonly inGrace: boolean;
  readonly uptimeSeconds: number;
}

export interface AdminSource {
  health(): HealthReport;
  metrics(): readonly Metric[];
  clients(): readonly ClientReport[];
  exports(): readonly ExportReport[];
  /** The last packets, the odd ones among them marked, as a pcapng file. Null: nobody keeps them. */
  oddPackets?(): Uint8Array | null;
}
