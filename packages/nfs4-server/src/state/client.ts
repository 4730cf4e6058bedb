/**
 * A client as the server knows it, and what hangs off it (RFC 8881 §2.4, RFC 7530 §9.1.1):
 * client → owners → opens and locks, and for 4.1 → sessions.
 */
import type { CREATE_SESSION4res, nfsstat4 } from "@nfs4/protocol";
import type { Callout } from "@nfs4/timecounter";
import type { Uint64Pair } from "@xdr-ts/xdr";
import type { CallbackPath } from "./callback-path.ts";
import type { FileStateEntry } from "./file-state.ts";
import type { LockOwner, OpenOwner } from "./owners.ts";
import type { Session } from "./session.ts";

export interface ClientIdentity {
  /** co_ownerid / nfs_client_id4.id as a latin-1 string: bytes that can be a key. */
  readonly ownerId: string;
  /** Changes with each incarnation of the client (latin-1 of eight bytes). */
  readonly verifier: string;
  /** Who may speak for it: the RPC principal that introduced it. */
  readonly principal: string;
  /** 4.0 clients and 4.1+ clients live in separate name spaces. */
  readonly generation: "4.0" | "4.1";
}

export class Client {
  /** hi: boot epoch of the server; lo: a number that is never given twice in an epoch. */
  readonly id: Uint64Pair;
  readonly identity: ClientIdentity;
  confirmed = false;
  /** Its lease has run out. Its state lives on until somebody conflicts with it (courtesy). */
  expired = false;
  /** It has gone, with everything that it held: whoever waited meanwhile must not grant it anything. */
  removed = false;
  /** It has told RECLAIM_COMPLETE, or there was nothing to reclaim (RFC 8881 §18.51). */
  reclaimComplete = false;
  /** It stands in the recovery journal. */
  journaled = false;
  /** Uptime (µs) of its last renewal. */
  renewedAt = 0;
  readonly lease: Callout;

  readonly openOwners: Map<string, OpenOwner> = new Map();
  readonly lockOwners: Map<string, LockOwner> = new Map();
  /** With so many owners of a kind, those that hold nothing are forgotten. */
  ownersKept = 1024;
  /** Every stateid of this client. */
  readonly states: Set<FileStateEntry> = new Set();
  /** 4.1 and up. */
  readonly sessions: Set<Session> = new Set();
  /** Sequence of CREATE_SESSION, and its last reply for a replay (RFC 8881 §18.36.4). */
  createSessionSequence = 1;
  createSessionReply: CREATE_SESSION4res | nfsstat4 | null = null;
  /** 4.0: where to call it back; 4.1: the sessions have their own. */
  callback: CallbackPath | null = null;
  /** 4.0: the verifier that SETCLIENTID_CONFIRM must show. */
  confirmVerifier = "";
  /** 4.0: a new callback that SETCLIENTID_CONFIRM has not confirmed yet. */
  pendingCallback: { readonly callback: CallbackPath; readonly confirmVerifier: string } | null = null;
  /** Names the implementation, where the client told it (eia_client_impl_id), for people. */
  implementation = "";
  /** Textual address that it was last seen at, for people. */
  address = "";

  constructor(id: Uint64Pair, identity: ClientIdentity, lease: Callout) {
    this.id = id;
    this.identity = identity;
    this.lease = lease;
  }

  /** True if taking it away would lose something (RFC 8881 §18.50.3). */
  get hasState(): boolean {
    return this.states.size > 0 || this.sessions.size > 0;
  }
}
