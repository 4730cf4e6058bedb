import {
  type LOCK4args,
  type LOCK4denied,
  type locker4,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_DENIED,
  type nfs_lock_type4,
  type stateid4,
} from "@nfs4/protocol";
import { Compound, type Step } from "../protocol/compound.ts";
import type { OpenFile, OpenFileHome, SendCompound } from "./open-file.ts";
import { GONE, Outdated } from "./outdated.ts";
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

interface LockRequest {
  readonly compound: Compound;
  readonly step: Step<"LOCK">;
  /** The file's tenure, and whether it was still that when the answer came. */
  readonly sentIn: () => number;
  readonly isCurrent: () => boolean;
}

/** The byte-range locks of an open file, under one lock-owner. */
export class FileLocks {
  readonly #file: OpenFile;
  readonly #home: OpenFileHome;
  /** Of the lock-owner; its first lock counts as an operation of the open-owner, too (RFC 7530 §9.1.9, §16.10.5). */
  readonly #sequencer: Sequencer;
  /** What was locked, in its order, as the server was told. */
  #ranges: Range[] = [];
  #stateid: stateid4 | null = null;
  /** The server may know the lock-owner. */
  #ownerKnown = false;
  /** LOCKs that have not come to an end, though their callers may have given up. */
  readonly #underWay = new Set<Compound>();

  constructor(file: OpenFile, home: OpenFileHome) {
    this.#file = file;
    this.#home = home;
    this.#sequencer = new Sequencer(home.dialect.minorVersion === 0);
  }

  get held(): boolean {
    return this.#ranges.length > 0;
  }

  /** Null: nothing was ever locked. */
  get stateid(): stateid4 | null {
    return this.#stateid;
  }

  /**
   * Resolves to what is in the way, or null when the range is locked. The compound tells of other failures. If `send` gives up, what it comes to later is
   * unlocked again (RFC 7530 §9.7).
   */
  async lock(
    send: SendCompound,
    type: nfs_lock_type4,
    offset: bigint,
    length: bigint,
  ): Promise<{ readonly compound: Compound; readonly denied: LOCK4denied | null }> {
    const range = { type, offset, length };
    for (let again = true; ; again = false) {
      const added = this.#ranges.reduce((parts, held) => cut(parts, held.offset, held.length), [range]);
      const { compound, step, sentIn, isCurrent } = this.#request(range, false);
      this.#underWay.add(compound);
      try {
        await send(compound);
        this.#underWay.delete(compound);
      } catch (error) {
        void this.#undo(compound, step, added);
        throw error;
      }
      const { result } = step;
      if (result?.status === NFS4ERR_DENIED && "denied" in result) return { compound, denied: result.denied };
      const isOfNoUse = step.status === NFS4ERR_BAD_SEQID || (step.status !== undefined && GONE.has(step.status));
      if ((!isOfNoUse && isCurrent()) || !again) return { compound, denied: null };
      await this.#openAnew(sentIn());
    }
  }

  /** Resolves to the COMPOUND, which tells of failures; an empty one if the server has no lock of ours. */
  async unlock(send: SendCompound, offset: bigint, length: bigint): Promise<Compound> {
    if (this.#stateid === null) return new Compound("unlock");
    const compound = new Compound("unlock").putFh(this.#file.handle);
    let { tenure } = this.#file;
    const step = compound.op("LOCKU", () => {
      tenure = this.#file.tenure;
      if (this.#stateid === null) throw this.#file.lost ?? new Outdated();
      return { locktype: WRITE_LT, seqid: this.#sequencer.seqid, lock_stateid: this.#stateid, offset, length };
    });
    compound.turn = this.#file.turn;
    compound.whenAnswered = () => {
      if (this.#file.tenure !== tenure) return;
      this.#sequencer.answered(step.status);
      const { result } = step;
      if (!step.succeeded || result === undefined || !("lock_stateid" in result)) return;
      this.#stateid = result.lock_stateid;
      this.#ranges = cut(this.#ranges, offset, length);
    };
    try {
      await send(compound);
    } catch (error) {
      if (error instanceof Outdated) return new Compound("unlock");
      throw error;
    }
    if (step.status === NFS4ERR_BAD_SEQID) await this.#openAnew(tenure);
    return compound;
  }

  /** Resolves when there is nothing left of which it is not known whether it is locked. */
  async settled(): Promise<void> {
    for (const compound of [...this.#underWay]) await compound.settled;
  }

  /** The server holds none of them any more. */
  beginAnew(): void {
    this.#stateid = null;
    this.#ownerKnown = false;
    this.#sequencer.beginAnew();
  }

  /** After the server's restart. False: a lock is lost. */
  async reclaim(send: SendCompound): Promise<boolean> {
    for (const range of this.#ranges) {
      const { compound, step } = this.#request(range, true);
      await send(compound);
      if (!step.succeeded) return false;
    }
    return true;
  }

  /** 4.0, once the file is closed: the server can forget the lock-owner (RFC 7530 §16.37). That it does is not needed. */
  async release(send: SendCompound): Promise<void> {
    if (!this.#ownerKnown || this.#home.dialect.minorVersion > 0) return;
    const { owner, tenure } = this.#file;
    const compound = new Compound("release lock-owner");
    compound.op("RELEASE_LOCKOWNER", () => {
      if (this.#file.tenure !== tenure) throw new Outdated();
      return { lock_owner: { clientid: this.#home.dialect.clientId, owner } };
    });
    await send(compound).catch(() => undefined);
  }

  #request(range: Range, reclaim: boolean): LockRequest {
    const compound = new Compound("lock").putFh(this.#file.handle);
    const { type, offset, length } = range;
    let { tenure } = this.#file;
    let isFirst = false;
    let isCurrent = false;
    const step = compound.op("LOCK", (): LOCK4args => {
      if (this.#file.lost !== null) throw this.#file.lost;
      tenure = this.#file.tenure;
      isFirst = this.#stateid === null;
      this.#ownerKnown = true;
      return { locktype: type, reclaim, offset, length, locker: this.#locker() };
    });
    compound.turn = this.#file.turn;
    compound.whenAnswered = () => {
      isCurrent = this.#file.tenure === tenure;
      if (!isCurrent) return;
      if (isFirst) this.#file.sequencer.answered(step.status);
      this.#sequencer.answered(step.status);
      if (!step.succeeded) return;
      this.#stateid = step.body.lock_stateid;
      if (!reclaim) this.#ranges.push(range);
    };
    return { compound, step, sentIn: () => tenure, isCurrent: () => isCurrent };
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
        lock_owner: { clientid: this.#home.dialect.clientId, owner: this.#file.owner },
      },
    };
  }

  async #undo(compound: Compound, step: Step<"LOCK">, added: readonly Range[]): Promise<void> {
    await compound.settled;
    this.#underWay.delete(compound);
    if (!step.succeeded) return;
    for (const { offset, length } of added)
      await this.unlock((one) => this.#home.attempt(one), offset, length).catch(() => undefined);
  }

  /**
   * The open is gone; or it is NFS4ERR_BAD_SEQID: the server counts otherwise, and no number is sure not to be taken for a retry of something older. So the
   * file is opened again, in 4.0 under owners that the server does not know; what was locked under the old ones is lost to us.
   */
  async #openAnew(tenure: number): Promise<void> {
    await this.#home.reopen(this.#file, tenure);
    if (this.#file.lost !== null) throw this.#file.lost;
  }
}

/** What is left of ranges when another was unlocked. */
function cut(ranges: readonly Range[], offset: bigint, length: bigint): Range[] {
  return ranges.flatMap((range) => without(range, offset, length));
}

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
