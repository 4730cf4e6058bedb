import type { Callout } from "./types.ts";

/** Values of `CalloutEntry.place` beside the number of a bucket (≥ 0). */
export const NOWHERE = -1;
export const IN_HEAP = -2;
export const IN_BATCH = -3;

/** What an entry needs of the wheel that it belongs to. */
export interface CalloutHost {
  /** Number of the latest arming; equal deadlines fire in this order. */
  armings: number;
  coarse(): number;
  /** Puts the entry where `deadline` belongs, wherever it is now. */
  move(entry: CalloutEntry, deadline: number): void;
  remove(entry: CalloutEntry): void;
}

/**
 * A callout as the wheel keeps it: two times, the one that its owner wants (`deadline`) and the one by which it was filed (`key`).
 * A deadline moved later leaves the entry where it is, until what it was filed under comes up.
 */
export class CalloutEntry implements Callout {
  deadline: number = Number.NaN;
  /** Number of the arming that set `deadline`. */
  arming = 0;

  /** What the entry is filed under: never later than `deadline`. NaN while it is filed nowhere, so that every move is a real one. */
  key: number = Number.NaN;
  /** With `key`, the order in the heap. */
  keyArming = 0;
  /** Number of the bucket, or `NOWHERE`, `IN_HEAP`, `IN_BATCH`. */
  place: number = NOWHERE;
  heapIndex = 0;
  previous: CalloutEntry | null = null;
  next: CalloutEntry | null = null;

  /** Numbers the callouts of a wheel in the order in which they were made. */
  readonly id: number;
  readonly handler: (owner: unknown) => void;
  readonly #owner: unknown;
  readonly #host: CalloutHost;

  constructor(host: CalloutHost, id: number, handler: (owner: unknown) => void, owner: unknown) {
    this.#host = host;
    this.id = id;
    this.handler = handler;
    this.#owner = owner;
  }

  /** For the wheel, once the entry is filed nowhere any more. */
  fire(): void {
    this.handler(this.#owner);
  }

  get armed(): boolean {
    return this.place !== NOWHERE;
  }

  schedule(deadline: number): void {
    if (deadline >= this.key) {
      this.deadline = deadline;
      this.arming = ++this.#host.armings;
    } else {
      this.#host.move(this, deadline);
    }
  }

  scheduleAfter(delay: number): void {
    this.schedule(this.#host.coarse() + delay);
  }

  cancel(): void {
    if (this.place !== NOWHERE) this.#host.remove(this);
  }
}
