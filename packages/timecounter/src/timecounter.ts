import type { Clock } from "./types.ts";

/** A free-running hardware or software counter, after FreeBSD's struct timecounter (sys/timetc.h). */
export interface Timecounter {
  /** Up to 24 ASCII characters; threads find their own way to read a counter by it. */
  readonly name: string;
  /** Counts per second. */
  readonly frequency: number;
  /** The highest count: the next one is 0. At most 2^53 − 1. */
  readonly mask: number;
  /** The highest is chosen; a negative one only when asked for by name. */
  readonly quality: number;
  /** The count now: an integer, 0 … mask. */
  read(): number;
}

/**
 * Counts from `earlier` to `later`, across at most one wrap. A count that has gone back (cores that disagree) would look like nearly a full turn,
 * so more than half a turn is taken for none.
 */
export function countsBetween(counter: Timecounter, earlier: number, later: number): number {
  const turn = counter.mask + 1;
  const difference = later - earlier;
  const counts = difference < 0 ? difference + turn : difference;
  return counts > turn / 2 ? 0 : counts;
}

/** How long, in µs, a counter can be left alone before a wrap becomes ambiguous. */
export function longestGapUs(counter: Timecounter): number {
  return ((counter.mask + 1) / 2 / counter.frequency) * 1e6;
}

/**
 * The processor's cycle counter, read through an addon: `read` gives cycles since some origin as an exact integer, modulo 2^53. Below hrtime in
 * quality, because the frequency was measured and cores may disagree.
 */
export function tscCounter(read: () => number, frequency: number): Timecounter {
  if (!(frequency > 0)) throw new RangeError("the cycle counter of this processor has no constant rate");
  return { name: "tsc", frequency, mask: Number.MAX_SAFE_INTEGER, quality: 800, read };
}

export interface VirtualCounterOptions {
  readonly name?: string;
  /** Default 1 MHz. */
  readonly frequency?: number;
  /** Default 2^53 − 1. */
  readonly mask?: number;
  readonly quality?: number;
}

/** A counter that counts another clock's time, such as a virtual clock's. */
export function virtualCounter(clock: Pick<Clock, "now">, options: VirtualCounterOptions = {}): Timecounter {
  const frequency = options.frequency ?? 1e6;
  const mask = options.mask ?? Number.MAX_SAFE_INTEGER;
  return {
    name: options.name ?? "virtual",
    frequency,
    mask,
    quality: options.quality ?? 0,
    read: () => Math.floor(clock.now() * (frequency / 1e6)) % (mask + 1),
  };
}
