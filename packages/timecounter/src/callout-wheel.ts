import { CalloutEntry, type CalloutHost, IN_BATCH, IN_HEAP, NOWHERE } from "./callout-entry.ts";
import { DueHeap } from "./due-heap.ts";

/** Width of the finest bucket. Deadlines are kept exactly; this only decides when an entry leaves its bucket for the heap. */
export const TICK_US = 1024;

const LEVELS = 4;
const SLOTS = 256;
/** Ticks that one bucket of each level spans. */
const SPAN = [1, SLOTS, SLOTS ** 2, SLOTS ** 3] as const;
const HORIZON = SLOTS ** LEVELS;

export interface WheelOptions {
  /** The clock's coarse uptime in µs, for `scheduleAfter`. */
  readonly coarse: () => number;
  /** Where time stands now. Default 0. */
  readonly startUs?: number;
  /** Called when a callout is filed earlier than `wakeAt`, which then stands at that deadline. */
  readonly onEarlier?: (deadlineUs: number) => void;
  /** Called when the first callout is armed, and when the last is not any more. */
  readonly onOccupied?: (occupied: boolean) => void;
}

/**
 * A hierarchical timing wheel: four levels of 256 buckets of 1 ms, 262 ms, 67 s and 4.8 h. Arming, cancelling and moving are O(1), and a move
 * to a later deadline only writes a field. Entries of buckets that have come up wait in a heap, so that they fire in the exact order of
 * deadline, then arming. Deadlines beyond the wheel (51 days) are filed at its far end and again when that comes up.
 */
export class CalloutWheel implements CalloutHost {
  armings = 0;
  /** What the driver will wake up for; earlier deadlines call `onEarlier`. −∞ (the default) never does. */
  wakeAt: number = Number.NEGATIVE_INFINITY;
  readonly coarse: () => number;

  /** Every bucket up to this tick has been emptied. */
  #position: number;
  #made = 0;
  #armed = 0;
  #inTurn = false;
  readonly #heads: (CalloutEntry | null)[] = new Array<CalloutEntry | null>(LEVELS * SLOTS).fill(null);
  /** A bit per bucket that holds something. */
  readonly #occupied = new Int32Array((LEVELS * SLOTS) / 32);
  readonly #due = new DueHeap();
  readonly #onEarlier: (deadlineUs: number) => void;
  readonly #onOccupied: (occupied: boolean) => void;

  constructor(options: WheelOptions) {
    this.coarse = options.coarse;
    this.#position = Math.floor((options.startUs ?? 0) / TICK_US);
    this.#onEarlier = options.onEarlier ?? (() => {});
    this.#onOccupied = options.onOccupied ?? (() => {});
  }

  /** How many callouts are armed. */
  get size(): number {
    return this.#armed;
  }

