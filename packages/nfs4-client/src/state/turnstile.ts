import type { Turn } from "../protocol/compound.ts";

/** Lets one pass at a time, in the order of their coming. */
export class Turnstile implements Turn {
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  enter(): Promise<void> | undefined {
    if (this.#taken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return undefined;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }
}
