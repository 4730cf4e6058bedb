/**
 * A bound on something countable (bytes of records, calls in flight, bytes of replies), in a tree: what a connection takes counts for its
 * client's share, and for the whole server.
 *
 * A leaf belongs to one connection and has at most one request waiting. Requests that find no room wait in the order they came, at the
 * first budget of their chain that is short: nobody starves, however small the others' requests are. A request is granted by calling back
 * from within somebody's `give`, so the callback must only note it and schedule its work.
 */
export class Budget {
  readonly limit: number;
  #parent: Budget | null;
  #used = 0;
  #peak = 0;
  /** Leaves whose request waits here, oldest first. */
  #queue: Budget[] | null = null;
  #wanted = 0;
  #granted: (() => void) | null = null;
  #waitsAt: Budget | null = null;

  constructor(limit: number, parent: Budget | null = null) {
    this.limit = limit;
    this.#parent = parent;
  }

  /** What is taken now. May exceed `limit`, for `take` does not ask. */
  get used(): number {
    return this.#used;
  }

  /** The most that was ever taken at a time. */
  get peak(): number {
    return this.#peak;
  }

  /** Requests that wait for room here. */
  get waiting(): number {
    return this.#queue?.length ?? 0;
  }

  /** By how much the requests that wait here exceed the room there is. */
  get shortfall(): number {
    let wanted = 0;
    for (const leaf of this.#queue ?? []) wanted += leaf.#wanted;
    return Math.max(0, this.#used + wanted - this.limit);
  }

  /** Takes without asking. */
  take(amount: number): void {
    for (let budget: Budget | null = this; budget !== null; budget = budget.#parent) {
      budget.#used += amount;
      if (budget.#used > budget.#peak) budget.#peak = budget.#used;
    }
  }

  /** Takes `amount` here and in all parents if every one of them has room and nobody waits before us. */
  tryTake(amount: number): boolean {
    if (this.#shortAt(amount, null) !== null) return false;
    this.take(amount);
    return true;
  }

  /**
   * As `tryTake`, but if there is no room the request waits, and `granted` is called when the amount has been taken. Amounts above a limit
   * are granted once nothing else is taken there.
   */
  request(amount: number, granted: () => void): boolean {
    if (this.#waitsAt !== null) throw new Error("a request is waiting already");
    const short = this.#shortAt(amount, null);
    if (short === null) {
      this.take(amount);
      return true;
    }
    this.#wanted = amount;
    this.#granted = granted;
    this.#waitsAt = short;
    short.#enqueue(this);
    return false;
  }

  /** Withdraws the waiting request, if there is one. */
  cancel(): void {
    const at = this.#waitsAt;
    if (at === null) return;
    const queue = at.#queue!;
    queue.splice(queue.indexOf(this), 1);
    this.#waitsAt = null;
    this.#granted = null;
    at.#serve();
  }

  /** Gives back what was taken. */
  give(amount: number): void {
    for (let budget: Budget | null = this; budget !== null; budget = budget.#parent) budget.#used -= amount;
    for (let budget: Budget | null = this; budget !== null; budget = budget.#parent) {
      if (budget.waiting > 0) budget.#serve();
    }
  }

  /** Puts this leaf with all it has taken, and with its waiting request, under another parent. */
  moveTo(parent: Budget | null): void {
    if (parent === this.#parent) return;
    const amount = this.#wanted;
    const granted = this.#waitsAt === null ? null : this.#granted;
    this.cancel();
    const old = this.#parent;
    this.#parent = parent;
    parent?.take(this.#used);
    old?.give(this.#used);
    if (granted !== null && this.request(amount, granted)) granted();
  }

  /** The first budget from here upward without room for `amount`; `head` is the one whose queue we are at the head of. */
  #shortAt(amount: number, head: Budget | null): Budget | null {
    for (let budget: Budget | null = this; budget !== null; budget = budget.#parent) {
      if (budget.#used + amount > budget.limit && budget.#used > 0) return budget;
      if (budget.waiting > 0 && budget !== head) return budget;
    }
    return null;
  }

  #enqueue(leaf: Budget): void {
    this.#queue ??= [];
    this.#queue.push(leaf);
  }

  #serve(): void {
    const queue = this.#queue ?? [];
    for (let leaf = queue[0]; leaf !== undefined; leaf = queue[0]) {
      const short = leaf.#shortAt(leaf.#wanted, this);
      if (short === this) return;
      queue.shift();
      leaf.#waitsAt = short;
      if (short !== null) {
        short.#enqueue(leaf);
        continue;
      }
      const granted = leaf.#granted;
      leaf.#granted = null;
      leaf.take(leaf.#wanted);
      granted?.();
    }
  }
}
