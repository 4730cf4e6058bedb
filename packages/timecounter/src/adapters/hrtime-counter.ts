import type { Timecounter } from "../timecounter.ts";

/** Seconds after which the count wraps: 97 days, so that it stays below 2^53 ns. */
const TURN_SECONDS = 2 ** 23;

/** `process.hrtime`: the kernel's monotonic clock in ns, the same in every thread. */
export const hrtimeCounter: Timecounter = {
  name: "hrtime",
  frequency: 1e9,
  mask: TURN_SECONDS * 1e9 - 1,
  quality: 1000,
  read(): number {
    const [seconds, nanoseconds] = process.hrtime();
    return (seconds % TURN_SECONDS) * 1e9 + nanoseconds;
  },
};
