import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { CHUNK, ChunkPool } from "./chunk-pool.ts";
import { Reassembly } from "./reassembly.ts";
import { ReceiveBuffer } from "./receive-buffer.ts";
import { seqGt, seqLe } from "./seq.ts";

describe("reassembly and receive buffer", () => {
  const total = 3 * CHUNK;
  const content = Uint8Array.from({ length: total }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

  test.prop(
    [
      fc.constantFrom(0, 0xffffffff - CHUNK, 0x7fffffff - 1000),
      fc.array(
        fc.record({
          at: fc.integer({ min: 0, max: total - 1 }),
          length: fc.integer({ min: 1, max: 9000 }),
          take: fc.integer({ min: 0, max: 20_000 }),
        }),
        { maxLength: 60 },
      ),
    ],
    { numRuns: 60 },
  )("put together any segments, in any order, taken in any portions", (base, steps) => {
    const pool = new ChunkPool();
    const buffer = new ReceiveBuffer(pool);
    const reassembly = new Reassembly();
    const naive = new Array<boolean>(total).fill(false);
    let next = 0;
    let taken = 0;
    const finish = [{ at: 0, length: total, take: total }];
    for (const { at, length, take } of [...steps, ...finish]) {
      const end = Math.min(total, at + length);
      naive.fill(true, at, end);
      const start = Math.max(at, next);
      if (start < end) {
        const news = reassembly.insert((base + start) >>> 0, (base + end) >>> 0, 1000);
        expect(news).toBeGreaterThanOrEqual(0);
        buffer.store(start - taken, content, start, end - start);
        const reach = (reassembly.advance((base + next) >>> 0) - base) >>> 0;
        buffer.ordered += reach - next;
        next = reach;
      }
      const wanted = naive.indexOf(false);
      expect(next).toBe(wanted < 0 ? total : wanted);
      let left = take;
      while (left > 0 && buffer.ordered > 0) {
        const count = Math.min(left, buffer.firstLength);
        const got = buffer.first.subarray(buffer.firstOffset, buffer.firstOffset + count);
        expect(Buffer.compare(got, content.subarray(taken, taken + count))).toBe(0);
        buffer.consume(count);
        taken += count;
        left -= count;
      }
    }
    while (buffer.ordered > 0) {
      taken += buffer.firstLength;
      buffer.consume(buffer.firstLength);
    }
    expect(taken).toBe(total);
    buffer.clear();
    expect(pool.inUse).toBe(0);
  });

  test.prop([
    fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 })), { minLength: 1 }),
    fc.integer({ min: 1, max: 4 }),
  ])("SACK blocks: the latest segment's first, each whole, none twice (RFC 2018 §4)", (arrivals, most) => {
    const reassembly = new Reassembly();
    for (const [at, length] of arrivals) {
      reassembly.insert(at * 10, at * 10 + length, 100);
      const count = reassembly.selectBlocks(most);
      expect(count).toBe(Math.min(most, reassembly.count));
      expect(seqLe(reassembly.blockStarts[0]!, at * 10)).toBe(true);
      expect(seqGt(reassembly.blockEnds[0]!, at * 10)).toBe(true);
      const starts = reassembly.blockStarts.slice(0, count);
      expect(new Set(starts).size).toBe(count);
    }
  });

  it("makes no more ranges than it may, but still unites", () => {
    const reassembly = new Reassembly();
    expect(reassembly.insert(10, 20, 2)).toBe(10);
    expect(reassembly.insert(30, 40, 2)).toBe(10);
    expect(reassembly.insert(50, 60, 2)).toBe(-1);
    expect(reassembly.insert(20, 30, 2)).toBe(10);
    expect(reassembly.count).toBe(1);
  });

  it("holds no chunk when it is empty, and keeps spare ones up to a bound", () => {
    const pool = new ChunkPool(2);
    const buffer = new ReceiveBuffer(pool);
    buffer.store(0, content, 0, 3 * CHUNK);
    buffer.ordered = 3 * CHUNK;
    expect(pool.inUse).toBe(3);
    buffer.consume(3 * CHUNK);
    expect(pool.inUse).toBe(0);
    const kept = [pool.take(), pool.take(), pool.take()];
    expect(new Set(kept).size).toBe(3);
  });

  it("skips what went straight to the sink, beside what waits out of order", () => {
    const pool = new ChunkPool();
    const buffer = new ReceiveBuffer(pool);
    buffer.skip(12_345);
    expect(pool.inUse).toBe(0);
    buffer.store(5000, content, 5000, 100);
    buffer.skip(5000);
    buffer.ordered = 100;
    expect([...buffer.first.subarray(buffer.firstOffset, buffer.firstOffset + 100)]).toEqual([
      ...content.subarray(5000, 5100),
    ]);
    buffer.consume(100);
    buffer.clear();
    expect(pool.inUse).toBe(0);
  });
});
