import { CHUNK, type ChunkPool } from "./chunk-pool.ts";

const NO_CHUNKS: (Uint8Array | null)[] = [];

/**
 * Bytes that the application has not taken, in chunks. A byte stands where its place in the stream says, so what comes out of order is copied once, to
 * where it will be read; its owner knows which places are filled. Positions are distances from the first byte not taken.
 */
export class ReceiveBuffer {
  readonly #pool: ChunkPool;
  /** An array of its own once something is stored: most users take what comes. */
  #chunks: (Uint8Array | null)[] = NO_CHUNKS;
  /** Place in the first chunk of the first byte not taken. */
  #offset = 0;
  /** Bytes in order that wait to be taken. */
  ordered = 0;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  /** Whether the place of a byte has its memory already. */
  has(distance: number): boolean {
    return (this.#chunks[Math.floor((this.#offset + distance) / CHUNK)] ?? null) !== null;
  }

  /** Copies bytes to the place `distance` behind the first byte not taken. */
  store(distance: number, slab: Uint8Array, offset: number, length: number): void {
    let place = this.#offset + distance;
    let from = offset;
    const end = offset + length;
    while (from < end) {
      const index = Math.floor(place / CHUNK);
      const at = place % CHUNK;
      const count = Math.min(CHUNK - at, end - from);
      copy(this.#chunk(index), at, slab, from, count);
      from += count;
      place += count;
    }
  }

  /** Whether what stands at `distance` are those bytes. All of it must have been stored. */
  holds(distance: number, slab: Uint8Array, offset: number, length: number): boolean {
    let place = this.#offset + distance;
    for (let i = 0; i < length; i++, place++) {
      if (this.#chunks[Math.floor(place / CHUNK)]?.[place % CHUNK] !== slab[offset + i]) return false;
    }
    return true;
  }

  /** The chunk in which the first byte stands (only if `ordered` > 0). */
  get first(): Uint8Array {
    return this.#chunks[0]!;
  }

  get firstOffset(): number {
    return this.#offset;
  }

  /** How many bytes in order stand in the first chunk. */
  get firstLength(): number {
    return Math.min(CHUNK - this.#offset, this.ordered);
  }

  /** The first `count` bytes of those in order are taken. */
  consume(count: number): void {
    this.ordered -= count;
    this.skip(count);
  }

  /** The next `count` bytes are taken without having been here. */
  skip(count: number): void {
    if (this.#chunks.length === 0) return;
    this.#offset += count;
    while (this.#offset >= CHUNK) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) {
        this.#offset = 0;
        return;
      }
      if (chunk !== null) this.#pool.give(chunk);
      this.#offset -= CHUNK;
    }
    if (this.#chunks.length === 0) this.#offset = 0;
  }

  /** Gives every chunk back; what stood in them is gone. */
  clear(): void {
    for (const chunk of this.#chunks) if (chunk !== null) this.#pool.give(chunk);
    this.#chunks.length = 0;
    this.#offset = 0;
    this.ordered = 0;
  }

  #chunk(index: number): Uint8Array {
    if (this.#chunks === NO_CHUNKS) this.#chunks = [];
    const chunks = this.#chunks;
    while (chunks.length <= index) chunks.push(null);
    let chunk = chunks[index]!;
    if (chunk === null) {
      chunk = this.#pool.take();
      chunks[index] = chunk;
    }
    return chunk;
  }
}

function copy(to: Uint8Array, at: number, from: Uint8Array, offset: number, length: number): void {
  // A view costs more than a short loop.
  if (length <= 64) for (let i = 0; i < length; i++) to[at + i] = from[offset + i]!;
  else to.set(from.subarray(offset, offset + length), at);
}
