import { type CalloutEntry, IN_HEAP, NOWHERE } from "./callout-entry.ts";

/** Those callouts whose bucket has come up, ordered by what they are filed under, then by arming: a binary heap that knows where each is. */
export class DueHeap {
  readonly #entries: CalloutEntry[] = [];

  get top(): CalloutEntry | undefined {
    return this.#entries[0];
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Files the entry under its present deadline. */
  push(entry: CalloutEntry): void {
    entry.place = IN_HEAP;
    entry.key = entry.deadline;
    entry.keyArming = entry.arming;
    this.#rise(entry, this.#entries.length);
  }

  remove(entry: CalloutEntry): void {
    const hole = entry.heapIndex;
    const last = this.#entries.pop() as CalloutEntry;
    if (last !== entry) {
      this.#rise(last, hole);
      if (last.heapIndex === hole) this.#sink(last, hole);
    }
    entry.place = NOWHERE;
    entry.key = Number.NaN;
  }

  *[Symbol.iterator](): IterableIterator<CalloutEntry> {
    yield* this.#entries;
  }

  #rise(entry: CalloutEntry, from: number): void {
    const entries = this.#entries;
    let hole = from;
    while (hole > 0) {
      const above = (hole - 1) >>> 1;
      const parent = entries[above] as CalloutEntry;
      if (!isBefore(entry, parent)) break;
      entries[hole] = parent;
      parent.heapIndex = hole;
      hole = above;
    }
    entries[hole] = entry;
    entry.heapIndex = hole;
  }

  #sink(entry: CalloutEntry, from: number): void {
    const entries = this.#entries;
    const size = entries.length;
    let hole = from;
    for (;;) {
      let below = 2 * hole + 1;
      if (below >= size) break;
      let child = entries[below] as CalloutEntry;
      const sibling = entries[below + 1];
      if (sibling !== undefined && isBefore(sibling, child)) {
        child = sibling;
        below++;
      }
      if (!isBefore(child, entry)) break;
      entries[hole] = child;
      child.heapIndex = hole;
      hole = below;
    }
    entries[hole] = entry;
    entry.heapIndex = hole;
  }
}

function isBefore(a: CalloutEntry, b: CalloutEntry): boolean {
  return a.key < b.key || (a.key === b.key && a.keyArming < b.keyArming);
}
