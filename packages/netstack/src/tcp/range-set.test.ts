import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { RangeSet } from "./range-set.ts";

/** The same by brute force: a bit for each number from `origin`. */
class Naive {
  readonly bits: boolean[] = new Array<boolean>(200).fill(false);

  insert(start: number, end: number): number {
    let news = 0;
    for (let i = start; i < end; i++) {
      if (!this.bits[i]) news++;
      this.bits[i] = true;
    }
    return news;
  }

  ranges(): [number, number][] {
    const found: [number, number][] = [];
    for (let i = 0; i < this.bits.length; i++) {
      if (!this.bits[i]) continue;
      const start = i;
      while (this.bits[i]) i++;
      found.push([start, i]);
    }
    return found;
  }
}

const origin = fc.constantFrom(0, 5000, 0xffffffff - 50, 0x7fffffff - 100);
const range = fc.tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 40 }));

describe("a set of ranges", () => {
  test.prop([origin, fc.array(fc.record({ range, trim: fc.option(fc.integer({ min: 0, max: 150 }), { freq: 6 }) }))])(
    "is what a bit for each number says, across the wrap",
    (base, steps) => {
      const set = new RangeSet();
      const naive = new Naive();
      for (const { range: at, trim } of steps) {
        const [start, length] = at;
        const [from, to] = [(base + start) >>> 0, (base + start + length) >>> 0];
        const before = naive.ranges().length;
        const adds = set.wouldAdd(from, to);
        expect(set.insert(from, to)).toBe(naive.insert(start, start + length));
        expect(adds).toBe(naive.ranges().length > before);
        if (trim !== null) {
          set.trimBefore((base + trim) >>> 0);
          naive.bits.fill(false, 0, trim);
        }
        const ranges = set.starts.map((first, i) => [(first - base) >>> 0, (set.ends[i]! - base) >>> 0]);
        expect(ranges).toEqual(naive.ranges());
        for (let i = 0; i < 200; i += 7) expect(set.contains((base + i) >>> 0)).toBe(naive.bits[i]);
        expect(set.stamps).toHaveLength(set.count);
      }
    },
  );
});
