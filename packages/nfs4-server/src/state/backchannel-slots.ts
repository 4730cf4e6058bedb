/** The server's side of a session's backchannel slots: each callback takes a free one and counts it up (RFC 8881 §2.10.6, §20.9). */

export interface BackchannelSlot {
  readonly id: number;
  /** Of the next CB_SEQUENCE. */
  sequence: number;
}

export class BackchannelSlots {
  readonly #free: BackchannelSlot[];
  readonly #waiting: ((slot: BackchannelSlot) => void)[] = [];
  readonly highest: number;

  constructor(count: number) {
    this.highest = count - 1;
    this.#free = Array.from({ length: count }, (_, id) => ({ id: count - 1 - id, sequence: 1 }));
  }

  /** A slot for one callback, when one is free. */
  take(): BackchannelSlot | Promise<BackchannelSlot> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(slot: BackchannelSlot): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free.push(slot);
  }
}
