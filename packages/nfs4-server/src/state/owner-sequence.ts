/**
 * The request sequence of a 4.0 open-owner or lock-owner (RFC 7530 §9.1.7, §9.1.8): one request at a time, each numbered one higher, the last
 * reply kept for a retry.
 */
import {
  NFS4ERR_BAD_SEQID,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_BADXDR,
  NFS4ERR_DELAY,
  NFS4ERR_MOVED,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_RESOURCE,
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_STALE_STATEID,
  type nfsstat4,
} from "@nfs4/protocol";
import type { NodeReference } from "../filehandle/node-reference.ts";

export type OwnerVerdict =
  | { readonly kind: "new" }
  | {
      readonly kind: "replay";
      readonly operation: number;
      readonly reply: unknown;
      readonly current: NodeReference | null;
    }
  | { readonly kind: "error"; readonly status: nfsstat4 };

/** Errors after which the owner's seqid does not advance (RFC 7530 §9.1.7). */
const NO_ADVANCE: ReadonlySet<nfsstat4> = new Set([
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_STALE_STATEID,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_BADXDR,
  NFS4ERR_RESOURCE,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_MOVED,
]);

export class OwnerSequence {
  /** Of the last request that was answered; null before the first. */
  #seqid: number | null = null;
  #operation = 0;
  #reply: unknown = null;
  #current: NodeReference | null = null;
  #busy = false;
  /** Open-owners only: OPEN_CONFIRM has been seen (RFC 7530 §9.1.11). */
  confirmed = false;

  get busy(): boolean {
    return this.#busy;
  }

  get seqid(): number | null {
    return this.#seqid;
  }

  /** Judges a request. "new" makes the owner busy until `finish` or `abandon`. An owner that is not confirmed takes any seqid. */
  admit(seqid: number, operation: number): OwnerVerdict {
    if (this.#busy) return { kind: "error", status: NFS4ERR_DELAY };
    if (this.#seqid !== null && seqid === this.#seqid && operation === this.#operation) {
      return { kind: "replay", operation, reply: this.#reply, current: this.#current };
    }
    if (this.#seqid !== null && seqid !== (this.#seqid + 1) >>> 0) return { kind: "error", status: NFS4ERR_BAD_SEQID };
    this.#busy = true;
    return { kind: "new" };
  }

  /** The reply to the request that `admit` let in. `current`: what the current filehandle became, for the rest of a replayed COMPOUND. */
  finish(seqid: number, operation: number, status: nfsstat4, reply: unknown, current: NodeReference | null): void {
    this.#busy = false;
    if (NO_ADVANCE.has(status)) return;
    this.#seqid = seqid;
    this.#operation = operation;
    this.#reply = reply;
    this.#current = current;
  }

  /** The request that `admit` let in ended without a reply that counts (it threw). */
  abandon(): void {
    this.#busy = false;
  }

  /** Starts anew: an OPEN by an owner that never confirmed (RFC 7530 §16.18.5). */
  restart(): void {
    this.#seqid = null;
    this.#reply = null;
    this.#current = null;
  }
}
