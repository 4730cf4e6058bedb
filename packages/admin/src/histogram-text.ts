import type { HistogramMetric } from "./source.ts";

/** A histogram in Prometheus' text format: buckets add up. (prom-client's own can only observe values one by one.) */
export function histogramText({ name, help, samples }: HistogramMetric): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { labels = {}, buckets, sum } of samples) {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let total = 0;
    for (const { most, count } of buckets) {
      total += count;
      const edge = most === Number.POSITIVE_INFINITY ? "+Inf" : String(most);
      lines.push(`${name}_bucket{${[...pairs, `le="${edge}"`].join(",")}} ${total}`);
    }
    const suffix = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
    lines.push(`${name}_sum${suffix} ${sum}`, `${name}_count${suffix} ${total}`);
  }
  return `${lines.join("\n")}\n`;
}
