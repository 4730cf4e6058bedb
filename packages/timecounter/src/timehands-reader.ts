import { uptimeAt, uptimeUs, wallAt } from "./extrapolate.ts";
import { countsBetween, type Timecounter } from "./timecounter.ts";
import { COUNTER_SLOTS, emptyTimehands, TimehandsPage } from "./timehands-page.ts";
import type { Timespec } from "./types.ts";

/**
 * Reads, in any thread and without a lock, the time that a `Timekeeper` elsewhere publishes. `counters` are this thread's ways to read the
 * keeper's counters, matched by name. While the keeper uses one that is not among them, exact time is no better than its last wind-up.
 */
export class TimehandsReader {
  readonly #page: TimehandsPage;
  readonly #counters: readonly Timecounter[];
  readonly #bySlot: (Timecounter | null | undefined)[] = new Array<Timecounter | null | undefined>(COUNTER_SLOTS);
  readonly #hands = emptyTimehands();
  #retries = 0;

  constructor(page: SharedArrayBuffer, counters: readonly Timecounter[]) {
    this.#page = new TimehandsPage(page);
    this.#counters = counters;
  }

  /** How often a read met a wind-up under way and started over. */
  get retries(): number {
    return this.#retries;
  }

  /** Uptime in µs as of the keeper's last turn or wind-up. */
  coarse(): number {
    return this.#page.coarse;
  }

  /** Uptime in µs now. */
  now(): number {
    const counts = this.#read();
    return uptimeUs(this.#hands, counts);
  }

  uptime(): Timespec {
    const counts = this.#read();
    return uptimeAt(this.#hands, counts);
  }

  wall(): Timespec {
    const counts = this.#read();
    return wallAt(this.#hands, counts);
  }

  /** Copies consistent hands, and returns the counts since. */
  #read(): number {
    while (!this.#page.tryRead(this.#hands)) this.#retries++;
    const counter = this.#counterIn(this.#hands.counter);
    return counter === null ? 0 : countsBetween(counter, this.#hands.count, counter.read());
  }

  #counterIn(slot: number): Timecounter | null {
    let counter = this.#bySlot[slot];
    if (counter === undefined) {
      const name = this.#page.counterName(slot);
      counter = this.#counters.find((candidate) => candidate.name === name) ?? null;
      this.#bySlot[slot] = counter;
    }
    return counter;
  }
}
