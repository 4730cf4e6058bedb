import { drainMicrotasks } from "./adapters/drain-microtasks.ts";
import type { CalloutEntry } from "./callout-entry.ts";
import { CalloutWheel } from "./callout-wheel.ts";
import { EventHash } from "./event-hash.ts";
import { addTimespec, subtractTimespec, timespecFromUs } from "./timespec.ts";
import type { BusyToken, Callout, Clock, Timespec } from "./types.ts";

export interface VirtualClockOptions {
  /** Uptime at the start, in µs. Default 0. */
  readonly startUs?: number;
  /** Wall-clock time at the start. Default 2024-01-01T00:00:00Z. */
  readonly wall?: Timespec;
  /** So many events at one instant are taken for a loop that would hold time still for ever, and throw. Default 10 million. */
  readonly maxEventsPerInstant?: number;
}

export interface LimitOptions {
  /** So many µs may pass. Default: one hour. */
  readonly limit?: number;
}

const HOUR_US = 3600e6;

/**
 * Time that a test owns: it passes only within the `run…` methods, from event to event. Callouts and deferred tasks that are due run in the order
 * of deadline, then of arming; after each, microtasks drain until none is left. While a busy token is held (real I/O), what is due still runs,
 * but time stands still.
 */
export class VirtualClock implements Clock {
  #now: number;
  #wallOffset: Timespec = { seconds: 0, nanoseconds: 0 };
  #busy = 0;
  #running = false;
  #wakeUp: (() => void) | null = null;
  #eventsAtInstant = 0;
  readonly #maxEventsPerInstant: number;
  readonly #wheel: CalloutWheel;
  readonly #hash = new EventHash();

  constructor(options: VirtualClockOptions = {}) {
    this.#now = options.startUs ?? 0;
    this.#maxEventsPerInstant = options.maxEventsPerInstant ?? 10_000_000;
    this.#wheel = new CalloutWheel({ coarse: () => this.#now, startUs: this.#now, onEarlier: () => this.#wake() });
    this.setWall(options.wall ?? { seconds: 1_704_067_200, nanoseconds: 0 });
  }

  coarse(): number {
    return this.#now;
  }

  now(): number {
    return this.#now;
  }

