import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "./namespace.ts";
import { type Nfs4Server, startNfs4 } from "./nfs4-command.ts";
import { createScratchDirectory } from "./scratch.ts";

export type ServedFileSystem = "local" | "memory";

export interface Nfs4ServerOptions {
  readonly fileSystem: ServedFileSystem;
  /** Default: the server's own, 90. The grace after a restart is as long. */
  readonly leaseSeconds?: number;
  /** Writes what crosses the stack's link here. */
  readonly pcap?: string;
  /** More words for the command line. */
  readonly flags?: readonly string[];
}

/** One for workloads: root is root, and state and files go when it stops. */
export interface BridgedServer extends Nfs4Server {
  /** What a local file system serves, on the host; null for memory. */
  readonly directory: string | null;
}

/** Starts `nfs4 serve` on our own stack, over a TAP on the namespace's bridge. */
export async function startNfs4Server(namespace: Namespace, options: Nfs4ServerOptions): Promise<BridgedServer> {
  const { fileSystem, leaseSeconds, pcap, flags = [] } = options;
  const scratch = createScratchDirectory("nfs4");
  const directory = fileSystem === "local" ? join(scratch.path, "export") : null;
  try {
    if (directory !== null) {
      mkdirSync(directory);
      chmodSync(directory, 0o1777);
    }
    const server = await startNfs4(
      [
        directory ?? "--memory",
        ...[
          "--tap",
          "--bridge",
          namespace.bridge,
          "--address",
          `${namespace.allocateAddress()}/${namespace.prefixLength}`,
        ],
        ...["--squash", "none", "--state-dir", join(scratch.path, "state")],
        ...(leaseSeconds === undefined ? [] : ["--lease", String(leaseSeconds)]),
        ...(pcap === undefined ? [] : ["--pcap", pcap]),
        ...flags,
      ],
      { namespace },
    );
    const stop = server.stop.bind(server);
    return Object.assign(server, { directory, stop: () => stop().finally(() => scratch.remove()) });
  } catch (error) {
    scratch.remove();
    throw error;
  }
}
