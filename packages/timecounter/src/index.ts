export { cryptoRandom } from "./adapters/crypto-random.ts";
export { drainMicrotasks } from "./adapters/drain-microtasks.ts";
export { EventHash } from "./event-hash.ts";
export { SeededRandom } from "./seeded-random.ts";
export { sleepOn } from "./sleep.ts";
export { addTimespec, subtractTimespec, timespecFromUs, usFromTimespec } from "./timespec.ts";
export type { BusyToken, Callout, Clock, RandomSource, Sleep, Timespec } from "./types.ts";
export { type LimitOptions, VirtualClock, type VirtualClockOptions } from "./virtual-clock.ts";
