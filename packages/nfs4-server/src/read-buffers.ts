/** Buffers that READ fills and the transport sends from; each comes back when its reply has been acknowledged. */

export interface ReadBuffer {
  readonly bytes: Uint8Array;
  release(): void;
}

const CLASSES = [4 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024];

export class ReadBuffers {
  readonly #free: Uint8Array[][] = CLASSES.map(() => []);
  readonly #keepBytes: number;
  readonly #poison: boolean;
  #kept = 0;
  #outstanding = 0;

  /** `keepBytes`: how much memory may lie idle. `poison` (tests): what is given back is overwritten. */
  constructor(keepBytes: number = 64 * 2 ** 20, poison = false) {
    this.#keepBytes = keepBytes;
    this.#poison = poison;
  }

  /** Buffers that have not come back. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** At least `size` bytes; `bytes` is cut to `size`. */
  take(size: number): ReadBuffer {
    const kind = CLASSES.findIndex((limit) => size <= limit);
    const idle = this.#free[kind]?.pop();
    if (idle) this.#kept -= idle.length;
    const whole = idle ?? new Uint8Array(CLASSES[kind] ?? size);
    this.#outstanding++;
    let released = false;
    return {
      bytes: whole.length === size ? whole : whole.subarray(0, size),
      release: () => {
        if (released) return;
        released = true;
        this.#outstanding--;
        if (this.#poison) whole.fill(0xde);
        if (kind < 0 || this.#kept + whole.length > this.#keepBytes) return;
        this.#free[kind]?.push(whole);
        this.#kept += whole.length;
      },
    };
  }
}
