/**
 * The byte-range locks of one file (RFC 8881 §9, §18.10–§18.12), decided synchronously and in this place alone.
 *
 * Ranges are half-open and exact: `[start, end)` with `end` up to 2^64. An owner's locks never overlap each other; setting a range
 * replaces, splits and merges what that owner had in it, as POSIX does.
 */

/** Past the last byte that a lock can name. */
export const LOCK_END: bigint = 1n << 64n;
const LENGTH_TO_END = LOCK_END - 1n;

export interface LockRange {
  readonly start: bigint;
  readonly end: bigint;
}

export interface HeldLock<Owner> extends LockRange {
  readonly owner: Owner;
  readonly exclusive: boolean;
}

/** A client that was denied and said that it waits (READW_LT, WRITEW_LT). */
interface Waiter<Owner> extends LockRange {
  readonly owner: Owner;
  readonly exclusive: boolean;
  /** Uptime (µs) after which it has evidently given up. */
  expires: number;
  /** Uptime (µs) until which the range is kept for it, since it was told that it may have it. */
  reservedUntil: number;
}

/** Offset and length as on the wire to a range, or null where RFC 8881 §18.10.3 wants NFS4ERR_INVAL. */
export function rangeOf(offset: bigint, length: bigint): LockRange | null {
  if (length === 0n) return null;
  if (length === LENGTH_TO_END) return { start: offset, end: LOCK_END };
  const end = offset + length;
  return end > LOCK_END ? null : { start: offset, end };
}

/** The length on the wire of a range. */
export function lengthOf(range: LockRange): bigint {
  return range.end === LOCK_END ? LENGTH_TO_END : range.end - range.start;
}

function overlaps(a: LockRange, b: LockRange): boolean {
  return a.start < b.end && b.start < a.end;
}

/** How long a denied waiter keeps its place without asking again, in µs: Linux asks at least every 30 s. */
export const WAITER_PATIENCE = 60_000_000;
/** How long a range is kept for a waiter that was told of it, in µs: it asks within a round trip or not at all. */
export const RESERVATION = 1_000_000;
const MAX_WAITERS = 1024;

export class ByteRangeLocks<Owner> {
  /** Sorted by start. Locks of different owners may overlap if both are shared. */
  #held: HeldLock<Owner>[] = [];
  /** In the order in which they were denied: fairness. */
  #waiters: Waiter<Owner>[] = [];

  get empty(): boolean {
    return this.#held.length === 0 && this.#waiters.length === 0;
  }

  get held(): readonly HeldLock<Owner>[] {
    return this.#held;
  }

  hasLocks(owner: Owner): boolean {
    return this.#held.some((lock) => lock.owner === owner);
  }

  /** The first lock of another owner (of those that `counts` picks) that stands in the way, or null. */
  conflict(
    owner: Owner | null,
    range: LockRange,
    exclusive: boolean,
    counts?: (owner: Owner) => boolean,
  ): HeldLock<Owner> | null {
    for (const lock of this.#held) {
      if (lock.start >= range.end) break;
      if (lock.owner === owner || !(exclusive || lock.exclusive) || !overlaps(lock, range)) continue;
      if (!counts || counts(lock.owner)) return lock;
    }
    return null;
  }

  /**
   * Somebody else who has waited longer and has just been told that it may have what this waiting request would take away (`now`: uptime in µs), or
   * null. Only waiting requests give way: to one that does not wait, a lock that nobody holds is free.
   */
  waiterAhead(owner: Owner, range: LockRange, exclusive: boolean, now: number): HeldLock<Owner> | null {
    for (const waiter of this.#waiters) {
      if (waiter.owner === owner) return null;
      if (waiter.reservedUntil > now && (exclusive || waiter.exclusive) && overlaps(waiter, range)) return waiter;
    }
    return null;
  }

  /** Remembers a denied waiter; asking again keeps its place. */
  enqueue(owner: Owner, range: LockRange, exclusive: boolean, now: number): void {
    const known = this.#waiters.find(
      (waiter) =>
        waiter.owner === owner &&
        waiter.start === range.start &&
        waiter.end === range.end &&
        waiter.exclusive === exclusive,
    );
    this.#waiters = this.#waiters.filter((waiter) => waiter.expires > now);
    if (known) {
      known.expires = now + WAITER_PATIENCE;
      // What it was told has come to nothing: it is told again.
      known.reservedUntil = 0;
    } else if (this.#waiters.length < MAX_WAITERS) {
      const { start, end } = range;
      this.#waiters.push({ owner, start, end, exclusive, expires: now + WAITER_PATIENCE, reservedUntil: 0 });
    }
  }

  /**
   * Tells waiters that nothing held stands in their way any more, longest waiting first. `tell` answers whether the owner can be told (CB_NOTIFY_LOCK): then the
   * range is kept for it for a moment. Nothing is kept for one that cannot be, for it may long have given up.
   */
  offer(now: number, tell: (owner: Owner) => boolean): void {
    const promised: Waiter<Owner>[] = [];
    for (const waiter of this.#waiters) {
      if (waiter.expires <= now || this.conflict(waiter.owner, waiter, waiter.exclusive)) continue;
      if (promised.some((other) => (other.exclusive || waiter.exclusive) && overlaps(other, waiter))) continue;
      // Once is enough, however often locks come and go meanwhile.
      if (waiter.reservedUntil <= now) {
        if (!tell(waiter.owner)) continue;
        waiter.reservedUntil = now + RESERVATION;
      }
      promised.push(waiter);
    }
  }

  forgetWaiter(owner: Owner): void {
    if (this.#waiters.length > 0) this.#waiters = this.#waiters.filter((waiter) => waiter.owner !== owner);
  }

  /** Sets a range for an owner; the caller has found no conflict. Up- and downgrades what the owner had there. */
  set(owner: Owner, range: LockRange, exclusive: boolean): void {
    this.forgetWaiter(owner);
    this.#cut(owner, range);
    let { start, end } = range;
    this.#held = this.#held.filter((lock) => {
      const joins = lock.owner === owner && lock.exclusive === exclusive && lock.start <= end && start <= lock.end;
      if (joins) {
        if (lock.start < start) start = lock.start;
        if (lock.end > end) end = lock.end;
      }
      return !joins;
    });
    this.#insert({ owner, start, end, exclusive });
  }

  /** Releases a range of an owner; what lies around it stays locked. Releasing what is not held is no error (POSIX). */
  unlock(owner: Owner, range: LockRange): void {
    this.forgetWaiter(owner);
    this.#cut(owner, range);
  }

  /** Releases everything of an owner. */
  drop(owner: Owner): void {
    this.forgetWaiter(owner);
    this.#held = this.#held.filter((lock) => lock.owner !== owner);
  }

  #cut(owner: Owner, range: LockRange): void {
    const rest: HeldLock<Owner>[] = [];
    let changed = false;
    for (const lock of this.#held) {
      if (lock.owner !== owner || !overlaps(lock, range)) {
        rest.push(lock);
        continue;
      }
      changed = true;
      if (lock.start < range.start) rest.push({ ...lock, end: range.start });
      if (lock.end > range.end) rest.push({ ...lock, start: range.end });
    }
    if (!changed) return;
    rest.sort(byStart);
    this.#held = rest;
  }

  #insert(lock: HeldLock<Owner>): void {
    const at = this.#held.findIndex((other) => other.start > lock.start);
    if (at < 0) this.#held.push(lock);
    else this.#held.splice(at, 0, lock);
  }
}

function byStart(a: LockRange, b: LockRange): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0;
}
