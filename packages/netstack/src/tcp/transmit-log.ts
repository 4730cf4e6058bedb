import { seqGt, seqLt, seqMax } from "./seq.ts";

/** What may be true of a run: bits of `TransmitLog.flags`. */
export const SACKED = 1;
/** Taken for lost, and not sent again yet. */
export const LOST = 2;
/** Sent more than once. */
export const RETRANSMITTED = 4;
/** Sent while the application, not the network, was the limit. */
export const APP_LIMITED = 8;
/** Counted as delivered: SACKed now, or before the SACKs were forgotten. */
export const DELIVERED = 16;

/** Runs at most; what is sent beyond counts to the last one. A user who writes that many single bytes pays more for the slices. */
const MOST_RUNS = 65_536;
const FEWEST_RUNS = 16;

/** What a transmission takes note of: the connection's counts of delivery at that time (bytes, and µs of uptime). */
export interface DeliveryCounts {
  readonly delivered: number;
  readonly deliveredAt: number;
  readonly firstSentAt: number;
  /** Bytes ever taken for lost. */
  readonly lost: number;
  /** Not 0: the application is the limit until so many bytes are delivered. */
  readonly appLimitedUntil: number;
}

/**
 * What is in flight, SND.UNA … SND.MAX without a gap, as runs of sequence space that were sent at the same time and have the same history: a burst or
 * a super-segment is one run, which splits when a part of it is acknowledged, SACKed or sent again; SACKed runs side by side are one. Columns of typed
 * arrays, the runs at indices `first` to `end` in the order of their sequence numbers: nothing is allocated for a segment, and the arrays grow by doubling.
 *
 * An index holds until the next call that adds, splits or removes runs.
 */
export class TransmitLog {
  first = 0;
  end = 0;
  starts: Uint32Array<ArrayBuffer> = new Uint32Array(FEWEST_RUNS);
  ends: Uint32Array<ArrayBuffer> = new Uint32Array(FEWEST_RUNS);
  flags: Uint8Array<ArrayBuffer> = new Uint8Array(FEWEST_RUNS);
  /** µs of uptime of the last transmission. */
  sentAt: Float64Array<ArrayBuffer> = new Float64Array(FEWEST_RUNS);
  /** The connection's counts when it was last sent (`DeliveryCounts`). */
  delivered: Float64Array<ArrayBuffer> = new Float64Array(FEWEST_RUNS);
  deliveredAt: Float64Array<ArrayBuffer> = new Float64Array(FEWEST_RUNS);
  firstSentAt: Float64Array<ArrayBuffer> = new Float64Array(FEWEST_RUNS);
  lost: Float64Array<ArrayBuffer> = new Float64Array(FEWEST_RUNS);
  /** Bytes in the network right behind its last transmission, itself included. */
  inFlight: Uint32Array<ArrayBuffer> = new Uint32Array(FEWEST_RUNS);
  /** Bytes SACKed, and runs of them; bytes taken for lost that were not sent again yet. */
  sackedBytes = 0;
  sackedRuns = 0;
  lostBytes = 0;
  /** End of the highest sequence space that was sent more than once: beyond it runs lie in the order in which they were sent. */
  resentUpTo = 0;
  /** Before it nothing is lost. */
  #lostFrom = 0;
  #columns: (Uint32Array | Uint8Array | Float64Array)[] = this.#allColumns();

  get count(): number {
    return this.end - this.first;
  }

  get isEmpty(): boolean {
    return this.end === this.first;
  }

  /** Bytes thought to be in the network: neither SACKed nor lost. */
  get pipe(): number {
    if (this.end === this.first) return 0;
    return ((this.ends[this.end - 1]! - this.starts[this.first]!) >>> 0) - this.sackedBytes - this.lostBytes;
  }

  /** What of the connection's sequence space this run is, in bytes. */
  lengthOf(index: number): number {
    return (this.ends[index]! - this.starts[index]!) >>> 0;
  }

