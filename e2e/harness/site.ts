import type { Client, WorkloadContext } from "../workloads/context.ts";
import { type Guest, startGuest } from "./guest.ts";
import { type Mount, mountExport, type NfsVersion } from "./mount.ts";
import { createNamespace, type Namespace } from "./namespace.ts";
import { type BridgedServer, type Nfs4ServerOptions, startNfs4Server } from "./nfs4-server.ts";
import { type Passage, watchPassage } from "./passage.ts";

export interface SiteOptions extends Nfs4ServerOptions {
  readonly version: NfsVersion;
  /** Default 1. */
  readonly guests?: 1 | 2;
}

/** Our server and guests that have mounted it, in a network of their own. */
export interface Site {
  readonly namespace: Namespace;
  readonly server: BridgedServer;
  readonly guests: readonly Guest[];
  readonly mounts: readonly Mount[];
  /** For workloads. */
  readonly context: WorkloadContext;
  /** Counts from now on; the first one counts from the first mount. */
  watchPassage(): Promise<Passage>;
  /** Since the mounts were made; not for sites whose server has been started again. */
  readonly passage: Passage;
  /**
   * Unmounts and stops everything, whatever state it is in, and then rejects if something of it was not as it should: a busy mount, complaints of a
   * kernel or of the server, a server that had ended.
   */
  close(): Promise<void>;
}

export async function openSite(options: SiteOptions): Promise<Site> {
  const { version, guests: count = 1, ...serverOptions } = options;
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let step = undo.pop(); step; step = undo.pop()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0)
      throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.join("\n"));
  };
  try {
    const namespace = await createNamespace();
    undo.push(() => namespace.close());
    const server = await startNfs4Server(namespace, serverOptions);
    undo.push(async () => {
      await server.stop();
      nothingIn("the server said", server.complaints);
    });
    const guests = await Promise.all(Array.from({ length: count }, () => startGuest({ namespace })));
    for (const guest of guests) {
      undo.push(async () => {
        await guest.stop();
        nothingIn(`the kernel of ${guest.name} said`, guest.kernelComplaints());
      });
    }
    const mounts = await Promise.all(guests.map((guest) => mountExport(guest, server.source, { version })));
    for (const mount of mounts) undo.push(() => mount.unmount());
    const watch = (): Promise<Passage> => watchPassage(namespace, server, mounts);
    const passage = await watch();
    return { namespace, server, guests, mounts, context: contextOf(mounts), watchPassage: watch, passage, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

function contextOf(mounts: readonly Mount[]): WorkloadContext {
  const [first, second] = mounts.map(({ guest, path }): Client => ({ guest, mountPoint: path }));
  if (!first) throw new TypeError("a site without guests");
  return second ? { ...first, other: second } : first;
}

function nothingIn(whose: string, complaints: readonly string[]): void {
  if (complaints.length > 0) throw new Error(`${whose}:\n${complaints.slice(0, 50).join("\n")}`);
}
