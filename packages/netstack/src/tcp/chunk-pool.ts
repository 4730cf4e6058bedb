import { type BufferMemory, MEMORY_HARD } from "./buffer-memory.ts";

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
  readonly #memory: BufferMemory | null;
  /** Chunks that receive buffers hold. */
  inUse = 0;

  /** `keep`: how many idle ones. `memory`: what they are charged to, if anything. */
  constructor(keep = 512, memory: BufferMemory | null = null) {
    this.#keep = keep;
    this.#memory = memory;
  }

  get full(): boolean {
    return this.#memory !== null && this.#memory.state === MEMORY_HARD;
  }

  get exhausted(): boolean {
    return this.#memory?.exhausted ?? false;
  }

  take(): Uint8Array {
    this.inUse++;
    this.#memory?.charge(CHUNK);
    return this.#free.pop() ?? new Uint8Array(CHUNK);
  }

  give(chunk: Uint8Array): void {
    this.inUse--;
    this.#memory?.refund(CHUNK);
    if (this.#free.length < this.#keep) this.#free.push(chunk);
  }
}
