import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Budget } from "./budget.ts";

describe("Budget", () => {
  it("bounds a leaf, its parent and theirs", () => {
    const all = new Budget(10);
    const group = new Budget(8, all);
    const leaf = new Budget(5, group);
    expect(leaf.tryTake(6)).toBe(true); // above the limit, but nothing else is taken
    leaf.give(6);
    expect(leaf.tryTake(4)).toBe(true);
    expect(leaf.tryTake(2)).toBe(false);
    const sibling = new Budget(5, group);
    expect(sibling.tryTake(5)).toBe(false);
    expect(sibling.tryTake(4)).toBe(true);
    expect([leaf.used, sibling.used, group.used, all.used]).toEqual([4, 4, 8, 8]);
    expect(new Budget(5, all).tryTake(3)).toBe(false);
  });

  it("grants waiting requests in the order they came, small ones not before large ones", () => {
    const all = new Budget(10);
    const [a, b, c] = [new Budget(10, all), new Budget(10, all), new Budget(10, all)];
    const granted: string[] = [];
    a.take(9);
    expect(b.request(8, () => granted.push("b"))).toBe(false);
    expect(c.request(1, () => granted.push("c"))).toBe(false);
    expect([all.waiting, all.shortfall]).toEqual([2, 8]);
    a.give(5);
    expect(granted).toEqual([]);
    a.give(3);
    expect(granted).toEqual(["b", "c"]);
    expect([a.used, b.used, c.used, all.used, all.peak]).toEqual([1, 8, 1, 10, 10]);
  });

  it("forgets a cancelled request and serves those behind it", () => {
    const all = new Budget(10);
    const [a, b, c] = [new Budget(10, all), new Budget(10, all), new Budget(10, all)];
    const granted: string[] = [];
    a.take(5);
    b.request(8, () => granted.push("b"));
    c.request(3, () => granted.push("c"));
    b.cancel();
    b.cancel();
    expect(granted).toEqual(["c"]);
    expect(all.used).toBe(8);
  });

  it("moves with what it holds and asks for", () => {
    const all = new Budget(100);
    const strangers = new Budget(10, all);
    const leaf = new Budget(50, strangers);
    let granted = false;
    leaf.take(8);
    leaf.request(20, () => {
      granted = true;
    });
    leaf.moveTo(all);
    expect(granted).toBe(true);
    expect([leaf.used, strangers.used, all.used, strangers.waiting]).toEqual([28, 0, 28, 0]);
  });

  const step = fc.record({ leaf: fc.nat(4), amount: fc.integer({ min: 1, max: 12 }), give: fc.boolean() });
  test.prop([fc.array(step, { maxLength: 200 })])("never exceeds a limit and never forgets a request", (steps) => {
    const all = new Budget(30);
    const groups = [new Budget(20, all), new Budget(20, all)];
    const leaves = Array.from({ length: 5 }, (_, i) => new Budget(12, groups[i % 2]!));
    const held = leaves.map((): number[] => []);
    const waiting = leaves.map(() => false);
    for (const { leaf, amount, give } of steps) {
      const budget = leaves[leaf]!;
      if (give) {
        const amountHeld = held[leaf]!.shift();
        if (amountHeld !== undefined) budget.give(amountHeld);
      } else if (!waiting[leaf]) {
        const done = (): void => {
          waiting[leaf] = false;
          held[leaf]!.push(amount);
        };
        if (budget.request(amount, done)) done();
        else waiting[leaf] = true;
      }
      for (const [i, each] of leaves.entries()) {
        expect(each.used).toBe(held[i]!.reduce((sum, value) => sum + value, 0));
        expect(each.used).toBeLessThanOrEqual(12);
      }
      for (const each of [all, ...groups]) expect(each.used).toBeLessThanOrEqual(each.limit);
    }
    // Whoever gives everything back lets everybody through.
    for (let round = 0; round < 100 && waiting.includes(true); round++) {
      for (const [i, each] of leaves.entries()) for (const value of held[i]!.splice(0)) each.give(value);
    }
    expect(waiting).not.toContain(true);
  });
});
