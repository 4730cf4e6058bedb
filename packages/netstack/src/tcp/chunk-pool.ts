/** Size of the pieces that receive buffers are made of. */
export const CHUNK: number = 16 * 1024;

/**
 * The memory of all receive buffers of a stack. A fresh chunk costs microseconds, so those that no buffer uses are kept.
 *
 * Windows promise far more than this, for a peer whose user takes what comes needs none of it. Where users do not keep up, or gaps do not close, the
 * memory is `full` at its limit: what would be stored is dropped, and the peer sends it again. What a user was offered and did not take must be
 * stored all the same; with half as much again in use the memory is `exhausted`, and that connection is reset.
 */
export class ChunkPool {
  readonly #free: Uint8Array[] = [];
  readonly #keep: number;
  readonly #limit: () => number;
  /** Chunks that receive buffers hold. */
  inUse = 0;

  /** `keep`: how many idle ones. `limit`: in bytes. */
  constructor(keep = 512, limit: () => number = () => Number.POSITIVE_INFINITY) {
    this.#keep = keep;
    this.#limit = limit;
  }

  get full(): boolean {
    return this.inUse * CHUNK >= this.#limit();
  }

  get exhausted(): boolean {
    return this.inUse * CHUNK >= 1.5 * this.#limit();
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
