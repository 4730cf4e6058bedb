import { uptimeAt, uptimeUs, wallAt } from "./extrapolate.ts";
import { countsBetween, longestGapUs, type Timecounter } from "./timecounter.ts";
import { COUNTER_NAME_LENGTH, COUNTER_SLOTS, emptyTimehands, TimehandsPage } from "./timehands-page.ts";
import { addTimespec, subtractTimespec, timespecFromUs } from "./timespec.ts";
import type { Timespec } from "./types.ts";

export interface TimekeeperOptions {
  /** At least one, of which the best is chosen. */
  readonly counters: readonly Timecounter[];
  /** Wall-clock time now. Default: the epoch. */
  readonly wall?: Timespec;
}

/**
 * Turns a counter into time: uptime since it was made, and wall-clock time as an offset on that. `windUp()` must be called at least every
 * `windUpLimitUs`. One thread keeps time; others read it from `page` with a `TimehandsReader`.
 */
export class Timekeeper {
  readonly #page = new TimehandsPage();
  readonly #counters: Timecounter[] = [];
  readonly #hands = emptyTimehands();
  /** Called when another counter has been taken into use, whose `windUpLimitUs` may be shorter. */
  onSwitch: (() => void) | null = null;
  #counter: Timecounter;
  #pinned = false;
  #latest = 0;
  /** The most counts since the base that were ever read: cores whose counters disagree must not take uptime back. */
  #mostCounts = 0;

  constructor(options: TimekeeperOptions) {
    const first = options.counters[0];
    if (first === undefined) throw new RangeError("a timekeeper needs a counter");
    this.#counter = first;
    for (const counter of options.counters) this.#enrol(counter);
    this.#switchTo(this.#best());
    if (options.wall !== undefined) this.setWall(options.wall);
  }

  /** Shared memory that a `TimehandsReader` of another thread is made from. */
  get page(): SharedArrayBuffer {
    return this.#page.buffer;
  }

  /** Those registered, in that order. */
  get counters(): readonly Timecounter[] {
    return this.#counters;
  }

  /** The counter in use. */
  get counter(): Timecounter {
    return this.#counter;
  }

  /** How long, in µs, may pass between two wind-ups, so that no wrap of the counter in use is missed. */
  get windUpLimitUs(): number {
    return longestGapUs(this.#counter);
  }

  /** Adds a counter, and switches to it if it is the best and none was chosen by name. Throws when its name is taken or all 8 places are. */
  register(counter: Timecounter): void {
    this.#enrol(counter);
    if (!this.#pinned) this.#switchTo(this.#best());
  }

  /** Switches to a registered counter and stays with it; null goes back to the best. Uptime goes on where it is. Throws on an unknown name. */
  choose(name: string | null): void {
    const counter = name === null ? this.#best() : this.#counters.find((candidate) => candidate.name === name);
    if (counter === undefined) throw new RangeError(`no timecounter is called ${name}`);
    this.#pinned = name !== null;
    this.#switchTo(counter);
  }

  /** Uptime in µs as of the last `refresh()` or `windUp()`. Never steps back. */
  coarse(): number {
    return this.#latest;
  }

  /** Uptime in µs, from the counter. Never less than any time given before. */
  now(): number {
    const now = uptimeUs(this.#hands, this.#countsNow());
    if (now > this.#latest) this.#latest = now;
    return this.#latest;
  }

  /** Brings coarse time up to date, for every thread. Returns it. */
  refresh(): number {
    const now = this.now();
    this.#page.coarse = now;
    return now;
  }

  uptime(): Timespec {
    return uptimeAt(this.#hands, this.#countsNow());
  }

  wall(): Timespec {
    return wallAt(this.#hands, this.#countsNow());
  }

  /** Sets the wall clock. Uptime does not move. */
  setWall(wall: Timespec): void {
    const offset = subtractTimespec(wall, this.uptime());
    this.#hands.wallSeconds = offset.seconds;
    this.#hands.wallNanoseconds = offset.nanoseconds;
    this.windUp();
  }

  /** Steps the wall clock by so many µs, forward or back. Uptime does not move. */
  stepWall(us: number): void {
    this.setWall(addTimespec(this.wall(), timespecFromUs(us)));
  }

  /** Moves the base of extrapolation to now, and publishes it. */
  windUp(): void {
    this.#rebase();
    this.#publish();
  }

  #enrol(counter: Timecounter): void {
    if (this.#counters.some((other) => other.name === counter.name)) {
      throw new RangeError(`a timecounter called ${counter.name} is registered already`);
    }
    if (this.#counters.length === COUNTER_SLOTS) throw new RangeError(`at most ${COUNTER_SLOTS} timecounters`);
    if (
      counter.name.length > COUNTER_NAME_LENGTH ||
      !(counter.frequency > 0) ||
      !(counter.mask <= Number.MAX_SAFE_INTEGER)
    ) {
      throw new RangeError(`timecounter ${counter.name} is out of bounds`);
    }
    this.#page.setCounterName(this.#counters.length, counter.name);
    this.#counters.push(counter);
  }

  /** The highest quality, then the highest frequency; negative qualities only when there is nothing else. */
  #best(): Timecounter {
    return this.#counters.reduce((best, counter) =>
      counter.quality > best.quality || (counter.quality === best.quality && counter.frequency > best.frequency)
        ? counter
        : best,
    );
  }

  /** The base moves to now by the old counter; from there the new one counts. */
  #switchTo(counter: Timecounter): void {
    const hands = this.#hands;
    if (hands.scale !== 0) this.#rebase();
    this.#counter = counter;
    this.#mostCounts = 0;
    hands.counter = this.#counters.indexOf(counter);
    hands.scale = 1e9 / counter.frequency;
    hands.count = counter.read();
    this.#publish();
    this.onSwitch?.();
  }

  #countsNow(): number {
    const counts = countsBetween(this.#counter, this.#hands.count, this.#counter.read());
    if (counts > this.#mostCounts) this.#mostCounts = counts;
    return this.#mostCounts;
  }

  #rebase(): void {
    const hands = this.#hands;
    const counts = this.#countsNow();
    if (counts === 0) return;
    const nanoseconds = hands.nanoseconds + counts * hands.scale;
    const carry = Math.floor(nanoseconds / 1e9);
    hands.seconds += carry;
    hands.nanoseconds = nanoseconds - carry * 1e9;
    hands.count = (hands.count + counts) % (this.#counter.mask + 1);
    this.#mostCounts = 0;
  }

  #publish(): void {
    this.#page.publish(this.#hands);
    this.refresh();
  }
}
