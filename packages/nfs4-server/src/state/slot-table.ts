/**
 * The slots of a session's fore channel and the reply cache in them: exactly-once semantics (RFC 8881 §2.10.6).
 */
import {
  NFS4ERR_BAD_HIGH_SLOT,
  NFS4ERR_BADSLOT,
  NFS4ERR_DELAY,
  NFS4ERR_SEQ_FALSE_RETRY,
  NFS4ERR_SEQ_MISORDERED,
  type nfsstat4,
} from "@nfs4/protocol";

/** Replies up to this size are kept in their slots also where the client did not ask for it. */
export const KEPT_UNASKED = 1024;

export interface Slot {
  /** Of the last request that was let in. The first one of a session has 1; 0 follows on 2^32 − 1. */
  sequence: number;
  /** A request was let in. */
  used: boolean;
  /** A request runs in it; a retry gets DELAY and never runs twice. */
  busy: boolean;
  /** The encoded COMPOUND4res of the last request; null if it was not to be cached or none has been finished. */
  reply: Uint8Array | null;
  /** Where replies of up to KEPT_UNASKED bytes are kept one after the other. Made with the first one. */
  memory: Uint8Array | null;
  /** Checksum over the last request, by which a false retry is told from a true one; 0: none taken. */
  fingerprint: number;
}

export type SlotVerdict =
  | { readonly kind: "new"; readonly slot: Slot }
  | { readonly kind: "replay"; readonly reply: Uint8Array }
  /** It has run, and its reply was not kept: nothing runs, and the operation behind SEQUENCE says so (RFC 8881 §2.10.6.1.3). */
  | { readonly kind: "uncached" }
  | { readonly kind: "error"; readonly status: nfsstat4 };

export class SlotTable {
  readonly #slots: Slot[];

  constructor(count: number) {
    this.#slots = Array.from({ length: count }, () => ({
      sequence: 0,
      used: false,
      busy: false,
      reply: null,
      memory: null,
      fingerprint: 0,
    }));
  }

  get size(): number {
    return this.#slots.length;
  }

  get highest(): number {
    return this.#slots.length - 1;
  }

  /** True if any request runs, not counting the one in `own`. */
  busyBeside(own: Slot | null): boolean {
    return this.#slots.some((slot) => slot.busy && slot !== own);
  }

  /** Judges a SEQUENCE (RFC 8881 §18.46.3). A "new" slot is busy from now on until `finish`. */
  admit(slotId: number, sequence: number, highestSlotId: number, fingerprint: number): SlotVerdict {
    const slot = this.#slots[slotId];
    if (!slot) return { kind: "error", status: NFS4ERR_BADSLOT };
    if (highestSlotId < slotId || highestSlotId > this.highest) return { kind: "error", status: NFS4ERR_BAD_HIGH_SLOT };
    if (slot.used && sequence === slot.sequence) return this.#retry(slot, fingerprint);
    if (sequence !== (slot.sequence + 1) >>> 0) return { kind: "error", status: NFS4ERR_SEQ_MISORDERED };
    if (slot.busy) return { kind: "error", status: NFS4ERR_SEQ_MISORDERED };
    slot.sequence = sequence;
    slot.used = true;
    slot.busy = true;
    slot.reply = null;
    slot.fingerprint = fingerprint;
    return { kind: "new", slot };
  }

  #retry(slot: Slot, fingerprint: number): SlotVerdict {
    if (slot.fingerprint !== fingerprint) return { kind: "error", status: NFS4ERR_SEQ_FALSE_RETRY };
    if (slot.busy) return { kind: "error", status: NFS4ERR_DELAY };
    return slot.reply ? { kind: "replay", reply: slot.reply } : { kind: "uncached" };
  }

  /** Where the reply to the request of a slot may be written before `finish`: free again with the next request. */
  memoryOf(slot: Slot): Uint8Array {
    slot.memory ??= new Uint8Array(KEPT_UNASKED);
    return slot.memory;
  }

  /** The request of a slot has been answered; `reply` is kept if the client asked for it or it is small. */
  finish(slot: Slot, reply: Uint8Array | null): void {
    slot.busy = false;
    slot.reply = reply;
  }
}
