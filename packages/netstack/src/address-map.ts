import { hashAddress } from "./address.ts";

interface Entry<V> {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly hash: number;
  value: V;
  next: Entry<V> | null;
}

/** A map keyed by addresses given as words, by an integer hash under a secret seed. Remembers the order in which hashes were first set. */
export class AddressMap<V> {
  size = 0;
  readonly #seed: number;
  readonly #heads = new Map<number, Entry<V>>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  get(w0: number, w1: number, w2: number, w3: number): V | undefined {
    let entry = this.#heads.get(hashAddress(this.#seed, w0, w1, w2, w3)) ?? null;
    while (entry !== null) {
      if (entry.w3 === w3 && entry.w0 === w0 && entry.w1 === w1 && entry.w2 === w2) return entry.value;
      entry = entry.next;
    }
    return undefined;
  }

  set(w0: number, w1: number, w2: number, w3: number, value: V): void {
    const hash = hashAddress(this.#seed, w0, w1, w2, w3);
    const head = this.#heads.get(hash) ?? null;
    for (let entry = head; entry !== null; entry = entry.next) {
      if (entry.w3 === w3 && entry.w0 === w0 && entry.w1 === w1 && entry.w2 === w2) {
        entry.value = value;
        return;
      }
    }
    this.#heads.set(hash, { w0, w1, w2, w3, hash, value, next: head });
    this.size++;
  }

  delete(w0: number, w1: number, w2: number, w3: number): boolean {
    const hash = hashAddress(this.#seed, w0, w1, w2, w3);
    let before: Entry<V> | null = null;
    let entry = this.#heads.get(hash) ?? null;
    while (entry !== null) {
      if (entry.w3 === w3 && entry.w0 === w0 && entry.w1 === w1 && entry.w2 === w2) {
        if (before !== null) before.next = entry.next;
        else if (entry.next !== null) this.#heads.set(hash, entry.next);
        else this.#heads.delete(hash);
        this.size--;
        return true;
      }
      before = entry;
      entry = entry.next;
    }
    return false;
  }

  clear(): void {
    this.#heads.clear();
    this.size = 0;
  }

  /** The value set first (of the hashes that are left), or undefined. */
  oldest(): V | undefined {
    for (const entry of this.#heads.values()) return entry.value;
    return undefined;
  }

  *values(): IterableIterator<V> {
    for (const head of this.#heads.values())
      for (let entry: Entry<V> | null = head; entry !== null; entry = entry.next) yield entry.value;
  }
}
