/** An unsigned 64-bit integer as its two halves, each an unsigned 32-bit number: exact, and without a bigint. */
export interface Uint64Pair {
  readonly hi: number;
  readonly lo: number;
}

export const UINT64_ZERO: Uint64Pair = { hi: 0, lo: 0 };
export const UINT64_MAX: Uint64Pair = { hi: 0xffff_ffff, lo: 0xffff_ffff };

/**
 * What `XdrReader.uint64Number` and `int64Number` (there with either sign) give for every value beyond
 * `Number.MAX_SAFE_INTEGER`: 2^53, one more than the largest exact number. A value is exact if and only if it is smaller.
 */
export const SATURATED_NUMBER: number = 2 ** 53;

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`, unsigned. */
export function compareUint64(a: Uint64Pair, b: Uint64Pair): number {
  return a.hi !== b.hi ? a.hi - b.hi : a.lo - b.lo;
}

export function equalUint64(a: Uint64Pair, b: Uint64Pair): boolean {
  return a.lo === b.lo && a.hi === b.hi;
}

/** The low 64 bits of `value`, so that a signed value gives its two's complement. */
export function uint64FromBigint(value: bigint): Uint64Pair {
  return { hi: Number((value >> 32n) & 0xffff_ffffn), lo: Number(value & 0xffff_ffffn) };
}

export function uint64ToBigint(pair: Uint64Pair): bigint {
  return (BigInt(pair.hi) << 32n) | BigInt(pair.lo);
}

/** `value` must be an integer from 0 to below 2^64, else RangeError. */
export function uint64FromNumber(value: number): Uint64Pair {
  if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 64)) {
    throw new RangeError(`${value} is not an unsigned 64-bit integer`);
  }
  return { hi: Math.floor(value / 2 ** 32), lo: value >>> 0 };
}

/** The value as a number, or SATURATED_NUMBER where a number could not be exact. */
export function uint64ToNumber(pair: Uint64Pair): number {
  return pair.hi >= 0x20_0000 ? SATURATED_NUMBER : pair.hi * 2 ** 32 + pair.lo;
}
