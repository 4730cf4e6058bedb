import { addon } from "./addon.ts";

/** Cycles of the processor's counter since the addon was first loaded, modulo 2^53. Meaningless where `tscFrequency` is 0. */
export function rdtsc(): number {
  return addon().rdtsc();
}

/**
 * The rate of `rdtsc` in Hz, or 0 where the counter is missing or not invariant. Measured against CLOCK_MONOTONIC_RAW since the addon was
 * loaded: the later the call, the better the estimate. Spins until at least `microseconds` (at most 100,000) have passed since then.
 */
export function tscFrequency(microseconds = 2000): number {
  return addon().tscFrequency(microseconds);
}

/** CLOCK_MONOTONIC in µs with its nanoseconds as fraction: hrtime without the bigint. */
export function monotonicMicros(): number {
  return addon().monotonicMicros();
}

/** CPU time of the calling thread in µs: what benchmarks divide by. */
export function threadCpuMicros(): number {
  return addon().threadCpuMicros();
}
