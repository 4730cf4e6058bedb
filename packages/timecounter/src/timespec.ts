import type { Timespec } from "./types.ts";

/** Splits µs (a float64, fractions are kept to the ns) into a `Timespec`. */
export function timespecFromUs(us: number): Timespec {
  const seconds = Math.floor(us / 1e6);
  return normalise(seconds, Math.round((us - seconds * 1e6) * 1000));
}

/** Whole and fractional µs; exact to the µs until the year 2255. */
export function usFromTimespec(time: Timespec): number {
  return time.seconds * 1e6 + time.nanoseconds / 1000;
}

export function addTimespec(a: Timespec, b: Timespec): Timespec {
  return normalise(a.seconds + b.seconds, a.nanoseconds + b.nanoseconds);
}

export function subtractTimespec(a: Timespec, b: Timespec): Timespec {
  return normalise(a.seconds - b.seconds, a.nanoseconds - b.nanoseconds);
}

/** Carries so that `nanoseconds` is 0 … 999,999,999. */
function normalise(seconds: number, nanoseconds: number): Timespec {
  const carry = Math.floor(nanoseconds / 1e9);
  return { seconds: seconds + carry, nanoseconds: nanoseconds - carry * 1e9 };
}
