/**
 * What everything above stands on instead of the wall clock, `setTimeout` and `setImmediate`.
 * A `Clock` is either real (timehands over the best timecounter, a callout wheel driven by one libuv timer) or
 * virtual (a test owns time). Nothing else in the house reads time.
 */

/** Exact time. `nanoseconds` is 0 … 999,999,999. */
export interface Timespec {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * One deadline of one owner, after FreeBSD's callout(9). Moving the deadline later only rewrites a field; the entry moves when its
 * old bucket comes up. So rearming on every packet is cheap.
 */
export interface Callout {
  /** Uptime in µs at which the handler is due; meaningful while `armed`. */
  readonly deadline: number;
  readonly armed: boolean;
  /** Arms, or moves the deadline (µs of uptime, later or earlier). A deadline that has passed fires at the next turn, never within the call. */
  schedule(deadline: number): void;
  /** Arms for `coarse() + delay` µs. */
  scheduleAfter(delay: number): void;
  /** Disarms. Idempotent, and safe within the handler. */
  cancel(): void;
}

/** Real I/O under way: virtual time stands still until it is released. */
export interface BusyToken {
  release(): void;
}

export interface Clock {
  /** Uptime in µs as of the last wind-up or turn: a float64 that never steps back. Costs a few ns. Use it for every deadline. */
  coarse(): number;
  /** Uptime in µs, read from the counter now. */
  now(): number;
  /** Exact uptime. */
  uptime(): Timespec;
  /** Wall-clock time: uptime plus an offset that may step. For time stamps that users see, never for deadlines. */
  wall(): Timespec;
  /**
   * A new callout, not armed. The handler runs once per arming, on no earlier than its deadline, outside of any other handler. It is given `owner`, so that
   * very many owners can share one function.
   */
  callout(handler: () => void): Callout;
  callout<Owner>(handler: (owner: Owner) => void, owner: Owner): Callout;
  /** Runs `task` in a later turn of the event loop (or of virtual time, at the same instant). */
  defer(task: () => void): void;
  /** Marks that something real is pending (disk, socket), so that virtual time waits for it. */
  busy(): BusyToken;
}

/** Resolves after `delayUs` of the clock's time. */
export type Sleep = (delayUs: number) => Promise<void>;

/** Where random bytes come from: `node:crypto` in the product, a seeded generator in tests. */
export interface RandomSource {
  /** Fills and returns `into`. */
  fill<T extends Uint8Array>(into: T): T;
  /** A uniform 32-bit unsigned integer. */
  uint32(): number;
}
