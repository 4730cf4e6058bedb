/**
 * Memory that is promised to the reply caches of sessions. What a slot keeps cannot be taken back (RFC 8881 §2.10.6.1.3), so it is bounded where
 * slots are given out: the less is left, the fewer a new session gets.
 */

/** A session gets at most this part of what is left, so that those who come later find some. */
const SHARE = 8;

export class ReplyMemory {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes memory for up to `slots` replies of `bytes` each. Returns for how many; 0: not even for one. */
  take(slots: number, bytes: number): number {
    const fair = Math.max(1, Math.floor(this.#left / SHARE / bytes));
    const granted = Math.min(slots, fair, Math.floor(this.#left / bytes));
    this.#left -= granted * bytes;
    return granted;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}
