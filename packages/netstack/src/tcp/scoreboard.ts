import { RangeSet } from "./range-set.ts";
import { seqGt, seqLt, seqMax, seqMin } from "./seq.ts";

/** RFC 6675 §2. */
export const DUP_THRESH = 3;

/**
 * What the peer has told by SACK of the data in flight, and the questions of RFC 6675 §4 about it. `highRxt` and `rescueRxt` belong to the
 * recovery under way.
 */
export class Scoreboard {
  readonly #ranges = new RangeSet();
  /** Everything before it that is not SACKed is taken for lost (IsLost): the highest such sequence number, or SND.UNA. */
  lostBelow = 0;
  /** Highest sequence number retransmitted in this recovery, plus one. */
  highRxt = 0;
  /** The rescue retransmission waits until SND.UNA is beyond this. */
  rescueRxt = 0;

  get isEmpty(): boolean {
    return this.#ranges.count === 0;
  }

  get count(): number {
    return this.#ranges.count;
  }

  /** End of the highest SACKed range; call it only if there is one. */
  get highestSacked(): number {
    const ends = this.#ranges.ends;
    return ends[ends.length - 1]!;
  }

  /** Notes a SACK block that lies within SND.UNA … SND.MAX. Returns how many bytes were news. */
  sack(start: number, end: number): number {
    return this.#ranges.insert(start, end);
  }

  wouldAdd(start: number, end: number): boolean {
    return this.#ranges.wouldAdd(start, end);
  }

  acknowledge(sndUna: number): void {
    this.#ranges.trimBefore(sndUna);
    if (seqLt(this.lostBelow, sndUna)) this.lostBelow = sndUna;
    if (seqLt(this.highRxt, sndUna)) this.highRxt = sndUna;
  }

  clear(sndUna: number): void {
    this.#ranges.clear();
    this.lostBelow = sndUna;
    this.highRxt = sndUna;
  }

  isSacked(seq: number): boolean {
    return this.#ranges.contains(seq);
  }

  /**
   * Finds `lostBelow`: IsLost (RFC 6675 §4) holds for a hole when DupThresh SACKed ranges, or more than (DupThresh − 1) × SMSS SACKed bytes, lie above it.
   */
  update(sndUna: number, mss: number): void {
    const { starts, ends } = this.#ranges;
    let bytes = 0;
    let ranges = 0;
    this.lostBelow = sndUna;
    for (let i = starts.length - 1; i >= 0; i--) {
      ranges++;
      bytes += (ends[i]! - starts[i]!) | 0;
      if (ranges >= DUP_THRESH || bytes > (DUP_THRESH - 1) * mss) {
        this.lostBelow = starts[i]!;
        return;
      }
    }
  }

  /** SetPipe: an estimate of the bytes in the network, out of SND.UNA … SND.MAX. */
  pipe(sndUna: number, sndMax: number): number {
    const { starts, ends } = this.#ranges;
    let pipe = 0;
    let hole = sndUna;
    for (let i = 0; i < starts.length; i++) {
      pipe += this.#pipeOfHole(hole, starts[i]!);
      hole = ends[i]!;
    }
    return pipe + this.#pipeOfHole(hole, sndMax);
  }

  #pipeOfHole(start: number, end: number): number {
    if (!seqLt(start, end)) return 0;
    // Not lost: still under way.
    const notLost = (end - seqMax(start, seqMin(this.lostBelow, end))) | 0;
    // Sent again.
    const again = (seqMin(end, seqMax(this.highRxt, start)) - start) | 0;
    return Math.max(0, notLost) + Math.max(0, again);
  }

  /** Start of the first hole at or behind `seq` that lies before a SACKed range; `highestSacked` if there is none. */
  nextHole(seq: number): number {
    const { starts, ends } = this.#ranges;
    let at = seq;
    for (let i = this.#ranges.indexBehind(seq); i < starts.length; i++) {
      if (seqGt(starts[i]!, at)) return at;
      at = ends[i]!;
    }
    return at;
  }

  /** How far unSACKed space reaches that begins at `seq`, at most to `limit`. */
  holeEnd(seq: number, limit: number): number {
    const index = this.#ranges.indexBehind(seq);
    if (index === this.#ranges.count) return limit;
    return seqMin(this.#ranges.starts[index]!, limit);
  }

  /** End of the highest space that is not SACKed, out of SND.UNA … SND.MAX; SND.UNA if there is none. */
  lastHoleEnd(sndUna: number, sndMax: number): number {
    const { starts } = this.#ranges;
    if (starts.length === 0 || seqLt(this.highestSacked, sndMax)) return sndMax;
    return seqMax(starts[starts.length - 1]!, sndUna);
  }

  /** How many bytes before `seq` are SACKed. */
  sackedBefore(seq: number): number {
    const { starts, ends } = this.#ranges;
    let bytes = 0;
    for (let i = 0; i < starts.length && seqLt(starts[i]!, seq); i++) bytes += (seqMin(ends[i]!, seq) - starts[i]!) | 0;
    return bytes;
  }

  /** The ranges, for tests and for people. */
  ranges(): (readonly [number, number])[] {
    return this.#ranges.starts.map((start, i) => [start, this.#ranges.ends[i]!] as const);
  }
}
