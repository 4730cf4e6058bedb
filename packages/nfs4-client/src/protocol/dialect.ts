import type { Compound } from "./compound.ts";

/** Why a COMPOUND was not executed and cannot be, before the client has made itself known anew. */
export type LostAcquaintance =
  /** The server knows the session no longer; perhaps the client. */
  | "session"
  /** Nor the client: it has restarted, or the lease is over. */
  | "client"
  /** The lease is over, and so what was held under it: there is nothing to claim back (4.0). */
  | "lease";

export class AcquaintanceLost extends Error {
  readonly what: LostAcquaintance;

  constructor(what: LostAcquaintance) {
    super(`the server does not know the ${what} any more`);
    this.what = what;
  }
}

/** What the server has of us after an introduction. */
export interface Acquaintance {
  /** Nothing of what it held for us. */
  readonly stateLost: boolean;
  /** It has lost that by a restart, or may have, so it can be claimed back. */
  readonly mayReclaim: boolean;
}

/** What becomes known of the server's side beside the results of operations. */
export interface DialectEvents {
  /** State is gone though the client is still known: revoked, or dropped with an expired lease (sr_status_flags of SEQUENCE). */
  stateRevoked(): void;
}

export interface SendOptions {
  /** For one attempt, ms. */
  readonly attemptTimeoutMs: number;
}

/**
 * How a minor version makes clients known, and calls happen exactly once: sessions with slots since 4.1; client IDs, and xids for the server's duplicate request
 * cache, in 4.0.
 */
export interface Dialect {
  readonly minorVersion: 0 | 1 | 2;
  /** Of the client ID, for owners. */
  readonly clientId: { readonly hi: number; readonly lo: number };
  /** Bytes that one READ or WRITE may move. */
  readonly maxRead: number;
  readonly maxWrite: number;
  /** How many COMPOUNDs can be under way. */
  readonly concurrency: number;
  /** When the last COMPOUND was sent that is known to have renewed the lease: uptime in µs. */
  readonly lastRenewal: number;
  /** Makes the client known, or finds that it still is. */
  introduce(): Promise<Acquaintance>;
  /** The server has said that it does not know the client ID, or that the lease is over: the next introduction begins from nothing. */
  forget(what: "client" | "lease"): void;
  /** All that was held before is reclaimed. */
  reclaimComplete(): Promise<void>;
  /**
   * Runs a COMPOUND, exactly once as far as the protocol allows: it is sent again over as many connections as it takes. Resolves when it has been answered, with whatever statuses.
   * Rejects with `AcquaintanceLost`, or when the client is closed.
   */
  send(compound: Compound, options: SendOptions): Promise<void>;
  /** Renews the lease. Rejects with `AcquaintanceLost` if there is none any more. */
  renew(): Promise<void>;
  /** Tells the server that nothing is needed any more, as far as it can be reached in time. */
  leave(): Promise<void>;
}
