import { randomFillSync } from "node:crypto";
import type { RandomSource } from "../types.ts";

const pool = new Uint32Array(256);
let used = pool.length;

/** The kernel's randomness, for the product. */
export const cryptoRandom: RandomSource = {
  fill<T extends Uint8Array>(into: T): T {
    return randomFillSync(into);
  },
  uint32(): number {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const value = pool[used] as number;
    pool[used++] = 0;
    return value;
  },
};
