/**
 * The request sequence of a 4.0 open-owner or lock-owner (RFC 7530 §9.1.7, §9.1.8): one request at a time, each numbered one higher, the last
 * reply kept for a retry.
 */
import {
  keepsSeqid,
  NFS4_UINT32_MAX,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_BAD_STATEID,
  type nfsstat4,
  OP_OPEN,
  OP_OPEN_CONFIRM,
} from "@nfs4/protocol";
import type { NodeReference } from "../filehandle/node-reference.ts";

export type OwnerVerdict =
  | { readonly kind: "new" }
  /** Another request of this owner runs: ask again when the promise resolves. */
  | { readonly kind: "busy"; readonly idle: Promise<void> }
  | {
      readonly kind: "replay";
      readonly operation: number;
      readonly reply: unknown;
      readonly current: NodeReference | null;
    }
  | { readonly kind: "error"; readonly status: nfsstat4 };

export class OwnerSequence {
  /** Of the last request that was answered; null before the first. */
  #seqid: number | null = null;
  #operation = 0;
  #reply: unknown = null;
  #current: NodeReference | null = null;
  #busy = false;
  readonly #waiting: (() => void)[] = [];
  /** OPEN_CONFIRM has been seen, or there is no need for it: reclaims, and lock-owners (RFC 7530 §9.1.11). */
  confirmed: boolean;

  constructor(confirmed: boolean) {
    this.confirmed = confirmed;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get seqid(): number | null {
    return this.#seqid;
  }

  /**
   * Judges a request. "new" makes the owner busy until `finish`. Of an owner that is not confirmed any other OPEN than the last is taken
   * as a new start, and nothing else but OPEN_CONFIRM makes sense (RFC 7530 §16.18.5).
   */
  admit(seqid: number, operation: number): OwnerVerdict {
    if (this.#busy) return { kind: "busy", idle: new Promise((resolve) => this.#waiting.push(resolve)) };
    if (this.#seqid !== null && seqid === this.#seqid && operation === this.#operation) {
      return { kind: "replay", operation, reply: this.#reply, current: this.#current };
    }
    if (!this.confirmed) {
      if (operation === OP_OPEN) this.#seqid = null;
      else if (operation !== OP_OPEN_CONFIRM) return { kind: "error", status: NFS4ERR_BAD_STATEID };
    }
    if (this.#seqid !== null && !follows(this.#seqid, seqid)) return { kind: "error", status: NFS4ERR_BAD_SEQID };
    this.#busy = true;
    return { kind: "new" };
  }

  /** The reply to the request that `admit` let in. `current`: what the current filehandle became, for the rest of a replayed COMPOUND. */
  finish(seqid: number, operation: number, status: nfsstat4, reply: unknown, current: NodeReference | null): void {
    this.#busy = false;
    for (const resume of this.#waiting.splice(0)) resume();
    if (keepsSeqid(status)) return;
    this.#seqid = seqid;
    this.#operation = operation;
    this.#reply = reply;
    this.#current = current;
  }

  /** Forgets the last request: the next one begins the sequence, with whatever seqid. */
  beginAnew(): void {
    this.#seqid = null;
    this.#reply = null;
    this.#current = null;
  }
}

/** After the highest comes 1 (RFC 7530 §9.1.3); Linux sends 0. */
function follows(last: number, seqid: number): boolean {
  return seqid === (last + 1) >>> 0 || (last === NFS4_UINT32_MAX && seqid === 1);
}
