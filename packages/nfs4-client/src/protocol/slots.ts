/** A place in a session's reply cache: what is sent there is executed once, and in order (RFC 8881 §2.10.6.1). */
export interface Slot {
  readonly id: number;
  /** Of the last request. */
  sequence: number;
}

/** The slots of a session: the lowest free one goes first, so that the server can see how many are of use. */
export class SlotTable {
  readonly #free: Slot[] = [];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  readonly #busy = new Set<number>();
  /** Slots in use at most, as the server wishes (sr_target_highest_slotid). */
  #limit: number;
  readonly size: number;

  constructor(size: number) {
    this.size = size;
    this.#limit = size;
    for (let id = size - 1; id >= 0; id--) this.#free.push({ id, sequence: 0 });
  }

  get limit(): number {
    return this.#limit;
  }

  /** sa_highest_slotid: of those in use. */
  get highest(): number {
    return Math.max(0, ...this.#busy);
  }

  acquire(): Promise<Slot> {
    const slot = this.#take();
    return slot === null ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(slot);
  }

  release(slot: Slot): void {
    this.#busy.delete(slot.id);
    this.#free.push(slot);
    this.#free.sort((a, b) => b.id - a.id);
    this.#serve();
  }

  /** The server wants so many in use, at least one. */
  resize(limit: number): void {
    this.#limit = Math.max(1, Math.min(limit, this.size));
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const slot = this.#take();
      if (slot === null) return;
      this.#waiting.shift()!(slot);
    }
  }

  #take(): Slot | null {
    const slot = this.#free.at(-1);
    if (slot === undefined || slot.id >= this.#limit) return null;
    this.#free.pop();
    this.#busy.add(slot.id);
    return slot;
  }
}
