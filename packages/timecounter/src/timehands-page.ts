/**
 * The page of shared memory in which one thread publishes time to all others, after FreeBSD's tc_windup (kern_tc.c): a ring of *timehands*,
 * each a base from which the counter extrapolates, each under a generation number that is 0 while it is being written.
 *
 * JavaScript's plain stores may become visible out of order, atomic ones not. A reader takes the current hands through an atomic load,
 * after the atomic store that published them, so it sees them whole. They are written again only `RING` − 1 wind-ups later; a reader that was
 * suspended for as long finds another generation and starts over.
 */
const RING = 8;

export const COUNTER_SLOTS = 8;
export const COUNTER_NAME_LENGTH = 24;

/** Words (32 bits) of the page. */
const CURRENT = 0;
const GENERATION = 4;
/** Doubles of the page. */
const COARSE = 1;
const FIRST_HANDS = 8;
const HANDS = 8;
const NAMES_AT = (FIRST_HANDS + RING * HANDS) * 8;
const PAGE_BYTES = NAMES_AT + COUNTER_SLOTS * COUNTER_NAME_LENGTH;

/** One base for extrapolation. */
export interface Timehands {
  /** Slot of the counter. */
  counter: number;
  /** Its count at the base. */
  count: number;
  /** ns per count. */
  scale: number;
  /** Uptime at the base. `nanoseconds` has a fraction, so that wind-ups lose nothing. */
  seconds: number;
  nanoseconds: number;
  /** Wall-clock time minus uptime. */
  wallSeconds: number;
  wallNanoseconds: number;
}

export function emptyTimehands(): Timehands {
  return { counter: 0, count: 0, scale: 0, seconds: 0, nanoseconds: 0, wallSeconds: 0, wallNanoseconds: 0 };
}

export class TimehandsPage {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;

  /** A fresh page, or a view of one that another thread has made. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(PAGE_BYTES)) {
    if (buffer.byteLength !== PAGE_BYTES) throw new RangeError(`a page of timehands has ${PAGE_BYTES} bytes`);
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  get coarse(): number {
    return this.#doubles[COARSE] as number;
  }

  set coarse(us: number) {
    this.#doubles[COARSE] = us;
  }

  /** The writer's part of a wind-up. */
  publish(hands: Timehands): void {
    const words = this.#words;
    const index = ((words[CURRENT] as number) + 1) % RING;
    const generation = words[GENERATION + index] as number;
    Atomics.store(words, GENERATION + index, 0);
    const doubles = this.#doubles;
    const at = FIRST_HANDS + index * HANDS;
    doubles[at] = hands.counter;
    doubles[at + 1] = hands.count;
    doubles[at + 2] = hands.scale;
    doubles[at + 3] = hands.seconds;
    doubles[at + 4] = hands.nanoseconds;
    doubles[at + 5] = hands.wallSeconds;
    doubles[at + 6] = hands.wallNanoseconds;
    Atomics.store(words, GENERATION + index, (generation + 1) | 0 || 1);
    Atomics.store(words, CURRENT, index);
  }

  /** Copies the current hands, whole. Returns false when they changed meanwhile, or none are published: try again. */
  tryRead(into: Timehands): boolean {
    const words = this.#words;
    const index = Atomics.load(words, CURRENT);
    const generation = Atomics.load(words, GENERATION + index);
    if (generation === 0) return false;
    const doubles = this.#doubles;
    const at = FIRST_HANDS + index * HANDS;
    into.counter = doubles[at] as number;
    into.count = doubles[at + 1] as number;
    into.scale = doubles[at + 2] as number;
    into.seconds = doubles[at + 3] as number;
    into.nanoseconds = doubles[at + 4] as number;
    into.wallSeconds = doubles[at + 5] as number;
    into.wallNanoseconds = doubles[at + 6] as number;
    return Atomics.load(words, GENERATION + index) === generation;
  }

  /** Name of the counter in a slot; "" while it is free. */
  counterName(slot: number): string {
    const bytes = new Uint8Array(this.buffer, NAMES_AT + slot * COUNTER_NAME_LENGTH, COUNTER_NAME_LENGTH);
    let name = "";
    for (const byte of bytes) if (byte !== 0) name += String.fromCharCode(byte);
    return name;
  }

  setCounterName(slot: number, name: string): void {
    const bytes = new Uint8Array(this.buffer, NAMES_AT + slot * COUNTER_NAME_LENGTH, COUNTER_NAME_LENGTH);
    bytes.fill(0);
    for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  }
}
