/** Runs what shares a key one after the other, and what nobody waits for at once. */
import type { Awaitable } from "./filesystem/types.ts";

export class KeyedQueue {
  /** The last promise of each busy key. */
  readonly #tails: Map<string, Promise<unknown>> = new Map();

  get busyKeys(): number {
    return this.#tails.size;
  }

  /** Runs `task` when nothing else with this key runs. */
  run<T>(key: string, task: () => Awaitable<T>): Awaitable<T> {
    const before = this.#tails.get(key);
    if (before) return this.#hold(key, before.then(task));
    const result = task();
    return result instanceof Promise ? this.#hold(key, result) : result;
  }

  /** As `run` with two keys, always taken in the same order so that two of these cannot wait for each other. */
  runBoth<T>(a: string, b: string, task: () => Awaitable<T>): Awaitable<T> {
    if (a === b) return this.run(a, task);
    const [first, second] = a < b ? [a, b] : [b, a];
    return this.run(first, () => this.run(second, task));
  }

  #hold<T>(key: string, result: Promise<T>): Promise<T> {
    const tail: Promise<void> = result.then(
      () => this.#release(key, tail),
      () => this.#release(key, tail),
    );
    this.#tails.set(key, tail);
    return result;
  }

  #release(key: string, tail: Promise<unknown>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}
