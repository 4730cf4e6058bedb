import type { RandomSource } from "./types.ts";

/** xoshiro128** (Blackman and Vigna, 2018), seeded through splitmix32: the same seed gives the same numbers everywhere. Not for security. */
export class SeededRandom implements RandomSource {
  readonly seed: number;
  readonly #state = new Uint32Array(4);

  /** `seed` is taken modulo 2^32. */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    let x = this.seed;
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.#state[i] = z ^ (z >>> 16);
    }
  }

  uint32(): number {
    const state = this.#state;
    const s1 = state[1] as number;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    state[2]! ^= state[0] as number;
    state[3]! ^= s1;
    state[1]! ^= state[2] as number;
    state[0]! ^= state[3] as number;
    state[2]! ^= s1 << 9;
    state[3] = rotateLeft(state[3] as number, 11);
    return result;
  }

  fill<T extends Uint8Array>(into: T): T {
    const whole = into.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      const word = this.uint32();
      into[i] = word;
      into[i + 1] = word >>> 8;
      into[i + 2] = word >>> 16;
      into[i + 3] = word >>> 24;
    }
    if (whole < into.length) {
      let word = this.uint32();
      for (let i = whole; i < into.length; i++, word >>>= 8) into[i] = word;
    }
    return into;
  }

  /** Uniform in 0 ≤ x < 1, with 32 bits. */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A uniform integer in 0 … bound − 1; `bound` is 1 … 2^32. */
  below(bound: number): number {
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % bound;
  }

  /** A uniform integer in `low` … `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of the items, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A generator of its own, so that what one part draws does not change what another sees. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32());
  }
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
