/*
 * Sets of small numbers as they cross the wire: bit n of word w stands for 32·w + n (RFC 7530 §2.2, RFC 8881 §3.2). Words beyond the
 * last are zero, so [1] and [1, 0] are the same set. Words are unsigned 32-bit numbers.
 */

/** Borrowed, not to be changed. The generated `bitmap4` fits. */
export type Bitmap = readonly number[];

export function bitmapOf(...numbers: readonly number[]): number[] {
  const bitmap: number[] = [];
  for (const number of numbers) setBit(bitmap, number);
  return bitmap;
}

export function hasBit(bitmap: Bitmap, number: number): boolean {
  const word = bitmap[number >>> 5];
  return word !== undefined && (word & (1 << (number & 31))) !== 0;
}

/** Adds `number`, growing the bitmap as needed. */
export function setBit(bitmap: number[], number: number): void {
  const index = number >>> 5;
  while (bitmap.length <= index) bitmap.push(0);
  bitmap[index] = (bitmap[index]! | (1 << (number & 31))) >>> 0;
}

export function clearBit(bitmap: number[], number: number): void {
  const index = number >>> 5;
  if (index < bitmap.length) bitmap[index] = (bitmap[index]! & ~(1 << (number & 31))) >>> 0;
}

/** Puts what is in both `a` and `b` into `target`, which may be one of them, and returns it. */
export function intersectInto(target: number[], a: Bitmap, b: Bitmap): number[] {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) target[i] = (a[i]! & b[i]!) >>> 0;
  target.length = length;
  return target;
}

export function intersection(a: Bitmap, b: Bitmap): number[] {
  return intersectInto([], a, b);
}

export function union(a: Bitmap, b: Bitmap): number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => ((a[i] ?? 0) | (b[i] ?? 0)) >>> 0);
}

/** What is in `a` and not in `b`. */
export function difference(a: Bitmap, b: Bitmap): number[] {
  return a.map((word, i) => (word & ~(b[i] ?? 0)) >>> 0);
}

export function isEmpty(bitmap: Bitmap): boolean {
  for (let i = 0; i < bitmap.length; i++) if (bitmap[i] !== 0) return false;
  return true;
}

/** Whether everything in `a` is in `b`. */
export function isSubset(a: Bitmap, b: Bitmap): boolean {
  for (let i = 0; i < a.length; i++) if ((a[i]! & ~(b[i] ?? 0)) !== 0) return false;
  return true;
}

export function equalBitmaps(a: Bitmap, b: Bitmap): boolean {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return false;
  return true;
}

/** The least member not below `from`, or -1. */
export function nextBit(bitmap: Bitmap, from = 0): number {
  let index = from >>> 5;
  let word = (bitmap[index] ?? 0) & (-1 << (from & 31));
  while (word === 0) {
    index += 1;
    if (index >= bitmap.length) return -1;
    word = bitmap[index]!;
  }
  // The lowest bit alone, then its place.
  return index * 32 + 31 - Math.clz32(word & -word);
}

/** The members in ascending order. */
export function bitsOf(bitmap: Bitmap): number[] {
  const numbers: number[] = [];
  for (let number = nextBit(bitmap); number !== -1; number = nextBit(bitmap, number + 1)) numbers.push(number);
  return numbers;
}
