import {
  NFS4ERR_BAD_SEQID,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_BADXDR,
  NFS4ERR_MOVED,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_RESOURCE,
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_STALE_STATEID,
} from "@nfs4/protocol";

/** After these an owner's number does not move on (RFC 7530 §9.1.7). */
const STAY: ReadonlySet<number> = new Set([
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_STALE_STATEID,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_BADXDR,
  NFS4ERR_RESOURCE,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_MOVED,
]);

/** The operations of a state owner: in 4.0 one at a time, each with the next number; since 4.1 as they come, all with 0. */
export class Sequencer {
  readonly #counts: boolean;
  #next = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** `counts`: 4.0. */
  constructor(counts: boolean) {
    this.#counts = counts;
  }

  /** The number for the operation that is being run. */
  get seqid(): number {
    return this.#next;
  }

  /** Runs `task`, which resolves to the status of its operation with a number; undefined: that was not reached. */
  run(task: () => Promise<number | undefined>): Promise<void> {
    if (!this.#counts) return task().then(() => undefined);
    const run = this.#last.then(async () => {
      const status = await task();
      this.noteStatus(status);
    });
    this.#last = run.catch(() => undefined);
    return run;
  }

  noteStatus(status: number | undefined): void {
    if (this.#counts && status !== undefined && !STAY.has(status)) this.#next = (this.#next + 1) >>> 0;
  }
}
