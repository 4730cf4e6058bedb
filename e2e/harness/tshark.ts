import { must } from "./command.ts";

/** An operation that answered something else than NFS4_OK. */
export interface NfsError {
  readonly frame: number;
  /** Name of the operation, `?` where one frame's replies cannot be told apart. */
  readonly operation: string;
  /** NFS4ERR_… */
  readonly status: string;
}

/** What tshark makes of a capture. */
export interface CaptureReport {
  readonly frames: number;
  /** RPC messages of NFS, callbacks included. */
  readonly calls: number;
  readonly replies: number;
  /** One line for each frame that tshark calls malformed, or whose reassembly failed. */
  readonly malformed: readonly string[];
  /** One line for each RPC reply that was denied, or accepted without success (RFC 5531 §9). */
  readonly rpcErrors: readonly string[];
  /** How often each operation was called, by name. */
  readonly operations: ReadonlyMap<string, number>;
  readonly nfsErrors: readonly NfsError[];
}

const fields = [
  "frame.number",
  "rpc.msgtyp",
  "rpc.replystat",
  "rpc.state_accept",
  "nfs.ops.count",
  "nfs.opcode",
  "nfs.nfsstat4",
  "_ws.malformed",
  "_ws.expert.message",
  "_ws.col.Info",
] as const;

/** Decodes a capture (pcap or pcapng). `port` is the server's, 2049 by default. */
export async function decodeCapture(
  file: string,
  options: { port?: number; timeoutMs?: number } = {},
): Promise<CaptureReport> {
  const { port = 2049, timeoutMs = 300_000 } = options;
  const names = await valueNames();
  const argv = ["tshark", "-n", "-r", file, "-d", `tcp.port==${port},rpc`, "-T", "fields"];
  const text = await must([...argv, ...fields.flatMap((field) => ["-e", field])], { timeoutMs });
  const report = {
    frames: 0,
    calls: 0,
    replies: 0,
    malformed: [] as string[],
    rpcErrors: [] as string[],
    operations: new Map<string, number>(),
    nfsErrors: [] as NfsError[],
  };
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const columns = line.split("\t");
    const [number = "", types = "", replyStates = "", acceptStates = "", counts = "", codes = "", statuses = ""] =
      columns;
    const [malformed = "", messages = "", info = ""] = columns.slice(7);
    report.frames++;
    if (malformed !== "" || /malformed|dissector bug|reassembly error/i.test(messages)) {
      report.malformed.push(`frame ${number}: ${info} ${messages}`.trimEnd());
    }
    const kinds = list(types);
    report.calls += kinds.filter((type) => type === 0).length;
    report.replies += kinds.filter((type) => type === 1).length;
    if ([...list(replyStates), ...list(acceptStates)].some((state) => state !== 0)) {
      report.rpcErrors.push(`frame ${number}: ${info}`);
    }
    const operations = list(codes).map((code) => names.get(`nfs.opcode ${code}`) ?? String(code));
    if (kinds.includes(0)) {
      for (const name of operations) report.operations.set(name, (report.operations.get(name) ?? 0) + 1);
    }
    for (const { operation, status } of failures(list(counts), operations, list(statuses))) {
      report.nfsErrors.push({
        frame: Number(number),
        operation,
        status: names.get(`nfs.nfsstat4 ${status}`) ?? String(status),
      });
    }
  }
  return report;
}

/** How often each status other than NFS4_OK was answered, by `OPERATION STATUS`. */
export function countErrors(report: CaptureReport): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { operation, status } of report.nfsErrors) {
    const key = `${operation} ${status}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/**
 * Fails unless every packet decodes and every error is expected. `expected` matches `OPERATION STATUS`, such as `LOOKUP NFS4ERR_NOENT`: what
 * the test provoked.
 */
export function assertCleanCapture(report: CaptureReport, expected: RegExp = /^$/): void {
  const complaints = [
    ...report.malformed.map((line) => `malformed ${line}`),
    ...report.rpcErrors.map((line) => `RPC error ${line}`),
    ...report.nfsErrors
      .filter(({ operation, status }) => !expected.test(`${operation} ${status}`))
      .map(({ frame, operation, status }) => `frame ${frame}: ${operation} answered ${status}`),
  ];
  if (complaints.length === 0) return;
  const shown = complaints.slice(0, 30).join("\n");
  throw new Error(`the capture has ${complaints.length} fault(s) in ${report.frames} frames:\n${shown}`);
}

/**
 * The statuses of one frame are those of its replies one after the other, each with the COMPOUND's own first. A COMPOUND stops at its first
 * error, so the operation at fault is the last of its reply (RFC 8881 §16.2.3).
 */
function failures(counts: number[], operations: string[], statuses: number[]): { operation: string; status: number }[] {
  const found: { operation: string; status: number }[] = [];
  const separable = counts.reduce((sum, count) => sum + count + 1, 0) === statuses.length;
  if (!separable) {
    // The COMPOUND's status repeats the last operation's: count the pair once.
    statuses
      .filter((status) => status !== 0)
      .forEach((status, index) => {
        if (index % 2 === 1) found.push({ operation: "?", status });
      });
    return found;
  }
  let operation = 0;
  let status = 0;
  for (const count of counts) {
    operation += count;
    const overall = statuses[status] ?? 0;
    if (overall !== 0) found.push({ operation: operations[operation - 1] ?? "COMPOUND", status: overall });
    status += count + 1;
  }
  return found;
}

function list(column: string): number[] {
  return column === "" ? [] : column.split(",").map(Number);
}

let namesOnce: Promise<Map<string, string>> | undefined;

/** tshark's own names of operations and statuses, by `field value`: a second opinion must not use ours. */
function valueNames(): Promise<Map<string, string>> {
  namesOnce ??= must(["tshark", "-G", "values"]).then((text) => {
    const names = new Map<string, string>();
    for (const line of text.split("\n")) {
      const [kind, field, value, name] = line.split("\t");
      if (kind === "V" && name && (field === "nfs.opcode" || field === "nfs.nfsstat4"))
        names.set(`${field} ${value}`, name);
    }
    return names;
  });
  return namesOnce;
}
