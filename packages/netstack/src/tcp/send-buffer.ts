import type { Slice } from "@nfs4/bytestream";
import { MAX_SLICES, type OutboundPacket } from "../packet.ts";

const COMPACT_AT = 64;
const NO_BYTES: Uint8Array[] = [];
const NO_RELEASES: ((() => void) | undefined)[] = [];
const NO_STARTS: number[] = [];

/**
 * What was written and is not yet acknowledged, as slices by reference. Positions count from the first byte ever written, so they never wrap
 * (2^53); the owner maps sequence numbers to distances from `start`.
 */
export class SendBuffer {
  /** Arrays of its own once something is written: many connections only wait. */
  #bytes: Uint8Array[] = NO_BYTES;
  #releases: ((() => void) | undefined)[] = NO_RELEASES;
  /** Position of the first byte of each slice. */
  #starts: number[] = NO_STARTS;
  #head = 0;
  /** Index at which the last look ended: output walks forward. */
  #hint = 0;
  /** Position of the first byte that is not acknowledged, and of the one behind the last. */
  start = 0;
  end = 0;

  get queued(): number {
    return this.end - this.start;
  }

  /** Takes over the slices. Empty ones are released at once. */
  append(slices: readonly Slice[]): void {
    if (this.#bytes === NO_BYTES) {
      this.#bytes = [];
      this.#releases = [];
      this.#starts = [];
    }
    for (const slice of slices) {
      const length = slice.bytes.length;
      if (length === 0) {
        slice.release?.();
        continue;
      }
      this.#bytes.push(slice.bytes);
      this.#releases.push(slice.release);
      this.#starts.push(this.end);
      this.end += length;
    }
  }

  /**
   * Adds at most `length` bytes that begin `distance` behind `start` to the packet, by reference. Returns how many: fewer when the packet has
   * no room for more slices.
   */
  gather(packet: OutboundPacket, distance: number, length: number): number {
    let position = this.start + distance;
    const stop = Math.min(position + length, this.end);
    let index = this.#find(position);
    const from = position;
    while (position < stop && packet.sliceCount < MAX_SLICES) {
      const bytes = this.#bytes[index]!;
      const inSlice = position - this.#starts[index]!;
      const take = Math.min(bytes.length - inSlice, stop - position);
      packet.addSlice(bytes, inSlice, take);
      position += take;
      if (inSlice + take === bytes.length) index++;
    }
    this.#hint = index;
    return position - from;
  }

  /** The first `count` bytes are acknowledged: releases each slice whose last byte was among them. */
  acknowledge(count: number): void {
    const start = this.start + count;
    this.start = start;
    while (this.#head < this.#bytes.length) {
      const index = this.#head;
      if (this.#starts[index]! + this.#bytes[index]!.length > start) break;
      const release = this.#releases[index];
      this.#bytes[index] = EMPTY;
      this.#releases[index] = undefined;
      this.#head++;
      release?.();
    }
    if (this.#head === this.#bytes.length) this.#truncate();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#bytes.length) this.#compact();
  }

  /** Releases everything. */
  clear(): void {
    const releases = this.#releases.slice(this.#head);
    this.#truncate();
    this.start = this.end;
    for (const release of releases) release?.();
  }

  #find(position: number): number {
    const starts = this.#starts;
    const hint = this.#hint;
    if (hint >= this.#head && hint < starts.length && position >= starts[hint]!) {
      if (position < starts[hint]! + this.#bytes[hint]!.length) return hint;
      if (hint + 1 < starts.length && position < starts[hint + 1]! + this.#bytes[hint + 1]!.length) return hint + 1;
    }
    let low = this.#head;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #truncate(): void {
    if (this.#bytes === NO_BYTES) return;
    this.#bytes.length = 0;
    this.#releases.length = 0;
    this.#starts.length = 0;
    this.#head = 0;
    this.#hint = 0;
  }

  #compact(): void {
    const head = this.#head;
    this.#bytes.splice(0, head);
    this.#releases.splice(0, head);
    this.#starts.splice(0, head);
    this.#hint = Math.max(0, this.#hint - head);
    this.#head = 0;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
