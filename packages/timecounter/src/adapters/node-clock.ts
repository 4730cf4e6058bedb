import { RealClock } from "../real-clock.ts";
import type { Timecounter } from "../timecounter.ts";
import { Timekeeper } from "../timekeeper.ts";
import { hrtimeCounter } from "./hrtime-counter.ts";
import { nodeEventLoop } from "./node-event-loop.ts";

export interface NodeClockOptions {
  /** Counters beside hrtime, such as `tscCounter(rdtsc, frequency)`. */
  readonly counters?: readonly Timecounter[];
  /** Name of the counter to use. Default: the best. */
  readonly counter?: string;
  /** Whether the process stays alive while any callout is armed. Default true. */
  readonly ref?: boolean;
  /** How often, in ms, timehands are published. Default 1000. */
  readonly windUpMs?: number;
}

/** The clock of this process: a timekeeper over hrtime (and what else is given) on Node's event loop. Make one and hand it around. */
export function nodeClock(options: NodeClockOptions = {}): RealClock {
  const timekeeper = new Timekeeper({ counters: [hrtimeCounter, ...(options.counters ?? [])] });
  if (options.counter !== undefined) timekeeper.choose(options.counter);
  return new RealClock({ ...options, timekeeper, loop: nodeEventLoop });
}
