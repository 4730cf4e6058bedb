import { describe, expect, it } from "vitest";
import { KeyedQueue } from "./keyed-queue.ts";

describe("KeyedQueue", () => {
  it("answers at once where nothing waits", () => {
    expect(new KeyedQueue().run("a", () => 1)).toBe(1);
  });

  it("runs one after the other by key, also after a failure, and leaves nothing behind", async () => {
    const queue = new KeyedQueue();
    const order: string[] = [];
    const task =
      (name: string, fails = false) =>
      async () => {
        order.push(`${name}+`);
        await Promise.resolve();
        order.push(`${name}-`);
        if (fails) throw new Error(name);
      };
    const results = await Promise.allSettled([
      queue.run("k", task("1", true)),
      queue.run("k", task("2")),
      queue.run("other", task("3")),
    ]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(order.filter((step) => step[0] !== "3")).toEqual(["1+", "1-", "2+", "2-"]);
    await Promise.resolve();
    expect(queue.busyKeys).toBe(0);
  });

  it("takes two keys without a deadlock", async () => {
    const queue = new KeyedQueue();
    let running = 0;
    const task = async () => {
      running++;
      expect(running).toBe(1);
      await Promise.resolve();
      running--;
      return "done";
    };
    expect(
      await Promise.all([queue.runBoth("a", "b", task), queue.runBoth("b", "a", task), queue.runBoth("a", "a", task)]),
    ).toEqual(["done", "done", "done"]);
  });
});
