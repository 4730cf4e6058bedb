import type { Timehands } from "./timehands-page.ts";
import { addTimespec } from "./timespec.ts";
import type { Timespec } from "./types.ts";

/** Uptime in µs, `counts` after the base. Exact to about a nanosecond per month of uptime. */
export function uptimeUs(hands: Timehands, counts: number): number {
  return hands.seconds * 1e6 + (hands.nanoseconds + counts * hands.scale) / 1000;
}

/** Uptime, `counts` after the base. */
export function uptimeAt(hands: Timehands, counts: number): Timespec {
  const nanoseconds = Math.floor(hands.nanoseconds + counts * hands.scale);
  const carry = Math.floor(nanoseconds / 1e9);
  return { seconds: hands.seconds + carry, nanoseconds: nanoseconds - carry * 1e9 };
}

/** Wall-clock time, `counts` after the base. */
export function wallAt(hands: Timehands, counts: number): Timespec {
  return addTimespec(uptimeAt(hands, counts), { seconds: hands.wallSeconds, nanoseconds: hands.wallNanoseconds });
}
