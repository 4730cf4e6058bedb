import { seqGt, seqLt, seqMax } from "./seq.ts";

/**
 * Disjoint, non-adjacent ranges of sequence space in order, `starts[i] … ends[i])`, each with the number of the insertion that touched it last. All of
 * them must lie within 2^31 of each other.
 */
export class RangeSet {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly stamps: number[] = [];
  #stamp = 0;

  get count(): number {
    return this.starts.length;
  }

  /** Index of the first range that ends behind `seq`; `count` if there is none. */
  indexBehind(seq: number): number {
    const ends = this.ends;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqGt(ends[middle]!, seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  contains(seq: number): boolean {
    const index = this.indexBehind(seq);
    return index < this.starts.length && !seqGt(this.starts[index]!, seq);
  }

  /** Adds `start … end)`, uniting what it touches. Returns how many of its numbers were new. */
  insert(start: number, end: number): number {
    const { starts, ends, stamps } = this;
    const stamp = ++this.#stamp;
    // The first range that ends at `start` or behind: it may be adjacent.
    const first = this.indexBehind((start - 1) >>> 0);
    let last = first;
    let covered = 0;
    let unitedStart = start;
    let unitedEnd = end;
    while (last < starts.length && !seqGt(starts[last]!, end)) {
      const rangeStart = starts[last]!;
      const rangeEnd = ends[last]!;
      const from = seqMax(rangeStart, start);
      const overlap = ((seqLt(rangeEnd, end) ? rangeEnd : end) - from) | 0;
      if (overlap > 0) covered += overlap;
      if (seqLt(rangeStart, unitedStart)) unitedStart = rangeStart;
      if (seqGt(rangeEnd, unitedEnd)) unitedEnd = rangeEnd;
      last++;
    }
    if (last === first + 1) {
      starts[first] = unitedStart;
      ends[first] = unitedEnd;
      stamps[first] = stamp;
    } else {
      starts.splice(first, last - first, unitedStart);
      ends.splice(first, last - first, unitedEnd);
      stamps.splice(first, last - first, stamp);
    }
    return ((end - start) | 0) - covered;
  }

  /** True if `insert(start, end)` would make one range more. */
  wouldAdd(start: number, end: number): boolean {
    const index = this.indexBehind((start - 1) >>> 0);
    return index === this.starts.length || seqGt(this.starts[index]!, end);
  }

  /** Drops everything before `seq`. */
  trimBefore(seq: number): void {
    const gone = this.indexBehind(seq);
    if (gone > 0) this.removeFirst(gone);
    if (this.starts.length > 0 && seqLt(this.starts[0]!, seq)) this.starts[0] = seq;
  }

  removeFirst(count: number): void {
    this.starts.splice(0, count);
    this.ends.splice(0, count);
    this.stamps.splice(0, count);
  }

  clear(): void {
    this.starts.length = 0;
    this.ends.length = 0;
    this.stamps.length = 0;
  }
}
