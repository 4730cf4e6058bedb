import { describe, expect, it } from "vitest";
import { ReplyMemory } from "./reply-memory.ts";

describe("ReplyMemory", () => {
  it("gives what is asked while there is plenty, then less, then one slot, then none", () => {
    const memory = new ReplyMemory(1000);
    const granted = Array.from({ length: 60 }, () => memory.take(5, 20));
    expect(granted.slice(0, 3)).toEqual([5, 5, 5]);
    expect(granted).toEqual([...granted].sort((a, b) => b - a));
    expect(granted.reduce((sum, slots) => sum + slots)).toBe(50);
    expect(granted.at(-1)).toBe(0);
    memory.give(20);
    expect(memory.take(5, 20)).toBe(1);
  });

  it("does not give a slot that it has no memory for", () => {
    expect(new ReplyMemory(100).take(64, 101)).toBe(0);
  });
});
