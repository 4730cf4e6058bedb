import { RangeSet } from "./range-set.ts";
import { seqLe } from "./seq.ts";

/**
 * Which sequence numbers beyond RCV.NXT have come already. Their bytes stand in the receive buffer; this knows where, and makes the SACK blocks
 * (RFC 2018 §4): first the block that holds the latest segment, then the others, latest first.
 */
export class Reassembly {
  readonly #ranges = new RangeSet();
  /** The blocks that `selectBlocks` chose. */
  readonly blockStarts: number[] = [];
  readonly blockEnds: number[] = [];

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

  /** Chooses at most `most` blocks into `blockStarts` and `blockEnds`; returns how many. */
  selectBlocks(most: number): number {
    const { starts, ends, stamps } = this.#ranges;
    const count = Math.min(most, starts.length);
    let below = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
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
    this.#ranges.clear();
  }
}
