import fc from "fast-check";
import { expect, it } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

it("the same seed gives the same numbers; a fork draws its own", () => {
  const a = new SeededRandom(42);
  const b = new SeededRandom(42);
  const fork = b.fork();
  a.uint32();
  for (let i = 0; i < 100; i++) fork.uint32();
  expect(Array.from({ length: 8 }, () => a.uint32())).toEqual(Array.from({ length: 8 }, () => b.uint32()));
});

it("fills every byte, whatever the length, and stays within bounds", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(70), fc.integer({ min: 1, max: 2 ** 32 }), (seed, length, bound) => {
      const random = new SeededRandom(seed);
      const sum = new Array<number>(length).fill(0);
      for (let i = 0; i < 16; i++)
        random.fill(new Uint8Array(length)).forEach((byte, at) => {
          sum[at]! |= byte;
        });
      expect(sum.every((bits) => bits !== 0)).toBe(true);
      const value = random.below(bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
    }),
  );
});

it("is not biased to any bit", () => {
  const random = new SeededRandom(7);
  const ones = new Array<number>(32).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const word = random.uint32();
    for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
  }
  for (const count of ones) expect(Math.abs(count - 5000)).toBeLessThan(300);
});