  /** Index of the run that `seq` lies in or before; `end` if all end before it. */
  indexAt(seq: number): number {
    const { ends } = this;
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqGt(ends[middle]!, seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** `start … end)` was sent for the first time; it follows what is here already. */
  append(start: number, end: number, now: number, counts: DeliveryCounts): void {
    const last = this.end - 1;
    if (this.isEmpty) this.resentUpTo = start;
    const flags = counts.appLimitedUntil === 0 ? 0 : APP_LIMITED;
    const joins =
      last >= this.first &&
      ((this.sentAt[last] === now && this.flags[last] === flags && this.delivered[last] === counts.delivered) ||
        this.count >= MOST_RUNS);
    if (joins) {
      this.ends[last] = end;
      this.#setFlags(last, flags);
      this.#stamp(last, now, counts);
      return;
    }
    this.#reserve(1);
    const index = this.end++;
    this.starts[index] = start;
    this.ends[index] = end;
    this.flags[index] = flags;
    this.#stamp(index, now, counts);
  }

  /** What of `start … end)` is here and not SACKed was sent once more. */
  resent(start: number, end: number, now: number, counts: DeliveryCounts): void {
    const flags = RETRANSMITTED | (counts.appLimitedUntil === 0 ? 0 : APP_LIMITED);
    this.resentUpTo = seqMax(this.resentUpTo, end);
    let index = this.indexAt(start);
    for (; index < this.end && seqLt(this.starts[index]!, end); index++) {
      if ((this.flags[index]! & SACKED) !== 0) continue;
      index = this.isolate(index, start, end);
      this.#setFlags(index, flags);
      this.#stamp(index, now, counts);
      if (this.#joinsPrevious(index)) index = this.#join(index);
    }
  }

  /**
   * Cuts what of a run lies within `start … end)` out of it, of which there must be something; returns the index of that. Indices had before hold no
   * longer.
   */
  isolate(index: number, start: number, end: number): number {
    let at = index - this.#reserve(2);
    if (seqLt(this.starts[at]!, start)) this.#split(at++, start);
    if (seqGt(this.ends[at]!, end)) this.#split(at, end);
    return at;
  }

  /** Marks a whole run as SACKed and delivered; one that was lost is so no more. Returns the index of the run that it is part of now. */
  markSacked(index: number): number {
    this.#setFlags(index, (this.flags[index]! & ~LOST) | SACKED | DELIVERED);
    let at = index;
    if (at > this.first && (this.flags[at - 1]! & SACKED) !== 0) at = this.#join(at);
    if (at + 1 < this.end && (this.flags[at + 1]! & SACKED) !== 0) this.#join(at + 1);
    return at;
  }

  /** Takes a whole run for lost. It must not be SACKed. */
  markLost(index: number): void {
    const start = this.starts[index]!;
    if (this.lostBytes === 0 || seqLt(start, this.#lostFrom)) this.#lostFrom = start;
    this.#setFlags(index, this.flags[index]! | LOST);
  }

  /** What was lost, is not. */
  forgetLosses(): void {
    for (let i = this.first; i < this.end && this.lostBytes > 0; i++) this.#setFlags(i, this.flags[i]! & ~LOST);
  }

  /** Index of the first run that is lost, of which there must be one. */
  firstLost(): number {
    let index = this.indexAt(this.#lostFrom);
    while ((this.flags[index]! & LOST) === 0) index++;
    this.#lostFrom = this.starts[index]!;
    return index;
  }

  /** Where what is lost ends that begins with this run. */
  lostEnd(index: number): number {
    let last = index;
    while (last + 1 < this.end && (this.flags[last + 1]! & LOST) !== 0) last++;
    return this.ends[last]!;
  }

  /** Index of the highest SACKed run; −1: nothing is SACKed. */
  highestSacked(): number {
    if (this.sackedRuns === 0) return -1;
    let index = this.end - 1;
    while ((this.flags[index]! & SACKED) === 0) index--;
    return index;
  }

  /** Everything is as if the peer had SACKed nothing (RFC 2018 §8). */
  forgetSacks(): void {
    if (this.sackedRuns === 0) return;
    for (let i = this.first; i < this.end; i++) this.#setFlags(i, this.flags[i]! & ~SACKED);
  }

  /** Removes the first run, all of which is acknowledged. */
  removeFirst(): void {
    this.#setFlags(this.first, 0);
    this.first++;
    if (this.first === this.end) this.clear();
  }

  clear(): void {
    this.first = 0;
    this.end = 0;
    this.sackedBytes = 0;
    this.sackedRuns = 0;
    this.lostBytes = 0;
  }

  #setFlags(index: number, flags: number): void {
    const changed = this.flags[index]! ^ flags;
    if ((changed & SACKED) !== 0) {
      const sign = (flags & SACKED) !== 0 ? 1 : -1;
      this.sackedBytes += sign * this.lengthOf(index);
      this.sackedRuns += sign;
    }
    if ((changed & LOST) !== 0) this.lostBytes += (flags & LOST) !== 0 ? this.lengthOf(index) : -this.lengthOf(index);
    this.flags[index] = flags;
  }

  #stamp(index: number, now: number, counts: DeliveryCounts): void {
    this.sentAt[index] = now;
    this.delivered[index] = counts.delivered;
    this.deliveredAt[index] = counts.deliveredAt;
    this.firstSentAt[index] = counts.firstSentAt;
    this.lost[index] = counts.lost;
    this.inFlight[index] = this.pipe;
  }

  #split(index: number, seq: number): void {
    const to = index + 1;
    for (const column of this.#columns) column.copyWithin(to, index, this.end);
    this.end++;
    this.ends[index] = seq;
    this.starts[to] = seq;
    if ((this.flags[index]! & SACKED) !== 0) this.sackedRuns++;
  }

  /** Whether a run and the one before it have the same history. */
  #joinsPrevious(index: number): boolean {
    const before = index - 1;
    return (
      before >= this.first &&
      this.flags[before] === this.flags[index] &&
      this.sentAt[before] === this.sentAt[index] &&
      this.delivered[before] === this.delivered[index]
    );
  }

  /** Makes a run and the one before it one, as old as the older; returns its index. */
  #join(index: number): number {
    const into = index - 1;
    const { flags, sentAt } = this;
    if (sentAt[index]! < sentAt[into]!) sentAt[into] = sentAt[index]!;
    if ((flags[index]! & SACKED) !== 0) this.sackedRuns--;
    flags[into]! |= flags[index]!;
    this.ends[into] = this.ends[index]!;
    for (const column of this.#columns) column.copyWithin(index, index + 1, this.end);
    this.end--;
    return into;
  }

  /** Makes sure that so many runs more find room. Returns by how much all indices have become smaller. */
  #reserve(runs: number): number {
    const capacity = this.starts.length;
    if (this.end + runs <= capacity) return 0;
    const shift = this.first;
    const grown = shift >= capacity >> 1 ? capacity : 2 * capacity;
    if (grown !== capacity) {
      this.starts = enlarged(this.starts, new Uint32Array(grown));
      this.ends = enlarged(this.ends, new Uint32Array(grown));
      this.flags = enlarged(this.flags, new Uint8Array(grown));
      this.sentAt = enlarged(this.sentAt, new Float64Array(grown));
      this.delivered = enlarged(this.delivered, new Float64Array(grown));
      this.deliveredAt = enlarged(this.deliveredAt, new Float64Array(grown));
      this.firstSentAt = enlarged(this.firstSentAt, new Float64Array(grown));
      this.lost = enlarged(this.lost, new Float64Array(grown));
      this.inFlight = enlarged(this.inFlight, new Uint32Array(grown));
      this.#columns = this.#allColumns();
    }
    if (shift > 0) for (const column of this.#columns) column.copyWithin(0, shift, this.end);
    this.first = 0;
    this.end -= shift;
    return shift;
  }

  #allColumns(): (Uint32Array | Uint8Array | Float64Array)[] {
    const { starts, ends, flags, sentAt, delivered, deliveredAt, firstSentAt, lost, inFlight } = this;
    return [starts, ends, flags, sentAt, delivered, deliveredAt, firstSentAt, lost, inFlight];
  }
}

function enlarged<T extends Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
