/**
 * Sequence numbers: unsigned 32-bit integers that wrap (RFC 9293 §3.4). Comparisons hold while the two numbers are less than 2^31 apart.
 */

export function seqAdd(seq: number, count: number): number {
  return (seq + count) >>> 0;
}

/** How far `a` is ahead of `b`: −2^31 … 2^31 − 1. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

export function seqLt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function seqLe(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

export function seqGt(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

export function seqGe(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

export function seqMax(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}

export function seqMin(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}
