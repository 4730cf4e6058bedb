import { keepsSeqid, NFS4_UINT32_MAX } from "@nfs4/protocol";

/**
 * The numbers of a state-owner's operations: in 4.0 each answer moves them on, also one that makes the operation go again; what goes again for want of an
 * answer keeps its own. Since 4.1 all are 0.
 */
export class Sequencer {
  readonly #counts: boolean;
  #next: number;

  /** `counts`: 4.0. */
  constructor(counts: boolean) {
    this.#counts = counts;
    this.#next = counts ? 1 : 0;
  }

  /** Of the operation that is to be sent, or waits for its answer. */
  get seqid(): number {
    return this.#next;
  }

  /** That operation was answered so; undefined: it was not reached. */
  answered(status: number | undefined): void {
    if (!this.#counts || status === undefined || keepsSeqid(status)) return;
    this.#next = seqidAfter(this.#next);
  }

  /** For an owner that the server does not know yet. */
  beginAnew(): void {
    if (this.#counts) this.#next = 1;
  }
}

/** None is 0 (RFC 7530 §9.1.3, §9.1.11). */
export function seqidAfter(seqid: number): number {
  return seqid === NFS4_UINT32_MAX ? 1 : seqid + 1;
}