  uptime(): Timespec {
    return timespecFromUs(this.#now);
  }

  wall(): Timespec {
    return addTimespec(this.uptime(), this.#wallOffset);
  }

  /** Sets the wall clock. Uptime does not move. */
  setWall(wall: Timespec): void {
    this.#wallOffset = subtractTimespec(wall, this.uptime());
  }

  /** Steps the wall clock by so many µs, forward or back. Uptime does not move. */
  stepWall(us: number): void {
    this.#wallOffset = addTimespec(this.#wallOffset, timespecFromUs(us));
  }

  callout<Owner>(handler: (owner: Owner) => void, owner?: Owner): Callout {
    return this.#wheel.callout(handler, owner);
  }

  defer(task: () => void): void {
    this.#wheel.callout(task).schedule(this.#now);
  }

  busy(): BusyToken {
    this.#busy++;
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        if (--this.#busy === 0) this.#wake();
      },
    };
  }

  /** How many callouts (and deferred tasks) are armed. */
  get armed(): number {
    return this.#wheel.size;
  }

  /** How many busy tokens are held. */
  get busyTokens(): number {
    return this.#busy;
  }

  /** How many callouts and deferred tasks have run. */
  get events(): number {
    return this.#hash.count;
  }

  /** Hash over every event so far: when it ran, which callout it was, and its handler's name. The same seed must give the same hash. */
  eventHash(): string {
    return this.#hash.digest();
  }

  /** Runs everything due up to `uptimeUs` (included), and leaves time standing there. Rejects with what a handler throws. */
  async runUntil(uptimeUs: number): Promise<void> {
    await this.#run(uptimeUs, () => true);
    this.#now = Math.max(this.#now, uptimeUs);
  }

  /** `runUntil` so many µs from now. */
  runFor(us: number): Promise<void> {
    return this.runUntil(this.#now + us);
  }

  /** Runs until no callout is armed, nothing is deferred and no busy token is held. Rejects past the limit, naming what is armed. */
  runUntilIdle(options: LimitOptions = {}): Promise<void> {
    return this.runWhile(() => true, options);
  }

  /**
   * Runs until `condition` is false (it is asked after every event and its microtasks), or until nothing is left that could change it. Rejects past
   * the limit, naming what is armed.
   */
  async runWhile(condition: () => boolean, options: LimitOptions = {}): Promise<void> {
    const end = this.#now + (options.limit ?? HOUR_US);
    await this.#run(end, condition);
    if (condition() && this.#wheel.nextDeadline() !== Number.POSITIVE_INFINITY) {
      throw new Error(`virtual time went past its limit; armed: ${this.#namesOfArmed()}`);
    }
  }

  /** Runs until the promise has settled, and gives its outcome. Rejects past the limit, or when nothing is left that could settle it. */
  async runToSettle<T>(promise: Promise<T>, options: LimitOptions = {}): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.runWhile(() => !settled, options);
    if (!settled) throw new Error("nothing is armed, and the promise has not settled");
    return promise;
  }

  /**
   * `runUntil` without microtasks, for conversations that are synchronous throughout: all of it happens within the call. Throws what a handler
   * throws, and where it would have to wait for a busy token.
   */
  runUntilSync(uptimeUs: number): void {
    this.#enter();
    try {
      for (;;) {
        const due = this.#wheel.takeDue(this.#now);
        if (due !== null) this.#fire(due);
        else if (this.#busy > 0) throw new Error("a busy token is held, for which only runUntil can wait");
        else if (!this.#advance(uptimeUs)) break;
      }
      this.#now = Math.max(this.#now, uptimeUs);
    } finally {
      this.#running = false;
    }
  }

  /** `runUntilSync` so many µs from now. */
  runForSync(us: number): void {
    this.runUntilSync(this.#now + us);
  }

  async #run(end: number, condition: () => boolean): Promise<void> {
    this.#enter();
    try {
      await drainMicrotasks();
      while (condition()) {
        const due = this.#wheel.takeDue(this.#now);
        if (due !== null) this.#fire(due);
        else if (this.#busy > 0) await this.#standStill();
        else if (this.#advance(end)) continue;
        else return;
        await drainMicrotasks();
      }
    } finally {
      this.#running = false;
    }
  }

  #enter(): void {
    if (this.#running) throw new Error("virtual time is running already");
    this.#running = true;
  }

  #fire(callout: CalloutEntry): void {
    if (++this.#eventsAtInstant > this.#maxEventsPerInstant) {
      throw new Error(
        `virtual time stands still at ${this.#now} µs: ${callout.handler.name || "a callout"} is always due`,
      );
    }
    this.#hash.fold(this.#now, callout.id, callout.handler.name);
    callout.fire();
  }

  /** Moves time to the next deadline, if there is one up to `end`. */
  #advance(end: number): boolean {
    const next = this.#wheel.nextDeadline();
    if (next > end || next === Number.POSITIVE_INFINITY) return false;
    if (next > this.#now) {
      this.#now = next;
      this.#eventsAtInstant = 0;
    }
    return true;
  }

  /** Waits until the last busy token is released, or something becomes due at this instant. */
  async #standStill(): Promise<void> {
    this.#wheel.wakeAt = this.#now + 1e-3;
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
    });
    this.#wheel.wakeAt = Number.NEGATIVE_INFINITY;
  }

  #wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = null;
  }

  #namesOfArmed(): string {
    const names = Array.from(this.#wheel, (entry) => `${entry.handler.name || "anonymous"} at ${entry.deadline}`);
    return names.slice(0, 10).join(", ");
  }
}
