import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { FLOW_CONNECTION, Flow } from "./flow.ts";
import { FlowTable } from "./flow-table.ts";

function flow(n: number, family: 4 | 6 = 4): Flow {
  const mapped = family === 4;
  return new Flow(FLOW_CONNECTION, {
    family,
    l0: mapped ? 0 : 0xfd000000,
    l1: 0,
    l2: mapped ? 0xffff : n >>> 12,
    l3: 0x0a000001 + (n % 3),
    localPort: 2049 + (n % 5),
    r0: mapped ? 0 : 0xfd000000,
    r1: mapped ? 0 : n >>> 8,
    r2: mapped ? 0xffff : 7,
    r3: (0xc0000000 + (n >>> 4)) >>> 0,
    remotePort: n & 0xffff,
  });
}

function find(table: FlowTable, f: Flow): Flow | null {
  return table.find(f.l0, f.l1, f.l2, f.l3, f.localPort, f.r0, f.r1, f.r2, f.r3, f.remotePort);
}

describe("the flow table", () => {
  test.prop([fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 400 })), { maxLength: 2000 })], { numRuns: 30 })(
    "finds what was put in and not taken out, while it grows",
    (steps) => {
      const table = new FlowTable(1);
      const there = new Map<number, Flow>();
      for (const [add, n] of steps) {
        const old = there.get(n);
        if (add && old === undefined) {
          const made = flow(n, n % 2 === 0 ? 4 : 6);
          there.set(n, made);
          table.insert(made);
        } else if (!add && old !== undefined) {
          expect(table.remove(old)).toBe(true);
          expect(table.remove(old)).toBe(false);
          there.delete(n);
        }
        expect(table.size).toBe(there.size);
        expect(find(table, flow(n, n % 2 === 0 ? 4 : 6))).toBe(there.get(n) ?? null);
      }
      expect(new Set(table)).toEqual(new Set(there.values()));
      for (const held of there.values()) expect(find(table, held)).toBe(held);
    },
  );

  it("tells flows apart that differ in one end only", () => {
    const table = new FlowTable(7);
    const key = flow(77);
    table.insert(key);
    const variants = { l3: 1, localPort: 1, r3: 1, remotePort: 1, r0: 5, l0: 5, r1: 5, r2: 5, l1: 5, l2: 5 };
    for (const [name, value] of Object.entries(variants)) {
      const other = { ...key, [name]: value };
      expect(find(table, other as Flow), name).toBeNull();
    }
  });

  it("holds 100,000 flows in short chains", () => {
    const table = new FlowTable(3);
    for (let n = 0; n < 100_000; n++) table.insert(flow(n));
    expect(table.size).toBe(100_000);
    expect(find(table, flow(54_321))).not.toBeNull();
    expect(table.longestChain()).toBeLessThan(12);
  });
});
