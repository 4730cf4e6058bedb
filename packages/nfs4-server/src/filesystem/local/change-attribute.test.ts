import type { Statx } from "@nfs4/native";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChangeAttributes } from "./change-attribute.ts";
import { LocalNode } from "./local-node.ts";

const statx = (ctime: number): Statx =>
  ({ ctimeSeconds: Math.floor(ctime / 1e9), ctimeNanoseconds: ctime % 1e9 }) as unknown as Statx;

const live = (id = "a"): LocalNode => {
  const node = new LocalNode(new Uint8Array(0), id);
  node.live = true;
  return node;
};

describe("the change attribute", () => {
  it("is ctime in nanoseconds", () => {
    const at = { ctimeSeconds: 1_700_000_000, ctimeNanoseconds: 123_456_789 } as unknown as Statx;
    expect(new ChangeAttributes().report(live(), at)).toBe(1_700_000_000_123_456_789n);
    expect(new ChangeAttributes().report(live(), statx(-5))).toBe(0n);
  });

  it("grows with each change of ours although ctime stands", () => {
    const changes = new ChangeAttributes();
    const node = live();
    expect(changes.report(node, statx(100))).toBe(100n);
    node.changed = true;
    expect(changes.report(node, statx(100))).toBe(101n);
    expect(changes.report(node, statx(100))).toBe(101n);
    node.changed = true;
    expect(changes.report(node, statx(150))).toBe(150n);
  });

  // The clock may stand, nodes come and go; whatever is reported after a change is greater than all before, and stays while nothing changes.
  it("never falls, and never stays after a change, whatever happens between", () => {
    const step = fc.constantFrom("change", "tick", "report", "retire", "lookup");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const changes = new ChangeAttributes();
        let node = live();
        let ctime = 1000;
        let clock = 1000;
        let last = -1n;
        let changed = false;
        const report = (from: LocalNode): void => {
          const value = changes.report(from, statx(ctime));
          if (changed || last < 0n) expect(value).toBeGreaterThan(last);
          else expect(value).toBe(last);
          last = value;
          changed = false;
        };
        for (const what of steps) {
          if (what === "tick") clock += 1000;
          if (what === "report") report(node);
          if (what === "change") {
            // As the volume does: the value before must be known.
            if (node.reported < 0n) report(node);
            ctime = clock;
            node.changed = true;
            changed = true;
          }
          if (what === "retire") {
            changes.retire(node);
            node.live = false;
            node = live();
          }
          // An entry of a listing, while another node is live, is not asked: the table gives the live one.
          if (what === "lookup" && node.reported < 0n) {
            const listed = new LocalNode(new Uint8Array(0), "a");
            report(listed);
          }
        }
        report(node);
      }),
    );
  });

  it("is remembered for a bounded number of nodes", () => {
    const changes = new ChangeAttributes();
    for (let i = 0; i < 40_000; i++) {
      const node = live(`${i}`);
      changes.report(node, statx(100));
      node.changed = true;
      changes.retire(node);
    }
    expect(changes.report(live("39999"), statx(100))).toBe(101n);
    expect(changes.report(live("0"), statx(100))).toBe(100n);
  });
});
