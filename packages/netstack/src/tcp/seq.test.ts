import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin } from "./seq.ts";

const anySeq = fc.integer({ min: 0, max: 0xffffffff });
const near = fc.integer({ min: 1, max: 2 ** 31 - 1 });

describe("sequence arithmetic (RFC 9293 §3.4)", () => {
  test.prop([anySeq, near])("what is ahead by less than 2^31 is later, also across the wrap", (seq, distance) => {
    const later = seqAdd(seq, distance);
    expect(later).toBeGreaterThanOrEqual(0);
    expect(later).toBeLessThanOrEqual(0xffffffff);
    expect([seqGt(later, seq), seqGe(later, seq), seqLt(later, seq), seqLe(later, seq)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(seqDiff(later, seq)).toBe(distance);
    expect(seqDiff(seq, later)).toBe(-distance);
    expect([seqMax(seq, later), seqMin(seq, later)]).toEqual([later, seq]);
    expect([seqMax(later, seq), seqMin(later, seq)]).toEqual([later, seq]);
  });

  test.prop([anySeq])("a number is neither before nor after itself", (seq) => {
    expect([seqGt(seq, seq), seqGe(seq, seq), seqLt(seq, seq), seqLe(seq, seq)]).toEqual([false, true, false, true]);
  });

  test.prop([anySeq, near, near])("adding is the same in one step and in two", (seq, a, b) => {
    expect(seqAdd(seqAdd(seq, a), b)).toBe(seqAdd(seq, a + b));
  });
});
