import { assertNoKernelSocket } from "./checks.ts";
import type { Metrics } from "./metrics.ts";
import type { Mount } from "./mount.ts";
import type { Namespace } from "./namespace.ts";
import type { Nfs4Server } from "./nfs4-command.ts";

/** What the guests' kernels say they have exchanged with the server, in bytes of RPC messages. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** Counts from when it was made; a server must not be started again meanwhile. */
export interface Passage {
  /**
   * Fails unless our TCP has carried at least what the guests' kernels have sent and received since, our server has read and written as many bytes
   * of files, and no kernel of the namespace has a socket at the port. Call it while the mounts are there. Gives what the guests have exchanged.
   */
  assertThroughOurStack(): Promise<Traffic>;
}

interface Counts {
  readonly rpc: Traffic;
  /** Bytes of files. */
  readonly files: Traffic;
}

export async function watchPassage(
  namespace: Namespace,
  server: Nfs4Server,
  mounts: readonly Mount[],
  /** `strangers`: others in the namespace are clients of the server over kernel sockets. */
  { strangers = false }: { readonly strangers?: boolean } = {},
): Promise<Passage> {
  // First what must be covered at the beginning, last at the end: what is under way meanwhile can only count for us.
  const covered = await countsOfServer(server);
  const before = await countsOfGuests(mounts);
  return {
    async assertThroughOurStack() {
      await assertNoKernelSocket(namespace, 2049, strangers ? "server" : "both");
      const now = await countsOfGuests(mounts);
      const covering = await countsOfServer(server);
      const exchanged = difference(now.rpc, before.rpc);
      if (exchanged.sent === 0 || exchanged.received === 0) throw new Error("the guests have exchanged nothing");
      covers("TCP", difference(covering.rpc, covered.rpc), exchanged);
      covers("NFS", difference(covering.files, covered.files), difference(now.files, before.files));
      return exchanged;
    },
  };
}

/** Bytes that our TCP has received. What comes ahead of a gap is counted apart. */
export function bytesReceived(metrics: Metrics): number {
  return metrics.get("nfs4_tcp_rcv_byte_total") + metrics.get("nfs4_tcp_rcv_oo_byte_total");
}

/** As the guests see it: the server receives what they send. */
async function countsOfServer(server: Nfs4Server): Promise<Counts> {
  const metrics = await server.metrics();
  return {
    rpc: { sent: bytesReceived(metrics), received: metrics.get("nfs4_tcp_snd_byte_total") },
    files: { sent: metrics.get("nfs4_written_bytes_total"), received: metrics.get("nfs4_read_bytes_total") },
  };
}

async function countsOfGuests(mounts: readonly Mount[]): Promise<Counts> {
  const all = await Promise.all(mounts.map(countsOfMount));
  return { rpc: sum(all.map(({ rpc }) => rpc)), files: sum(all.map(({ files }) => files)) };
}

/** /proc/self/mountstats: one line for the bytes of files, and one for each operation (net/sunrpc/stats.c, fs/nfs/iostat.h). */
async function countsOfMount({ guest, path }: Mount): Promise<Counts> {
  const text = await guest.must(
    `awk -v path='${path}' '
      $1 == "device" { ours = $5 == path }
      ours && $1 == "bytes:" { written = $7; read = $6 }
      ours && /^\\t *[A-Z_]+: / { sent += $5; received += $6 }
      END { printf "%.0f %.0f %.0f %.0f\\n", sent, received, written, read }
    ' /proc/self/mountstats`,
  );
  const [sent = 0, received = 0, written = 0, read = 0] = text.trim().split(" ").map(Number);
  return { rpc: { sent, received }, files: { sent: written, received: read } };
}

function covers(what: string, covering: Traffic, covered: Traffic): void {
  if (covering.sent >= covered.sent && covering.received >= covered.received) return;
  throw new Error(`our ${what} has carried ${JSON.stringify(covering)}, and the guests say ${JSON.stringify(covered)}`);
}

function difference(now: Traffic, before: Traffic): Traffic {
  return { sent: now.sent - before.sent, received: now.received - before.received };
}

function sum(all: readonly Traffic[]): Traffic {
  return all.reduce((total, one) => ({ sent: total.sent + one.sent, received: total.received + one.received }), {
    sent: 0,
    received: 0,
  });
}
