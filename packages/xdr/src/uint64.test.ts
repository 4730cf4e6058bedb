import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareUint64,
  equalUint64,
  SATURATED_NUMBER,
  UINT64_MAX,
  UINT64_ZERO,
  uint64FromBigint,
  uint64FromNumber,
  uint64ToBigint,
  uint64ToNumber,
} from "./uint64.ts";

const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);

describe("Uint64Pair", () => {
  it("converts to and from bigint without loss", () => {
    fc.assert(
      fc.property(uint64, (value) => {
        expect(uint64ToBigint(uint64FromBigint(value))).toBe(value);
      }),
    );
    expect(uint64FromBigint(2n ** 64n - 1n)).toEqual(UINT64_MAX);
    expect(uint64FromBigint(-1n)).toEqual(UINT64_MAX);
    expect(uint64FromBigint(0n)).toEqual(UINT64_ZERO);
  });

  it("orders as the integers do", () => {
    fc.assert(
      fc.property(uint64, uint64, (a, b) => {
        const order = compareUint64(uint64FromBigint(a), uint64FromBigint(b));
        expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(equalUint64(uint64FromBigint(a), uint64FromBigint(b))).toBe(a === b);
      }),
    );
    expect(compareUint64(UINT64_MAX, { hi: 0xffff_ffff, lo: 0 })).toBeGreaterThan(0);
  });

  it("converts numbers, saturating where a number is not exact", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(uint64ToNumber(uint64FromNumber(value))).toBe(value);
      }),
    );
    expect(uint64ToNumber(uint64FromBigint(2n ** 53n - 1n))).toBe(Number.MAX_SAFE_INTEGER);
    expect(uint64ToNumber(uint64FromBigint(2n ** 53n))).toBe(SATURATED_NUMBER);
    expect(uint64ToNumber(UINT64_MAX)).toBe(SATURATED_NUMBER);
    expect(uint64FromNumber(2 ** 63)).toEqual({ hi: 0x8000_0000, lo: 0 });
  });

  it.each([-1, 0.5, 2 ** 64, Number.NaN, Number.POSITIVE_INFINITY])("refuses to make a pair of %s", (value) => {
    expect(() => uint64FromNumber(value)).toThrow(RangeError);
  });
});
