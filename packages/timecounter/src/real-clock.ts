import { CalloutWheel } from "./callout-wheel.ts";
import type { EventLoop, LoopTimer } from "./event-loop.ts";
import type { Timekeeper } from "./timekeeper.ts";
import { usFromTimespec } from "./timespec.ts";
import type { BusyToken, Callout, Clock, Timespec } from "./types.ts";

export interface RealClockOptions {
  readonly timekeeper: Timekeeper;
  readonly loop: EventLoop;
  /** Whether the process stays alive while any callout is armed. Default true. */
  readonly ref?: boolean;
  /** How often, in ms, timehands are published and the host's wall clock is looked at. Default 1000; a counter that wraps sooner shortens it. */
  readonly windUpMs?: number;
}

/** The host's clock may differ by so much before ours is stepped: it is read to the millisecond. */
const WALL_TOLERANCE_US = 2000;

const NOT_BUSY: BusyToken = { release() {} };

/**
 * The clock of the product: a timekeeper, and a callout wheel that one timer of the event loop drives. The timer is set anew only for a deadline
 * that is earlier than what it is set for; when it wakes, early or late, the counter is read before anything is run.
 *
 * Coarse time is read from the counter at most once per callback of the event loop, on its first use there (and at every `tick()`): whatever
 * arms a callout by it is never misled by a loop that has slept.
 */
export class RealClock implements Clock, Disposable {
  readonly timekeeper: Timekeeper;
  readonly #loop: EventLoop;
  readonly #wheel: CalloutWheel;
  readonly #timer: LoopTimer;
  readonly #windUpTimer: LoopTimer;
  readonly #windUpMs: number;
  readonly #ref: boolean;
  #closed = false;

  #coarse = 0;
  #fresh = false;
  readonly #settled: Promise<void> = Promise.resolve();
  readonly #growStale = (): void => {
    this.#fresh = false;
  };

  #deferred: (() => void)[] = [];

  constructor(options: RealClockOptions) {
    this.timekeeper = options.timekeeper;
    this.#loop = options.loop;
    this.#ref = options.ref ?? true;
    this.#windUpMs = options.windUpMs ?? 1000;
    this.#wheel = new CalloutWheel({
      coarse: () => this.coarse(),
      startUs: this.timekeeper.now(),
      onEarlier: () => this.#setTimer(),
      onOccupied: (occupied) => {
        if (this.#ref) this.#timer.hold(occupied);
      },
    });
    this.#wheel.wakeAt = Number.POSITIVE_INFINITY;
    this.#timer = options.loop.timer(() => this.#turn());
    this.#timer.hold(false);
    this.#windUpTimer = options.loop.timer(() => this.#windUp());
    this.#windUpTimer.hold(false);
    this.timekeeper.onSwitch = () => this.#setWindUpTimer();
    this.timekeeper.setWall(options.loop.wall());
    this.#setWindUpTimer();
  }

  coarse(): number {
    return this.#fresh ? this.#coarse : this.#refresh();
  }

  now(): number {
    return this.timekeeper.now();
  }

  uptime(): Timespec {
    return this.timekeeper.uptime();
  }

  wall(): Timespec {
    return this.timekeeper.wall();
  }

  callout<Owner>(handler: (owner: Owner) => void, owner?: Owner): Callout {
    return this.#wheel.callout(handler, owner);
  }

  defer(task: () => void): void {
    if (this.#deferred.push(task) === 1) this.#loop.soon(this.#runDeferred);
  }

  /** Real time waits for nobody. */
  busy(): BusyToken {
    return NOT_BUSY;
  }

  /** Reads the counter into coarse time, now; a driver calls it once per poll. Returns it, in µs. */
  tick(): number {
    return this.#refresh();
  }

  /** How many callouts are armed. */
  get armed(): number {
    return this.#wheel.size;
  }

  /** Stops for good: what is armed or armed later never fires. Time can still be read until the counter wraps. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer.clear();
    this.#windUpTimer.clear();
    this.timekeeper.onSwitch = null;
    this.#wheel.wakeAt = Number.NEGATIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #refresh(): number {
    this.#coarse = this.timekeeper.refresh();
    if (!this.#fresh) {
      this.#fresh = true;
      void this.#settled.then(this.#growStale);
    }
    return this.#coarse;
  }

  /** The timer has woken: runs what is due, and sets the timer for what comes next. */
  #turn(): void {
    this.#wheel.wakeAt = Number.NEGATIVE_INFINITY;
    try {
      this.#wheel.run(this.#refresh());
    } finally {
      if (!this.#closed) {
        this.#wheel.wakeAt = this.#wheel.nextDeadline();
        if (this.#wheel.wakeAt !== Number.POSITIVE_INFINITY) this.#setTimer();
      }
    }
  }

  #setTimer(): void {
    if (this.#closed) return;
    this.#timer.set(Math.max(0, Math.ceil((this.#wheel.wakeAt - this.timekeeper.now()) / 1000)));
  }

  readonly #runDeferred = (): void => {
    const tasks = this.#deferred;
    this.#deferred = [];
    let next = 0;
    try {
      while (next < tasks.length) (tasks[next++] as () => void)();
    } finally {
      if (next < tasks.length) {
        this.#deferred = [...tasks.slice(next), ...this.#deferred];
        this.#loop.soon(this.#runDeferred);
      }
    }
  };

  #windUp(): void {
    this.timekeeper.windUp();
    this.#followHostWall();
    this.#setWindUpTimer();
  }

  #setWindUpTimer(): void {
    if (!this.#closed) this.#windUpTimer.set(Math.min(this.#windUpMs, this.timekeeper.windUpLimitUs / 2000));
  }

  #followHostWall(): void {
    const host = this.#loop.wall();
    const differenceUs = usFromTimespec(host) - usFromTimespec(this.wall());
    if (Math.abs(differenceUs) > WALL_TOLERANCE_US) this.timekeeper.setWall(host);
  }
}
