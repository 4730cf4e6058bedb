/** What operations stand on. One object per server, wired in server.ts; nothing here is global. */
import type { Clock, RandomSource } from "@nfs4/timecounter";
import type { ServerCounters } from "./counters.ts";
import type { ExportTable } from "./exports/export-table.ts";
import type { FilehandleCodec } from "./filehandle/filehandle-codec.ts";
import type { KeyedQueue } from "./keyed-queue.ts";
import type { ServerLimits } from "./limits.ts";
import type { ReadBuffers } from "./read-buffers.ts";
import type { CallbackService } from "./state/callback-service.ts";
import type { ClientRegistry } from "./state/client-registry.ts";
import type { DuplicateRequestCache } from "./state/duplicate-request-cache.ts";
import type { GracePeriod } from "./state/grace-period.ts";
import type { RecoveryJournal } from "./state/recovery-journal.ts";
import type { StateManager } from "./state/state-manager.ts";
import type { WriteVerifier } from "./write-verifier.ts";

export interface Services {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: ServerLimits;
  readonly leaseSeconds: number;
  readonly counters: ServerCounters;
  readonly exports: ExportTable;
  readonly handles: FilehandleCodec;
  readonly clients: ClientRegistry;
  readonly states: StateManager;
  readonly grace: GracePeriod;
  readonly callbacks: CallbackService;
  readonly journal: RecoveryJournal;
  readonly duplicates: DuplicateRequestCache;
  readonly writeVerifier: WriteVerifier;
  /** Serialises what must not interleave, by key: namespace changes and OPEN per directory. */
  readonly queue: KeyedQueue;
  readonly readBuffers: ReadBuffers;
  /** Names this server to 4.1 clients (server_owner4, scope); the same for all its addresses. */
  readonly identity: Uint8Array;
}
