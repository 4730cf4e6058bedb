import { XdrReader } from "@xdr-ts/xdr";
import type { Budget } from "./budget.ts";

const SMALLEST = 256;
const SMALLEST_LOG2 = 8;
/** Above this size buffers are not kept. */
const LARGEST_KEPT = 4 * 1024 * 1024;
const POISON = 0xdb;

/** Sizes rise in four steps per power of two, so that at most a fifth of a buffer lies idle. */
function classOf(size: number): number {
  if (size <= SMALLEST) return 0;
  const log2 = 31 - Math.clz32(size - 1);
  return (log2 - SMALLEST_LOG2) * 4 + ((size - 1 - 2 ** log2) >> (log2 - 2)) + 1;
}

/** The bytes that a pool takes for a buffer of `size`. */
export function pooledSize(size: number): number {
  if (size <= SMALLEST) return SMALLEST;
  if (size > LARGEST_KEPT) return size;
  const step = 2 ** (31 - Math.clz32(size - 1) - 2);
  return Math.ceil(size / step) * step;
}

/** Memory lent by a `BufferPool`. It goes back when as many `release` as `retain` plus one have been called. */
export class PooledBuffer {
  /** All of the buffer; what lies in it is whatever its last user left. */
  readonly bytes: Uint8Array;
  /** A reader over `bytes` that lives as long as the buffer, so that a record costs no allocation. Reset it before use. */
  readonly reader: XdrReader;
  /** Bytes in use, from the start: the owner's to write. */
  length = 0;
  /** What gets the buffer's size back at its release. */
  budget: Budget | null = null;
  #pool: BufferPool;
  #references = 0;

  constructor(pool: BufferPool, size: number) {
    this.#pool = pool;
    this.bytes = new Uint8Array(size);
    this.reader = new XdrReader(this.bytes);
  }

  /** Keeps the buffer from going back for one more `release`. */
  retain(): void {
    this.#references++;
  }

  release(): void {
    if (this.#references === 0) throw new Error("a buffer was released twice");
    if (--this.#references > 0) return;
    const budget = this.budget;
    this.budget = null;
    this.#pool.put(this);
    budget?.give(this.bytes.length);
  }

  /** For the pool: the buffer is lent. */
  lend(): void {
    this.#references = 1;
    this.length = 0;
  }
}

export interface BufferPoolOptions {
  /** Bytes of idle buffers to keep. Default 16 MiB. */
  readonly keep?: number;
  /** Overwrite released buffers, so that a test sees who still reads them. */
  readonly poison?: boolean;
}

/** Lends buffers by size and takes them back. */
export class BufferPool {
  readonly #keep: number;
  readonly #poison: boolean;
  readonly #idle: PooledBuffer[][] = [];
  #idleBytes = 0;
  #outstanding = 0;
  #allocated = 0;

  constructor(options: BufferPoolOptions = {}) {
    this.#keep = options.keep ?? 16 * 1024 * 1024;
    this.#poison = options.poison ?? false;
  }

  /** Buffers lent and not returned. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Bytes of idle buffers. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Buffers that had to be allocated since the start. */
  get allocated(): number {
    return this.#allocated;
  }

  /** A buffer of at least `size` bytes, `pooledSize(size)` exactly. */
  take(size: number): PooledBuffer {
    let buffer = size > LARGEST_KEPT ? undefined : this.#idle[classOf(size)]?.pop();
    if (buffer === undefined) {
      buffer = new PooledBuffer(this, pooledSize(size));
      this.#allocated++;
    } else {
      this.#idleBytes -= buffer.bytes.length;
    }
    this.#outstanding++;
    buffer.lend();
    return buffer;
  }

  /** For `PooledBuffer.release` only. */
  put(buffer: PooledBuffer): void {
    this.#outstanding--;
    const size = buffer.bytes.length;
    if (this.#poison) buffer.bytes.fill(POISON);
    if (size > LARGEST_KEPT || this.#idleBytes + size > this.#keep) return;
    const index = classOf(size);
    let idle = this.#idle[index];
    if (idle === undefined) {
      idle = [];
      this.#idle[index] = idle;
    }
    idle.push(buffer);
    this.#idleBytes += size;
  }
}
