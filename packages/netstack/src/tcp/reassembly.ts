import { RangeSet } from "./range-set.ts";
import { seqGe, seqLe, seqLt, seqMax, seqMin } from "./seq.ts";

/**
 * Which sequence numbers beyond RCV.NXT have come already. Their bytes stand in the receive buffer; this knows where, and makes the SACK blocks
 * (RFC 2018 §4): first the block that holds the latest segment, then the others, latest first.
 */
export class Reassembly {
  readonly #ranges = new RangeSet();
  /** The blocks that `selectBlocks` chose. */
  readonly blockStarts: number[] = [];
  readonly blockEnds: number[] = [];

  /** What came twice, to be told once (RFC 2883): empty if the two are the same. */
  duplicateStart = 0;
  duplicateEnd = 0;

  get isEmpty(): boolean {
    return this.#ranges.count === 0;
  }

  get count(): number {
    return this.#ranges.count;
  }

  /** Notes `start … end)`. Returns how many of its bytes are new, or −1 if that would make more than `limit` ranges. */
  insert(start: number, end: number, limit: number): number {
    if (this.#ranges.count >= limit && this.#ranges.wouldAdd(start, end)) return -1;
    return this.#ranges.insert(start, end);
  }

  /** The first part of `start … end)` that has come before, as [start, end); null: none. */
  overlap(start: number, end: number): readonly [number, number] | null {
    const { starts, ends } = this.#ranges;
    for (let i = 0; i < starts.length; i++) {
      const from = seqMax(starts[i]!, start);
      const to = seqMin(ends[i]!, end);
      if (seqLt(from, to)) return [from, to];
    }
    return null;
  }

  /** In-order data now reaches to `rcvNxt`: removes what that meets, and returns how far it reaches then. */
  advance(rcvNxt: number): number {
    const ranges = this.#ranges;
    let reach = rcvNxt;
    let gone = 0;
    while (gone < ranges.count && seqLe(ranges.starts[gone]!, reach)) {
      const end = ranges.ends[gone]!;
      if (!seqLe(end, reach)) reach = end;
      gone++;
    }
    if (gone > 0) ranges.removeFirst(gone);
    return reach;
  }

  get hasDuplicate(): boolean {
    return this.duplicateStart !== this.duplicateEnd;
  }

  /** How many blocks there are to tell of. */
  get blocks(): number {
    return this.#ranges.count + (this.hasDuplicate ? 1 : 0);
  }

  /** `start … end)` came once more. What is told of is the last, with what it is adjacent to. */
  noteDuplicate(start: number, end: number): void {
    if (this.hasDuplicate && start === this.duplicateEnd) {
      this.duplicateEnd = end;
      return;
    }
    this.duplicateStart = start;
    this.duplicateEnd = end;
  }

  /** Notes as a duplicate what of `start … end)` has come already, if anything. */
  noteOverlap(start: number, end: number): void {
    const { starts, ends } = this.#ranges;
    const index = this.#ranges.indexBehind(start);
    if (index === starts.length || seqGe(starts[index]!, end)) return;
    this.noteDuplicate(seqMax(start, starts[index]!), seqMin(end, ends[index]!));
  }

  /** Chooses at most `most` blocks into `blockStarts` and `blockEnds`, of which a duplicate is the first; returns how many. */
  selectBlocks(most: number): number {
    const { starts, ends, stamps } = this.#ranges;
    const first = this.hasDuplicate && most > 0 ? 1 : 0;
    if (first === 1) {
      this.blockStarts[0] = this.duplicateStart;
      this.blockEnds[0] = this.duplicateEnd;
      this.duplicateStart = this.duplicateEnd;
    }
    const count = Math.min(most, starts.length + first);
    let below = Number.POSITIVE_INFINITY;
    for (let i = first; i < count; i++) {
      let best = -1;
      let bestStamp = -1;
      for (let j = 0; j < stamps.length; j++) {
        const stamp = stamps[j]!;
        if (stamp < below && stamp > bestStamp) {
          best = j;
          bestStamp = stamp;
        }
      }
      this.blockStarts[i] = starts[best]!;
      this.blockEnds[i] = ends[best]!;
      below = bestStamp;
    }
    return count;
  }

  clear(): void {
    this.duplicateStart = this.duplicateEnd;
    this.#ranges.clear();
  }
}
