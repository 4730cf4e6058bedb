import {
  type LOCK4args,
  type LOCK4denied,
  type locker4,
  NFS4ERR_DENIED,
  type nfs_lock_type4,
  type stateid4,
} from "@nfs4/protocol";
import { Compound, type Step } from "../protocol/compound.ts";
import type { Dialect } from "../protocol/dialect.ts";
import type { OpenFile, SendCompound } from "./open-file.ts";
import { Sequencer } from "./sequencer.ts";

export const READ_LT = 1;
export const WRITE_LT = 2;
/** A length that reaches to the end, however far that moves. */
export const TO_END: bigint = 2n ** 64n - 1n;

interface Range {
  readonly type: nfs_lock_type4;
  readonly offset: bigint;
  readonly length: bigint;
}

/** The byte-range locks of an open file, under one lock-owner. */
export class FileLocks {
  readonly #file: OpenFile;
  readonly #dialect: Dialect;
  readonly #owner: Uint8Array;
  readonly #sequencer: Sequencer;
  /** What was locked, in its order, as the server was told. */
  #ranges: Range[] = [];
  #stateid: stateid4 | null = null;

  constructor(file: OpenFile, dialect: Dialect, owner: Uint8Array) {
    this.#file = file;
    this.#dialect = dialect;
    this.#owner = owner;
    this.#sequencer = new Sequencer(dialect.minorVersion === 0);
  }

  get held(): boolean {
    return this.#ranges.length > 0;
  }

  /** Null: nothing was ever locked. */
  get stateid(): stateid4 | null {
    return this.#stateid;
  }

  /** Resolves to what is in the way, or null when the range is locked. The compound tells of other failures. */
  async lock(
    send: SendCompound,
    type: nfs_lock_type4,
    offset: bigint,
    length: bigint,
  ): Promise<{ readonly compound: Compound; readonly denied: LOCK4denied | null }> {
    const range = { type, offset, length };
    const { compound, step } = await this.#request(send, range, false);
    const result = step.result;
    if (result?.status === NFS4ERR_DENIED && "denied" in result) return { compound, denied: result.denied };
    if (step.succeeded) this.#ranges.push(range);
    return { compound, denied: null };
  }

  async unlock(send: SendCompound, offset: bigint, length: bigint): Promise<Compound> {
    const compound = new Compound("unlock").putFh(this.#file.handle);
    if (this.#stateid === null) return compound;
    const step = compound.op("LOCKU", () => ({
      locktype: WRITE_LT,
      seqid: this.#sequencer.seqid,
      lock_stateid: this.#stateid!,
      offset,
      length,
    }));
    await this.#sequencer.run(async () => {
      await send(compound);
      return step.status;
    });
    const { result } = step;
    if (step.succeeded && result !== undefined && "lock_stateid" in result) this.#stateid = result.lock_stateid;
    if (step.succeeded) this.#ranges = this.#ranges.flatMap((range) => without(range, offset, length));
    return compound;
  }

  /** After the server's restart. False: a lock is lost. */
  async reclaim(send: SendCompound): Promise<boolean> {
    this.#stateid = null;
    for (const range of this.#ranges) {
      const { step } = await this.#request(send, range, true);
      if (!step.succeeded) return false;
    }
    return true;
  }

  async #request(
    send: SendCompound,
    range: Range,
    reclaim: boolean,
  ): Promise<{ readonly compound: Compound; readonly step: Step<"LOCK"> }> {
    const compound = new Compound("lock").putFh(this.#file.handle);
    const { type, offset, length } = range;
    const step = compound.op(
      "LOCK",
      (): LOCK4args => ({ locktype: type, reclaim, offset, length, locker: this.#locker() }),
    );
    const first = this.#stateid === null;
    const run = (): Promise<void> =>
      this.#sequencer.run(async () => {
        await send(compound);
        return step.status;
      });
    // The first lock counts as an operation of the open-owner, too.
    if (first)
      await this.#file.sequencer.run(async () => {
        await run();
        return step.status;
      });
    else await run();
    if (step.succeeded) this.#stateid = step.body.lock_stateid;
    return { compound, step };
  }

  #locker(): locker4 {
    const lock_seqid = this.#sequencer.seqid;
    if (this.#stateid !== null)
      return { new_lock_owner: false, lock_owner: { lock_stateid: this.#stateid, lock_seqid } };
    return {
      new_lock_owner: true,
      open_owner: {
        open_seqid: this.#file.sequencer.seqid,
        open_stateid: this.#file.stateid,
        lock_seqid,
        lock_owner: { clientid: this.#dialect.clientId, owner: this.#owner },
      },
    };
  }
}

/** What is left of a range when another was unlocked. */
function without(range: Range, offset: bigint, length: bigint): Range[] {
  const end = endOf(range.offset, range.length);
  const gap = endOf(offset, length);
  if (gap <= range.offset || offset >= end) return [range];
  const left: Range[] = [];
  if (offset > range.offset) left.push({ ...range, length: offset - range.offset });
  if (gap < end) left.push({ ...range, offset: gap, length: range.length === TO_END ? TO_END : end - gap });
  return left;
}

/** One beyond the last byte. */
function endOf(offset: bigint, length: bigint): bigint {
  return length === TO_END ? 2n ** 64n : offset + length;
}
