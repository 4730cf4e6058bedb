import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { PacketRing } from "./packet-ring.ts";

describe("PacketRing", () => {
  test.prop([
    fc.array(fc.oneof(fc.integer({ min: 1, max: 120 }), fc.record({ take: fc.integer({ min: 1, max: 5 }) })), {
      maxLength: 200,
    }),
  ])("gives back what was put, in order, and keeps what it lent intact", (steps) => {
    const ring = new PacketRing(512, 6, 4);
    const expected: { length: number; mark: number }[] = [];
    let lent: { at: number; length: number; mark: number }[] = [];
    let mark = 0;
    const check = (): void => {
      for (const { at, length, mark: filled } of lent) {
        expect(ring.slab.subarray(at, at + length).every((byte) => byte === filled)).toBe(true);
      }
    };
    for (const step of steps) {
      if (typeof step === "number") {
        const at = ring.put(step);
        mark = (mark + 1) & 255;
        if (at >= 0) {
          ring.slab.fill(mark, at, at + step);
          expected.push({ length: step, mark });
        }
        check();
      } else {
        const count = ring.take(step.take);
        lent = [];
        for (let i = 0; i < count; i++) {
          const { length, mark: filled } = expected.shift()!;
          expect(ring.lengths[i]).toBe(length);
          lent.push({ at: ring.offsets[i]!, length, mark: filled });
        }
        check();
      }
      expect(ring.waiting).toBe(expected.length);
    }
  });

  it("is full at its number of packets and of bytes", () => {
    const ring = new PacketRing(64, 2, 2);
    expect([ring.put(8), ring.put(8), ring.put(8)]).toEqual([0, 8, -1]);
    expect(new PacketRing(64, 9, 2).put(65)).toBe(-1);
  });
});
