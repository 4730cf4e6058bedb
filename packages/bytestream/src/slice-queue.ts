import type { Slice } from "./types.ts";

/** Slices that wait, by reference, in order, with each released exactly once: when the last of its bytes is consumed, or by `releaseAll`. */
export class SliceQueue {
  #slices: (Slice | undefined)[] = [];
  #head = 0;
  /** Bytes of the first slice that are consumed already. */
  #consumed = 0;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when no slice waits, empty ones included. */
  get isEmpty(): boolean {
    return this.#head === this.#slices.length;
  }

  push(slices: readonly Slice[]): void {
    for (const slice of slices) {
      this.#slices.push(slice);
      this.#bytes += slice.bytes.length;
    }
  }

  /** The first slice, of which `offset` bytes are consumed. */
  get first(): { readonly bytes: Uint8Array; readonly offset: number } | undefined {
    const slice = this.#slices[this.#head];
    return slice && { bytes: slice.bytes, offset: this.#consumed };
  }

  /** Consumes bytes of the first slice, and releases it when they were its last. */
  consume(count: number): void {
    const slice = this.#slices[this.#head] as Slice;
    this.#bytes -= count;
    this.#consumed += count;
    if (this.#consumed < slice.bytes.length) return;
    this.#slices[this.#head++] = undefined;
    this.#consumed = 0;
    if (this.#head === this.#slices.length) {
      this.#slices = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#slices = this.#slices.slice(this.#head);
      this.#head = 0;
    }
    slice.release?.();
  }

  /** Consumes and releases the first `count` slices whole. */
  consumeSlices(count: number): void {
    for (let i = 0; i < count; i++) {
      const slice = this.#slices[this.#head];
      if (slice === undefined) return;
      this.consume(slice.bytes.length - this.#consumed);
    }
  }

  releaseAll(): void {
    const slices = this.#slices;
    const head = this.#head;
    this.#slices = [];
    this.#head = 0;
    this.#consumed = 0;
    this.#bytes = 0;
    for (let i = head; i < slices.length; i++) slices[i]?.release?.();
  }
}

/** Releases slices that nobody queued. */
export function releaseSlices(slices: readonly Slice[]): void {
  for (const slice of slices) slice.release?.();
}
