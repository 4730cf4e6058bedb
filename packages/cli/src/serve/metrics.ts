/** Counters of the server, of RPC, of our stack and of the process, as metrics with Prometheus' names. docs/sysctls-and-counters.md lists them. */
import type { HistogramMetric, HistogramSample, Metric, Sample } from "@nfs4/admin";
import type { HostStack, NetworkInterface } from "@nfs4/netstack";
import { operationName, statusName } from "@nfs4/protocol";
import type { NfsServer } from "@nfs4/server";
import { meaningOf } from "./counter-meanings.ts";

/** Among the counters of RPC, what goes down again. */
const RPC_GAUGES: ReadonlySet<string> = new Set(["callsInFlight"]);

export function serverMetrics({ clients, counters, exports, inGrace, rpc, services }: NfsServer): Metric[] {
  const { callbacks, states } = services;
  return [
    gauge("nfs4_clients", "Clients that the server knows", [...clients].length),
    gauge("nfs4_connections", "RPC connections", rpc.connections.size),
    gauge("nfs4_exports", "Exports", exports.length),
    gauge("nfs4_in_grace", "1 while clients of the last run may reclaim, else 0", inGrace ? 1 : 0),
    gauge("nfs4_open_files", "Files that somebody has open", states.openFileCount),
    gauge("nfs4_states", "Stateids in use", states.stateCount),
    counter("nfs4_compounds_total", "COMPOUND requests", counters.compounds),
    counter("nfs4_faults_total", "Exceptions of file systems without an error code", counters.faults),
    counter("nfs4_read_bytes_total", "Bytes that clients have read", counters.readBytes),
    counter("nfs4_replays_total", "Replies given again to retries", counters.replays),
    counter("nfs4_undecodable_total", "Requests whose operations could not be decoded", counters.undecodable),
    counter("nfs4_written_bytes_total", "Bytes that clients have written", counters.writtenBytes),
    labelled(
      "operation",
      "nfs4_operations_total",
      "Operations, by name",
      counters.operations.flatMap((value, number) =>
        value > 0 ? [{ labels: { operation: operationName(number) }, value }] : [],
      ),
    ),
    labelled(
      "status",
      "nfs4_errors_total",
      "Results of operations other than NFS4_OK, by status",
      [...counters.errors].map(([status, value]) => ({ labels: { status: statusName(status) }, value })),
    ),
    ...group("nfs4_callbacks", callbacks.counters),
    ...group("nfs4_rpc", rpc.counters, RPC_GAUGES),
  ];
}

/** Nothing for the kernel's sockets, whose counters are the kernel's. */
export function stackMetrics(stack: HostStack | null): Metric[] {
  if (!stack) return [];
  const layers = Object.entries(stack.statistics).filter(
    (entry): entry is [string, object] => typeof entry[1] === "object" && entry[1] !== null,
  );
  return [
    gauge("nfs4_tcp_connections", "Connections of our TCP, in any state", [...stack.tcp.connections()].length),
    ...group("nfs4_tcp", stack.tcp.statistics),
    ...tcpHistograms(stack),
    ...layers.flatMap(([name, counters]) => group(`nfs4_${snakeCase(name)}`, counters)),
    ...byInterface("nfs4_interface", stack.interfaces, ({ statistics }) => statistics),
    ...byInterface("nfs4_driver", stack.interfaces, ({ driver }) => driver.statistics),
  ];
}

/** Names end in the unit; values are whole, so what is below a power of two is at most one less. */
function tcpHistograms({ tcp }: HostStack): Metric[] {
  const found = new Map<string, HistogramMetric & { samples: HistogramSample[] }>();
  for (const [name, cause, histogram] of tcp.histograms.entries()) {
    const unit = histogram.unit === "µs" ? "microseconds" : histogram.unit;
    const known = found.get(name) ?? {
      name: `nfs4_tcp_${snakeCase(name)}_${unit}`,
      help: cause === null ? histogram.description : "What was sent again, by cause",
      kind: "histogram",
      labels: cause === null ? [] : ["cause"],
      samples: [],
    };
    found.set(name, known);
    known.samples.push({
      labels: cause === null ? {} : { cause },
      buckets: histogram.buckets().map(({ below, count }) => ({ most: below - 1, count })),
      sum: histogram.sum,
    });
  }
  return [...found.values()];
}

export interface ProcessReading {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly uptimeSeconds: number;
}

export function processMetrics({ residentBytes, cpuSeconds, uptimeSeconds }: ProcessReading): Metric[] {
  return [
    counter("process_cpu_seconds_total", "User and system CPU time of the process", cpuSeconds),
    gauge("process_resident_memory_bytes", "Resident memory of the process", residentBytes),
    gauge("nfs4_uptime_seconds", "Since the server's clock was made", uptimeSeconds),
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, kind: "gauge", samples: [{ value }] };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, kind: "counter", samples: [{ value }] };
}

function labelled(label: string, name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, kind: "counter", labels: [label], samples };
}

/** Every number among `counters` as a metric of its own. */
function group(prefix: string, counters: object, gauges: ReadonlySet<string> = new Set()): Metric[] {
  return numbersOf(counters).map(([name, value]) =>
    gauges.has(name)
      ? gauge(`${prefix}_${snakeCase(name)}`, meaningOf(prefix, name), value)
      : counter(`${prefix}_${snakeCase(name)}_total`, meaningOf(prefix, name), value),
  );
}

function byInterface(
  prefix: string,
  interfaces: readonly NetworkInterface[],
  countersOf: (iface: NetworkInterface) => object,
): Metric[] {
  const samples = new Map<string, Sample[]>();
  for (const iface of interfaces) {
    for (const [name, value] of numbersOf(countersOf(iface))) {
      const known = samples.get(name) ?? [];
      known.push({ labels: { interface: iface.name }, value });
      samples.set(name, known);
    }
  }
  return [...samples].map(([name, list]) =>
    labelled("interface", `${prefix}_${snakeCase(name)}_total`, meaningOf(prefix, name), list),
  );
}

function numbersOf(counters: object): [string, number][] {
  return Object.entries(counters).filter((entry): entry is [string, number] => typeof entry[1] === "number");
}

/** "sndByte" → "snd_byte" */
export function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}
