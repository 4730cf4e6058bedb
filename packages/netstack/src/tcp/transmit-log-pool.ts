import { TransmitLog } from "./transmit-log.ts";

/** Runs that a log may have room for and still be kept. */
const LARGEST_KEPT = 512;

/** Logs that no connection uses: one is taken when data leaves, and given back when all of it is acknowledged. */
export class TransmitLogPool {
  readonly #free: TransmitLog[] = [];
  readonly #keep: number;

  constructor(keep = 256) {
    this.#keep = keep;
  }

  take(): TransmitLog {
    return this.#free.pop() ?? new TransmitLog();
  }

  give(log: TransmitLog): void {
    log.clear();
    // One that a long path has made large goes.
    if (this.#free.length < this.#keep && log.starts.length <= LARGEST_KEPT) this.#free.push(log);
  }
}
