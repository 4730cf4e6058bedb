/** Buffers that READ fills and the transport sends from; each comes back when its reply has been acknowledged. */

export interface ReadBuffer {
  readonly bytes: Uint8Array;
  release(): void;
}

const CLASSES = [4 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024];

/** What a READ gets of what it asked for while memory is scarce. */
const SHORT = 16 * 1024;

export interface ReadBuffersOptions {
  /** How much memory may lie idle. Default 16 MiB. */
  readonly keepBytes?: number;
  /** How much may be out before buffers get short. Default 32 MiB. */
  readonly ampleBytes?: number;
  /** For tests: what is given back is overwritten. */
  readonly poison?: boolean;
}

export class ReadBuffers {
  readonly #free: Uint8Array[][] = CLASSES.map(() => []);
  readonly #keepBytes: number;
  readonly #ampleBytes: number;
  readonly #poison: boolean;
  #kept = 0;
  #outstanding = 0;
  #outstandingBytes = 0;

  constructor({ keepBytes = 16 * 2 ** 20, ampleBytes = 32 * 2 ** 20, poison = false }: ReadBuffersOptions = {}) {
    this.#keepBytes = keepBytes;
    this.#ampleBytes = ampleBytes;
    this.#poison = poison;
  }

  /** Buffers that have not come back. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /**
   * `bytes` is as long as `size`, or shorter while too much is out: of calls that are executed at the same time nobody knows how much they will read, and a READ
   * may always give less than it was asked for (RFC 8881 §18.22.3).
   */
  take(size: number): ReadBuffer {
    const given = this.#outstandingBytes < this.#ampleBytes ? size : Math.min(size, SHORT);
    const kind = CLASSES.findIndex((limit) => given <= limit);
    const idle = this.#free[kind]?.pop();
    if (idle) this.#kept -= idle.length;
    const whole = idle ?? new Uint8Array(CLASSES[kind] ?? given);
    this.#outstanding++;
    this.#outstandingBytes += whole.length;
    let released = false;
    return {
      bytes: whole.length === given ? whole : whole.subarray(0, given),
      release: () => {
        if (released) return;
        released = true;
        this.#outstanding--;
        this.#outstandingBytes -= whole.length;
        if (this.#poison) whole.fill(0xde);
        if (kind < 0 || this.#kept + whole.length > this.#keepBytes) return;
        this.#free[kind]?.push(whole);
        this.#kept += whole.length;
      },
    };
  }
}
