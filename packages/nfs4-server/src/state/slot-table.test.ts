import { expect, it } from "vitest";
import { KEPT_UNASKED, SlotTable } from "./slot-table.ts";

it("keeps small replies of a slot in one piece of memory, each until the next request (RFC 8881 §2.10.6.1)", () => {
  const slots = new SlotTable(2);
  const memories = [];
  for (let sequence = 1; sequence <= 3; sequence++) {
    const verdict = slots.admit(1, sequence, 1, 7);
    if (verdict.kind !== "new") throw new Error(verdict.kind);
    const memory = slots.memoryOf(verdict.slot);
    memories.push(memory);
    memory[0] = sequence;
    slots.finish(verdict.slot, memory.subarray(0, 1));
    expect(slots.admit(1, sequence, 1, 7)).toEqual({ kind: "replay", reply: Uint8Array.of(sequence) });
  }
  expect(memories[0]).toHaveLength(KEPT_UNASKED);
  expect(new Set(memories).size).toBe(1);
});
