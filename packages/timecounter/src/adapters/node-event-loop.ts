import type { EventLoop, LoopTimer } from "../event-loop.ts";
import { timespecFromUs } from "../timespec.ts";
import type { Timespec } from "../types.ts";

/** Longer delays overflow Node's timers; waking early does no harm. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Node's event loop. */
export const nodeEventLoop: EventLoop = {
  timer: (wake) => new NodeTimer(wake),
  soon(task: () => void): void {
    setImmediate(task);
  },
  wall(): Timespec {
    return timespecFromUs(wallUs());
  },
};

/** `Date` follows the host's clock but counts ms; `performance` counts µs from a start that a step of the clock leaves behind. */
function wallUs(): number {
  const fineUs = (performance.timeOrigin + performance.now()) * 1000;
  const dateUs = Date.now() * 1000;
  return Math.abs(fineUs - dateUs - 500) < 1000 ? fineUs : dateUs + 500;
}

class NodeTimer implements LoopTimer {
  readonly #wake: () => void;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #keepAlive = true;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  set(delayMs: number): void {
    this.clear();
    if (delayMs <= 0) this.#immediate = setImmediate(this.#wake);
    else this.#timeout = setTimeout(this.#wake, Math.min(delayMs, LONGEST_DELAY_MS));
    this.hold(this.#keepAlive);
  }

  clear(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
    this.#timeout = undefined;
    this.#immediate = undefined;
  }

  hold(keepAlive: boolean): void {
    this.#keepAlive = keepAlive;
    if (keepAlive) {
      this.#timeout?.ref();
      this.#immediate?.ref();
    } else {
      this.#timeout?.unref();
      this.#immediate?.unref();
    }
  }
}
