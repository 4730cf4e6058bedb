/** The bytes of one file in memory, in pages; a page that was never written is a hole and takes nothing. */

export const PAGE_SIZE: number = 64 * 1024;

/** Counts the pages of all files of a file system. */
export interface PageBudget {
  /** True if one more page may be taken; it is then counted. */
  take(): boolean;
  give(pages: number): void;
}

export class PageStore {
  readonly #budget: PageBudget;
  readonly #pages: Map<number, Uint8Array> = new Map();
  #size = 0;

  constructor(budget: PageBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#size;
  }

  get bytesUsed(): number {
    return this.#pages.size * PAGE_SIZE;
  }

  /** Fills `into` from `offset` and returns how many bytes the file had for it. */
  read(offset: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.#size - offset));
    for (let done = 0; done < count; ) {
      const at = offset + done;
      const within = at % PAGE_SIZE;
      const length = Math.min(PAGE_SIZE - within, count - done);
      const page = this.#pages.get(Math.floor(at / PAGE_SIZE));
      if (page) into.set(within === 0 && length === PAGE_SIZE ? page : page.subarray(within, within + length), done);
      else into.fill(0, done, done + length);
      done += length;
    }
    return count;
  }

  /** Returns how many bytes were written: fewer than given when the budget is used up. */
  write(offset: number, data: Uint8Array): number {
    let done = 0;
    while (done < data.length) {
      const at = offset + done;
      const within = at % PAGE_SIZE;
      const length = Math.min(PAGE_SIZE - within, data.length - done);
      const page = this.#page(Math.floor(at / PAGE_SIZE));
      if (!page) break;
      page.set(data.subarray(done, done + length), within);
      done += length;
    }
    if (done > 0 && offset + done > this.#size) this.#size = offset + done;
    return done;
  }

  #page(index: number): Uint8Array | null {
    let page = this.#pages.get(index);
    if (!page) {
      if (!this.#budget.take()) return null;
      page = new Uint8Array(PAGE_SIZE);
      this.#pages.set(index, page);
    }
    return page;
  }

  /** Cuts or extends; what is added reads as zeros. */
  truncate(size: number): void {
    if (size < this.#size) {
      this.#drop(Math.ceil(size / PAGE_SIZE), Number.POSITIVE_INFINITY);
      const within = size % PAGE_SIZE;
      if (within > 0) this.#pages.get(Math.floor(size / PAGE_SIZE))?.fill(0, within);
    }
    this.#size = size;
  }

  /** Takes pages for a range, as fallocate(2), and extends the file to its end. False if the budget has too few. */
  allocate(offset: number, length: number): boolean {
    if (length === 0) return true;
    const last = Math.floor((offset + length - 1) / PAGE_SIZE);
    for (let index = Math.floor(offset / PAGE_SIZE); index <= last; index++) if (!this.#page(index)) return false;
    this.#size = Math.max(this.#size, offset + length);
    return true;
  }

  /** Makes a hole: whole pages are given back, the rest becomes zeros. The size stays. */
  deallocate(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    if (end <= offset) return;
    const firstWhole = Math.ceil(offset / PAGE_SIZE);
    const endWhole = end === this.#size ? Math.ceil(end / PAGE_SIZE) : Math.floor(end / PAGE_SIZE);
    this.#drop(firstWhole, endWhole);
    if (firstWhole * PAGE_SIZE > offset) this.#zero(offset, Math.min(end, firstWhole * PAGE_SIZE));
    if (endWhole * PAGE_SIZE < end && endWhole >= firstWhole) this.#zero(endWhole * PAGE_SIZE, end);
  }

  /** The next byte at or after `offset` (below the size) that is in a page, or in a hole; the end of the file is a hole. Null: none. */
  seek(offset: number, what: "data" | "hole"): number | null {
    const lastPage = Math.ceil(this.#size / PAGE_SIZE);
    for (let index = Math.floor(offset / PAGE_SIZE); index < lastPage; index++) {
      if (this.#pages.has(index) === (what === "data")) return Math.max(offset, index * PAGE_SIZE);
    }
    return what === "hole" ? this.#size : null;
  }

  /** Gives all memory back. */
  clear(): void {
    this.#drop(0, Number.POSITIVE_INFINITY);
    this.#size = 0;
  }

  #zero(from: number, to: number): void {
    const index = Math.floor(from / PAGE_SIZE);
    this.#pages.get(index)?.fill(0, from - index * PAGE_SIZE, to - index * PAGE_SIZE);
  }

  #drop(from: number, to: number): void {
    let dropped = 0;
    for (const index of [...this.#pages.keys()]) {
      if (index >= from && index < to && this.#pages.delete(index)) dropped++;
    }
    this.#budget.give(dropped);
  }
}
