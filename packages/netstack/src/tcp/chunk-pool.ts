/** Size of the pieces that receive buffers are made of. */
export const CHUNK: number = 16 * 1024;

/** Chunks that no receive buffer uses now; a fresh one costs microseconds. */
export class ChunkPool {
  readonly #free: Uint8Array[] = [];
  readonly #keep: number;
  /** Chunks that receive buffers hold. */
  inUse = 0;

  constructor(keep = 512) {
    this.#keep = keep;
  }

  take(): Uint8Array {
    this.inUse++;
    return this.#free.pop() ?? new Uint8Array(CHUNK);
  }

  give(chunk: Uint8Array): void {
    this.inUse--;
    if (this.#free.length < this.#keep) this.#free.push(chunk);
  }
}
