import type { Timespec } from "./types.ts";

/** One timer that can be set again and again. */
export interface LoopTimer {
  /** Wakes in about `delayMs` (≥ 0), once, instead of any time set before. May wake early, and will wake late. */
  set(delayMs: number): void;
  clear(): void;
  /** Whether the timer, while set, keeps the process alive. */
  hold(keepAlive: boolean): void;
}

/** What a real clock needs of the runtime: Node's event loop, or a test's imitation. */
export interface EventLoop {
  timer(wake: () => void): LoopTimer;
  /** Runs `task` in a later turn of the loop. */
  soon(task: () => void): void;
  /** The host's wall-clock time. */
  wall(): Timespec;
}
