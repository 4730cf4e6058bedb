import { addon, type NativeWatcher } from "./addon.ts";
import { checked } from "./errno.ts";

/** Events of a Watcher, to be combined with `|`. */
export const READABLE = 1;
export const WRITABLE = 2;
/** The peer has hung up. */
export const DISCONNECT = 4;

/**
 * Readiness of one descriptor. Fires once per arming, never within `arm`. Arming again within the callback costs no system call.
 * An armed watcher keeps the process alive (see `setReferenced`). The descriptor is borrowed: close the watcher first.
 */
export class Watcher {
  readonly #native: NativeWatcher;

  /** @param callback Receives the events that fired; they must be armed again to fire again. */
  constructor(fd: number, callback: (events: number) => void) {
    this.#native = new (addon().Watcher)(fd, callback);
  }

  /** Adds to the events waited for. */
  arm(events: number): void {
    checked(this.#native.arm(events), "epoll_ctl");
  }

  /** No callback until the next `arm`. */
  disarm(): void {
    this.#native.disarm();
  }

  /** Whether it keeps the process alive while armed; true at first. */
  setReferenced(keepAlive: boolean): void {
    this.#native.setReferenced(keepAlive);
  }

  /** Idempotent. No callback follows. */
  close(): void {
    this.#native.close();
  }
}
