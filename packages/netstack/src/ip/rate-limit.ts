import type { Clock } from "@nfs4/timecounter";
import type { Sysctl } from "../sysctl.ts";

const SECOND = 1e6;

/** So many events in each second, as FreeBSD's ppsratecheck: a limit of 0 means none. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #limit: Sysctl<number>;
  #windowEnd = 0;
  #count = 0;

  constructor(clock: Clock, limit: Sysctl<number>) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Counts one event and says whether it may happen. */
  allows(): boolean {
    const limit = this.#limit.value;
    if (limit === 0) return true;
    const now = this.#clock.coarse();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + SECOND;
      this.#count = 0;
    }
    return ++this.#count <= limit;
  }
}
