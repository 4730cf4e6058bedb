import { hashEnd, hashWord } from "../address.ts";
import type { Flow, FlowKey } from "./flow.ts";

const SMALLEST = 64;
/** Old buckets emptied per insertion while the table grows, so that no single packet pays for it. */
const MOVES = 4;

/**
 * Flows by their two ends: a chained table under a secret integer hash. It doubles when it holds as many flows as buckets, and moves them over a
 * few buckets at a time.
 */
export class FlowTable {
  readonly #seed: number;
  #buckets: (Flow | null)[];
  #mask: number;
  /** While growing: the table before, of which buckets below `#moved` are empty already. */
  #old: (Flow | null)[] | null = null;
  #moved = 0;
  #size = 0;

  /** `seed`: 32 secret random bits, so that nobody outside can make chains. */
  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#buckets = new Array<Flow | null>(SMALLEST).fill(null);
    this.#mask = SMALLEST - 1;
  }

  get size(): number {
    return this.#size;
  }

  find(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    localPort: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    remotePort: number,
  ): Flow | null {
    const hash = hashEnds(this.#seed, l0, l3, localPort, r0, r1, r2, r3, remotePort);
    let flow: Flow | null = this.#buckets[hash & this.#mask]!;
    for (let pass = 0; pass < 2; pass++) {
      while (flow !== null) {
        if (
          flow.hash === hash &&
          flow.remotePort === remotePort &&
          flow.localPort === localPort &&
          flow.r3 === r3 &&
          flow.l3 === l3 &&
          flow.r0 === r0 &&
          flow.r1 === r1 &&
          flow.r2 === r2 &&
          flow.l0 === l0 &&
          flow.l1 === l1 &&
          flow.l2 === l2
        ) {
          return flow;
        }
        flow = flow.nextInBucket;
      }
      const old = this.#old;
      if (old === null) return null;
      flow = old[hash & (old.length - 1)]!;
    }
    return null;
  }

  findKey(key: FlowKey): Flow | null {
    const { l0, l1, l2, l3, localPort, r0, r1, r2, r3, remotePort } = key;
    return this.find(l0, l1, l2, l3, localPort, r0, r1, r2, r3, remotePort);
  }

  /** Adds a flow whose ends are not in the table. */
  insert(flow: Flow): void {
    flow.hash = hashEnds(
      this.#seed,
      flow.l0,
      flow.l3,
      flow.localPort,
      flow.r0,
      flow.r1,
      flow.r2,
      flow.r3,
      flow.remotePort,
    );
    const index = flow.hash & this.#mask;
    flow.nextInBucket = this.#buckets[index]!;
    this.#buckets[index] = flow;
    this.#size++;
    if (this.#old !== null) this.#moveSome();
    else if (this.#size > this.#mask) this.#grow();
  }

  /** False: it was not in the table. */
  remove(flow: Flow): boolean {
    if (unlink(this.#buckets, flow.hash & this.#mask, flow)) {
      this.#size--;
      return true;
    }
    const old = this.#old;
    if (old !== null && unlink(old, flow.hash & (old.length - 1), flow)) {
      this.#size--;
      return true;
    }
    return false;
  }

  /** Length of the longest chain: for tests and statistics. */
  longestChain(): number {
    let longest = 0;
    for (const first of this.#buckets) {
      let length = 0;
      for (let flow = first; flow !== null; flow = flow.nextInBucket) length++;
      if (length > longest) longest = length;
    }
    return longest;
  }

  *[Symbol.iterator](): Generator<Flow, void, undefined> {
    const tables = this.#old === null ? [this.#buckets] : [this.#buckets, this.#old];
    for (const buckets of tables) {
      for (const first of buckets) {
        let flow = first;
        while (flow !== null) {
          const next: Flow | null = flow.nextInBucket;
          yield flow;
          flow = next;
        }
      }
    }
  }

  #grow(): void {
    this.#old = this.#buckets;
    this.#moved = 0;
    const size = this.#buckets.length * 2;
    this.#buckets = new Array<Flow | null>(size).fill(null);
    this.#mask = size - 1;
  }

  #moveSome(): void {
    const old = this.#old!;
    const end = Math.min(this.#moved + MOVES, old.length);
    for (let i = this.#moved; i < end; i++) {
      let flow = old[i]!;
      old[i] = null;
      while (flow !== null) {
        const next: Flow | null = flow.nextInBucket;
        const index = flow.hash & this.#mask;
        flow.nextInBucket = this.#buckets[index]!;
        this.#buckets[index] = flow;
        flow = next!;
      }
    }
    this.#moved = end;
    if (end === old.length) this.#old = null;
  }
}

/** All that differs between flows of one host: both ports, the peer, and the words of our address that tell it from our others. */
function hashEnds(
  seed: number,
  l0: number,
  l3: number,
  localPort: number,
  r0: number,
  r1: number,
  r2: number,
  r3: number,
  remotePort: number,
): number {
  let hash = hashWord(seed, (localPort << 16) | remotePort);
  hash = hashWord(hash, r3);
  hash = hashWord(hash, l3);
  if (r0 !== 0 || l0 !== 0) {
    hash = hashWord(hash, r0);
    hash = hashWord(hash, r1);
    hash = hashWord(hash, r2);
    hash = hashWord(hash, l0);
  }
  return hashEnd(hash);
}

function unlink(buckets: (Flow | null)[], index: number, flow: Flow): boolean {
  let at = buckets[index]!;
  if (at === flow) {
    buckets[index] = flow.nextInBucket;
    flow.nextInBucket = null;
    return true;
  }
  while (at !== null) {
    const next: Flow | null = at.nextInBucket;
    if (next === flow) {
      at.nextInBucket = flow.nextInBucket;
      flow.nextInBucket = null;
      return true;
    }
    at = next!;
  }
  return false;
}
