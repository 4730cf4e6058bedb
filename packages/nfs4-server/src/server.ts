/** An NFSv4 server: exports in, a listener to serve, and everything in between wired here. */
import type { Connector, Listener } from "@nfs4/bytestream";
import { NFS_V4, NFS4_PROGRAM } from "@nfs4/protocol";
import { type RpcCall, type RpcLimits, RpcServer } from "@nfs4/rpc";
import type { Clock, RandomSource } from "@nfs4/timecounter";
import { clientChannel, graceChannel } from "./channels.ts";
import { runCompound } from "./compound/compound.ts";
import { type ServerCounters, serverCounters } from "./counters.ts";
import type { Export, ExportOptions } from "./exports/export.ts";
import { ExportTable } from "./exports/export-table.ts";
import { FilehandleCodec } from "./filehandle/filehandle-codec.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "./limits.ts";
import { ReadBuffers } from "./read-buffers.ts";
import type { Services } from "./services.ts";
import { CallbackService } from "./state/callback-service.ts";
import type { Client } from "./state/client.ts";
import { ClientRegistry } from "./state/client-registry.ts";
import { DuplicateRequestCache } from "./state/duplicate-request-cache.ts";
import { GracePeriod } from "./state/grace-period.ts";
import { RecoveryJournal } from "./state/recovery-journal.ts";
import { StateManager } from "./state/state-manager.ts";
import { MemoryStorage } from "./storage/memory-storage.ts";
import { openServerIdentity } from "./storage/server-identity.ts";
import type { Storage } from "./storage/storage.ts";
import { WriteVerifier } from "./write-verifier.ts";

const COMPOUND = 1;

export interface ServerOptions {
  readonly exports: readonly ExportOptions[];
  readonly clock: Clock;
  readonly random: RandomSource;
  /** What must outlive the process. Default: nothing does, so there is no grace and handles end with the server. */
  readonly storage?: Storage;
  /** Lease time in seconds. Default 90. */
  readonly leaseSeconds?: number;
  /** Grace after a restart in seconds. Default: the lease. */
  readonly graceSeconds?: number;
  /** How long the state of a client that has gone silent waits for it, in seconds, if nobody conflicts. Default a day. */
  readonly courtesySeconds?: number;
  readonly limits?: Partial<ServerLimits>;
  readonly rpcLimits?: Partial<RpcLimits>;
  /** How to call 4.0 clients back. Default: not at all. */
  readonly connector?: Connector;
  /** Tests: overwrite memory that is given back. */
  readonly poison?: boolean;
}

export interface NfsServer extends AsyncDisposable {
  readonly exports: readonly Export[];
  readonly counters: ServerCounters;
  readonly rpc: RpcServer;
  readonly clients: Iterable<Client>;
  readonly services: Services;
  /** True while clients of the last boot may reclaim. */
  readonly inGrace: boolean;
  /** Lines of the recovery journal that could not be read at the start: clients that they were about may not reclaim. Normally 0. */
  readonly damagedJournalLines: number;
  /** Serves what a listener accepts. May be called for several. */
  listen(listener: Listener): void;
  /** Answers what is being worked on, closes every connection (after `graceMs` by force) and lets go of the file systems. Idempotent. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Rejects with a `RangeError` if an export or a limit is wrong. */
export async function createServer(options: ServerOptions): Promise<NfsServer> {
  const { clock, random } = options;
  const storage = options.storage ?? new MemoryStorage();
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const leaseSeconds = options.leaseSeconds ?? 90;
  const identity = await openServerIdentity(storage, random);
  const journal = await RecoveryJournal.open(storage);
  const handles = new FilehandleCodec(identity.handleSecret);
  const exports = new ExportTable(options.exports, handles, clock.wall());
  const callbacks = new CallbackService({
    clock,
    random,
    connector: options.connector ?? null,
    recordBytes: limits.maxMessage,
  });
  const states = new StateManager(identity.epoch, clock, (file, owner) => callbacks.lockAvailable(file, owner));
  const clients = new ClientRegistry({
    clock,
    epoch: identity.epoch,
    leaseSeconds,
    courtesySeconds: options.courtesySeconds ?? 24 * 3600,
    maxClients: limits.maxClients,
    maxUnconfirmedClients: limits.maxUnconfirmedClients,
    replyMemory: limits.replyMemory,
    destroyed: (client, why) => {
      states.endAll(client, why === "expired");
      journal.forget(client);
      if (clientChannel.hasSubscribers) clientChannel.publish({ client, event: why });
    },
    sessionDestroyed: (session) => callbacks.unbound(session),
  });
  const grace = new GracePeriod({
    clock,
    seconds: options.graceSeconds ?? leaseSeconds,
    reclaimers: journal.reclaimers,
    ended: () => {
      journal.graceEnded(clients.all);
      if (graceChannel.hasSubscribers) graceChannel.publish({ active: false });
    },
  });
  const counters = serverCounters();
  const services: Services = {
    clock,
    random,
    limits,
    leaseSeconds,
    counters,
    exports,
    handles,
    clients,
    states,
    grace,
    callbacks,
    journal,
    duplicates: new DuplicateRequestCache(),
    writeVerifier: new WriteVerifier(identity.epoch, random.uint32()),
    queue: new KeyedQueue(),
    readBuffers: new ReadBuffers(options.poison ? { poison: true } : {}),
    identity: identity.name,
  };
  const rpc = new RpcServer({
    clock,
    random,
    ...(options.rpcLimits ? { limits: options.rpcLimits } : {}),
    ...(options.poison ? { poison: true } : {}),
    programs: [
      {
        program: NFS4_PROGRAM,
        lowVersion: NFS_V4,
        highVersion: NFS_V4,
        dispatch: (call: RpcCall) =>
          call.procedure === COMPOUND ? runCompound(services, call) : call.procedureUnavailable(),
      },
    ],
  });
  let closing: Promise<void> | null = null;
  const close = async (graceMs: number): Promise<void> => {
    await rpc.close({ graceMs });
    for (const client of clients.all) {
      client.lease.cancel();
      states.endAll(client, false);
    }
    grace.stop();
    for (const exported of exports.all) await exported.fileSystem.dispose?.();
  };
  const server: NfsServer = {
    exports: exports.all,
    counters,
    rpc,
    services,
    get clients() {
      return clients.all;
    },
    get inGrace() {
      return grace.active;
    },
    damagedJournalLines: journal.damagedLines,
    listen: (listener) => rpc.serve(listener),
    close: ({ graceMs = 5000 } = {}) => {
      closing ??= close(graceMs);
      return closing;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}