  callout<Owner>(handler: (owner: Owner) => void, owner?: Owner): CalloutEntry {
    return new CalloutEntry(this, ++this.#made, handler as (owner: unknown) => void, owner);
  }

  move(entry: CalloutEntry, deadline: number): void {
    if (Number.isNaN(deadline)) throw new RangeError("the deadline of a callout is not a number");
    if (entry.place !== NOWHERE) this.#withdraw(entry);
    else if (this.#armed++ === 0) this.#onOccupied(true);
    entry.deadline = deadline;
    entry.arming = ++this.armings;
    this.#file(entry);
    if (deadline < this.wakeAt) {
      this.wakeAt = deadline;
      this.#onEarlier(deadline);
    }
  }

  remove(entry: CalloutEntry): void {
    this.#withdraw(entry);
    this.#disarmed();
  }

  /** Disarms and returns the first callout (by deadline, then by arming) that is due at `now`; the caller runs its handler. */
  takeDue(now: number): CalloutEntry | null {
    const entry = this.#popDue(now);
    if (entry !== null) this.#disarmed();
    return entry;
  }

  /**
   * One turn: runs what is due at `now`. What handlers arm meanwhile waits for the next turn, even if it is due. When a handler throws, the
   * rest stays due and the error goes to the caller. Returns how many handlers ran.
   */
  run(now: number): number {
    if (this.#inTurn) return 0;
    const batch: CalloutEntry[] = [];
    for (let entry = this.#popDue(now); entry !== null; entry = this.#popDue(now)) {
      entry.place = IN_BATCH;
      batch.push(entry);
    }
    this.#inTurn = true;
    let ran = 0;
    let index = 0;
    try {
      while (index < batch.length) {
        const entry = batch[index++] as CalloutEntry;
        if (entry.place !== IN_BATCH) continue;
        entry.place = NOWHERE;
        this.#disarmed();
        ran++;
        entry.fire();
      }
    } finally {
      this.#inTurn = false;
      for (; index < batch.length; index++) {
        const entry = batch[index] as CalloutEntry;
        if (entry.place === IN_BATCH) this.#file(entry);
      }
    }
    return ran;
  }

  /** The earliest deadline that is armed, in µs of uptime; Infinity when none is. */
  nextDeadline(): number {
    for (let top = this.#due.top; top !== undefined; top = this.#due.top) {
      if (top.arming === top.keyArming) return top.deadline;
      this.#due.remove(top);
      this.#file(top);
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (let level = 0; level < LEVELS; level++) earliest = this.#earliestOfLevel(level, earliest);
    return earliest;
  }

  /** The entries that are armed, in no order. */
  *[Symbol.iterator](): IterableIterator<CalloutEntry> {
    yield* this.#due;
    for (const head of this.#heads) for (let entry = head; entry !== null; entry = entry.next) yield entry;
  }

  #withdraw(entry: CalloutEntry): void {
    if (entry.place === IN_HEAP) {
      this.#due.remove(entry);
      return;
    }
    if (entry.place >= 0) this.#unlink(entry);
    entry.place = NOWHERE;
    entry.key = Number.NaN;
  }

  #disarmed(): void {
    if (--this.#armed === 0) this.#onOccupied(false);
  }

  #popDue(now: number): CalloutEntry | null {
    this.#advance(Math.floor(now / TICK_US));
    for (let top = this.#due.top; top !== undefined && top.key <= now; top = this.#due.top) {
      this.#due.remove(top);
      if (top.arming === top.keyArming) return top;
      this.#file(top);
    }
    return null;
  }

  /** Moves the position to `tick`, emptying every bucket on the way: coarse ones into finer ones, the finest into the heap. */
  #advance(tick: number): void {
    while (this.#position < tick) {
      let next = Number.POSITIVE_INFINITY;
      for (let level = 0; level < LEVELS; level++) next = Math.min(next, this.#nextOccupied(level));
      if (next > tick) {
        this.#position = tick;
        return;
      }
      this.#position = next;
      for (let level = LEVELS - 1; level >= 0; level--) {
        if (next % (SPAN[level] as number) === 0) this.#empty(slotOf(level, next));
      }
    }
  }

  #empty(slot: number): void {
    let entry = this.#heads[slot] as CalloutEntry | null;
    this.#heads[slot] = null;
    this.#clearBit(slot);
    while (entry !== null) {
      const next = entry.next;
      entry.previous = null;
      entry.next = null;
      this.#file(entry);
      entry = next;
    }
  }

  /**
   * The earlier of `bound` and the first deadline of a level, which is in its first bucket that holds any. A bucket that begins after the bound is not
   * looked into. Entries whose owner has moved them on are filed anew.
   */
  #earliestOfLevel(level: number, bound: number): number {
    let earliest = bound;
    for (;;) {
      const start = this.#nextOccupied(level);
      if (start === Number.POSITIVE_INFINITY || start * TICK_US >= earliest) return earliest;
      const slot = slotOf(level, start);
      const endUs = (start + (SPAN[level] as number)) * TICK_US;
      let remain = false;
      let entry = this.#heads[slot] as CalloutEntry | null;
      while (entry !== null) {
        const next = entry.next;
        earliest = Math.min(earliest, entry.deadline);
        if (entry.deadline >= endUs) {
          this.#unlink(entry);
          this.#file(entry);
        }
        if (entry.place === slot) remain = true;
        entry = next;
      }
      if (remain) return earliest;
    }
  }

  /** Files an entry that is in no bucket by its deadline. */
  #file(entry: CalloutEntry): void {
    const deadline = entry.deadline;
    let tick = Math.floor(deadline / TICK_US);
    const distance = tick - this.#position;
    if (distance <= 0) {
      this.#due.push(entry);
      return;
    }
    let level = 0;
    if (distance >= SPAN[1]) level = distance < SPAN[2] ? 1 : distance < SPAN[3] ? 2 : 3;
    entry.key = deadline;
    if (distance >= HORIZON) tick = this.#position + HORIZON - 1;
    const slot = slotOf(level, tick);
    entry.place = slot;
    const head = this.#heads[slot] as CalloutEntry | null;
    entry.next = head;
    if (head === null) this.#occupied[slot >>> 5]! |= 1 << (slot & 31);
    else head.previous = entry;
    this.#heads[slot] = entry;
  }

  #unlink(entry: CalloutEntry): void {
    const { previous, next, place } = entry;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else {
      this.#heads[place] = next;
      if (next === null) this.#clearBit(place);
    }
    entry.previous = null;
    entry.next = null;
  }

  #clearBit(slot: number): void {
    this.#occupied[slot >>> 5]! &= ~(1 << (slot & 31));
  }

  /** First tick of the next bucket of a level, after the position, that holds something; Infinity when the level is empty. */
  #nextOccupied(level: number): number {
    const span = SPAN[level] as number;
    const current = Math.floor(this.#position / span);
    const from = (current + 1) % SLOTS;
    const base = (level * SLOTS) >>> 5;
    let word = from >>> 5;
    let bits = (this.#occupied[base + word] as number) & (-1 << (from & 31));
    for (let seen = 0; seen <= SLOTS / 32; seen++) {
      if (bits !== 0) {
        const slot = (word << 5) + 31 - Math.clz32(bits & -bits);
        return (current + 1 + ((slot - from) & (SLOTS - 1))) * span;
      }
      word = (word + 1) & (SLOTS / 32 - 1);
      bits = this.#occupied[base + word] as number;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** Number of the bucket of `level` that covers `tick`. The shift takes the tick modulo 2^32, of which a level uses eight bits. */
function slotOf(level: number, tick: number): number {
  return level * SLOTS + ((tick >>> (8 * level)) & (SLOTS - 1));
}
