import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bitmapOf,
  bitsOf,
  clearBit,
  difference,
  equalBitmaps,
  hasBit,
  intersectInto,
  intersection,
  isEmpty,
  isSubset,
  nextBit,
  setBit,
  union,
} from "./bitmap.ts";

const numbers = fc.uniqueArray(fc.nat({ max: 130 }));
const ascending = (a: number, b: number) => a - b;

describe("bitmaps", () => {
  it("puts number n into bit n mod 32 of word n div 32 (RFC 8881 §3.2)", () => {
    expect(bitmapOf()).toEqual([]);
    expect(bitmapOf(0, 1, 3)).toEqual([0b1011]);
    expect(bitmapOf(31)).toEqual([0x8000_0000]);
    expect(bitmapOf(33, 47, 81)).toEqual([0, 0x0000_8002, 0x0002_0000]);
  });

  it("behaves like a set of numbers", () => {
    fc.assert(
      fc.property(numbers, numbers, fc.nat({ max: 200 }), (xs, ys, n) => {
        const a = bitmapOf(...xs);
        const b = bitmapOf(...ys);
        expect(bitsOf(a)).toEqual(xs.toSorted(ascending));
        expect(hasBit(a, n)).toBe(xs.includes(n));
        expect(bitsOf(intersection(a, b))).toEqual(xs.filter((x) => ys.includes(x)).toSorted(ascending));
        expect(bitsOf(union(a, b))).toEqual([...new Set([...xs, ...ys])].toSorted(ascending));
        expect(bitsOf(difference(a, b))).toEqual(xs.filter((x) => !ys.includes(x)).toSorted(ascending));
        expect(isSubset(a, b)).toBe(xs.every((x) => ys.includes(x)));
        expect(isEmpty(a)).toBe(xs.length === 0);
        const above = xs.filter((x) => x >= n);
        expect(nextBit(a, n)).toBe(above.length === 0 ? -1 : Math.min(...above));
        expect([...a, ...b].every((word) => word >= 0 && word <= 0xffff_ffff)).toBe(true);
      }),
    );
  });

  it("treats missing words as zero", () => {
    expect(equalBitmaps([1], [1, 0, 0])).toBe(true);
    expect(equalBitmaps([1], [1, 2])).toBe(false);
    expect(isSubset([1, 0], [1])).toBe(true);
    expect(isEmpty([0, 0])).toBe(true);
    expect(nextBit([0, 0])).toBe(-1);
  });

  it("changes in place", () => {
    const bitmap = bitmapOf(40);
    setBit(bitmap, 3);
    clearBit(bitmap, 40);
    clearBit(bitmap, 500);
    expect(bitmap).toEqual([8, 0]);
    const mask = bitmapOf(1, 2, 70);
    expect(intersectInto(mask, mask, [4])).toBe(mask);
    expect(mask).toEqual([4]);
  });
});
