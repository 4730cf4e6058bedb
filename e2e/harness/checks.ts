import { readFileSync } from "node:fs";
import type { Namespace } from "./namespace.ts";

/** A TCP socket of a kernel, as /proc/net/tcp tells. */
export interface KernelSocket {
  readonly localPort: number;
  readonly remotePort: number;
  readonly listening: boolean;
}

/** The kernel's TCP sockets in a namespace, over IPv4 and IPv6. */
export async function kernelSockets(namespace: Namespace): Promise<KernelSocket[]> {
  const text = await namespace.must(["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
  return text.split("\n").flatMap((line) => {
    // "  0: 0100007F:0801 00000000:0000 0A ..." (proc(5)): state 0A listens, 06 is TIME-WAIT.
    const match = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) /.exec(line);
    if (!match) return [];
    const [, local = "", remote = "", state] = match;
    return [
      { localPort: Number.parseInt(local, 16), remotePort: Number.parseInt(remote, 16), listening: state === "0A" },
    ];
  });
}

/** Fails if the namespace's kernel has any TCP socket at `port` (of a server, or of either end): then the bytes may not have gone through our stack. */
export async function assertNoKernelSocket(
  namespace: Namespace,
  port: number,
  ends: "server" | "both" = "both",
): Promise<void> {
  const sockets = await kernelSockets(namespace);
  const found = sockets.filter((s) => s.localPort === port || (ends === "both" && s.remotePort === port));
  if (found.length > 0) {
    throw new Error(
      `the kernel of ${namespace.name} has ${found.length} TCP socket(s) at port ${port}: ${JSON.stringify(found)}`,
    );
  }
}

/** True once something in the namespace's kernel listens at `port`. */
export async function kernelListens(namespace: Namespace, port: number): Promise<boolean> {
  return (await kernelSockets(namespace)).some((socket) => socket.listening && socket.localPort === port);
}

/** False once a process is gone, or is only waiting to be reaped. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
