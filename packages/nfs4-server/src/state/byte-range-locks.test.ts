import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { ByteRangeLocks, LOCK_END, lengthOf, RESERVATION, rangeOf, WAITER_PATIENCE } from "./byte-range-locks.ts";

const range = (start: number, end: number) => ({ start: BigInt(start), end: BigInt(end) });

describe("ranges on the wire (RFC 8881 §18.10.3)", () => {
  it("refuses length 0 and what passes 2^64, and reads all ones as to the end", () => {
    expect(rangeOf(5n, 0n)).toBeNull();
    expect(rangeOf(2n, LOCK_END - 2n)).toEqual({ start: 2n, end: LOCK_END });
    expect(rangeOf(3n, LOCK_END - 2n)).toBeNull();
    const toEnd = rangeOf(7n, LOCK_END - 1n);
    expect(toEnd).toEqual({ start: 7n, end: LOCK_END });
    expect(lengthOf(toEnd ?? range(0, 1))).toBe(LOCK_END - 1n);
  });
});

describe("one owner's locks", () => {
  it("split when the middle is released", () => {
    const locks = new ByteRangeLocks<string>();
    locks.set("a", range(0, 100), true);
    locks.unlock("a", range(40, 60));
    expect(locks.held.map((l) => [l.start, l.end])).toEqual([
      [0n, 40n],
      [60n, 100n],
    ]);
  });

  it("are downgraded in part", () => {
    const locks = new ByteRangeLocks<string>();
    locks.set("a", range(0, 100), true);
    locks.set("a", range(0, 50), false);
    expect(locks.conflict("b", range(0, 50), false)).toBeNull();
    expect(locks.conflict("b", range(50, 51), false)).not.toBeNull();
  });
});

describe("fairness", () => {
  it("keeps a range for the longest waiter that could be told, for a moment", () => {
    const locks = new ByteRangeLocks<string>();
    locks.set("a", range(0, 10), true);
    locks.enqueue("b", range(0, 10), true, 0);
    locks.enqueue("c", range(0, 10), true, 0);
    locks.unlock("a", range(0, 10));
    const told: string[] = [];
    locks.offer(1, (owner) => told.push(owner) > 0);
    expect(told).toEqual(["b"]);
    expect(locks.waiterAhead("c", range(5, 6), false, 1)?.owner).toBe("b");
    expect(locks.waiterAhead("b", range(0, 10), true, 1)).toBeNull();
    expect(locks.waiterAhead("c", range(5, 6), false, 1 + RESERVATION)).toBeNull();
  });

  it("keeps nothing for a waiter that cannot be told, or has given up", () => {
    const locks = new ByteRangeLocks<string>();
    locks.enqueue("b", range(0, 10), true, 0);
    locks.offer(1, () => false);
    expect(locks.waiterAhead("c", range(5, 6), true, 1)).toBeNull();
    locks.offer(WAITER_PATIENCE, () => true);
    expect(locks.waiterAhead("c", range(5, 6), true, WAITER_PATIENCE)).toBeNull();
  });
});

const step = fc.record({
  owner: fc.constantFrom("a", "b", "c"),
  start: fc.integer({ min: 0, max: 15 }),
  length: fc.integer({ min: 1, max: 16 }),
  what: fc.constantFrom("read", "write", "unlock"),
});

test.prop([fc.array(step, { maxLength: 40 })])("agree byte by byte with a naive model", (steps) => {
  const locks = new ByteRangeLocks<string>();
  const model = Array.from({ length: 32 }, () => new Map<string, boolean>());
  for (const { owner, start, length, what } of steps) {
    const wanted = range(start, start + length);
    const bytes = model.slice(start, start + length);
    if (what === "unlock") {
      locks.unlock(owner, wanted);
      for (const byte of bytes) byte.delete(owner);
      continue;
    }
    const exclusive = what === "write";
    const blocked = bytes.some((byte) =>
      [...byte].some(([other, isExclusive]) => other !== owner && (exclusive || isExclusive)),
    );
    expect(locks.conflict(owner, wanted, exclusive) !== null).toBe(blocked);
    if (blocked) continue;
    locks.set(owner, wanted, exclusive);
    for (const byte of bytes) byte.set(owner, exclusive);
  }
  const seen = Array.from({ length: 32 }, () => new Map<string, boolean>());
  for (const lock of locks.held) {
    for (let at = Number(lock.start); at < Number(lock.end); at++) {
      expect(seen[at]?.has(lock.owner)).toBe(false);
      seen[at]?.set(lock.owner, lock.exclusive);
    }
  }
  expect(seen).toEqual(model);
});
