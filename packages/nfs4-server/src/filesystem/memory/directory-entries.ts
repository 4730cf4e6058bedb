/**
 * The names of a directory in the order of their making, each with a cookie that stays good for as long as the directory lives: cookies only
 * grow, so reading on after one is a binary search, and whatever is made meanwhile comes behind.
 */
export interface NamedEntry<Node> {
  readonly name: string;
  readonly cookie: number;
  node: Node;
  removed: boolean;
}

const FIRST_COOKIE = 3;

export class DirectoryEntries<Node> {
  readonly #byName: Map<string, NamedEntry<Node>> = new Map();
  /** By cookie. Removed entries stay until half of the list is dead. */
  #ordered: NamedEntry<Node>[] = [];
  #dead = 0;
  #nextCookie = FIRST_COOKIE;

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Node | undefined {
    return this.#byName.get(name)?.node;
  }

  /** Adds a name, or lets it mean another node and keep its cookie. */
  set(name: string, node: Node): void {
    const known = this.#byName.get(name);
    if (known) {
      known.node = node;
      return;
    }
    const entry = { name, cookie: this.#nextCookie++, node, removed: false };
    this.#byName.set(name, entry);
    this.#ordered.push(entry);
  }

  delete(name: string): void {
    const entry = this.#byName.get(name);
    if (!entry) return;
    entry.removed = true;
    this.#byName.delete(name);
    if (++this.#dead > 32 && this.#dead * 2 > this.#ordered.length) {
      this.#ordered = this.#ordered.filter((one) => !one.removed);
      this.#dead = 0;
    }
  }

  /** At most `limit` entries whose cookies are above `cookie`, and whether none follows. */
  after(cookie: number, limit: number): { readonly entries: NamedEntry<Node>[]; readonly end: boolean } {
    let low = 0;
    let high = this.#ordered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ordered[middle]?.cookie ?? 0) > cookie) high = middle;
      else low = middle + 1;
    }
    const entries: NamedEntry<Node>[] = [];
    for (; low < this.#ordered.length; low++) {
      const entry = this.#ordered[low];
      if (!entry || entry.removed) continue;
      if (entries.length === limit) return { entries, end: false };
      entries.push(entry);
    }
    return { entries, end: true };
  }

  *[Symbol.iterator](): IterableIterator<[string, Node]> {
    for (const [name, entry] of this.#byName) yield [name, entry.node];
  }
}
