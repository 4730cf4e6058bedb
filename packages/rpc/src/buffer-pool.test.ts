import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Budget } from "./budget.ts";
import { BufferPool, pooledSize } from "./buffer-pool.ts";

describe("BufferPool", () => {
  it("lends a buffer again, poisoned", () => {
    const pool = new BufferPool({ poison: true });
    const buffer = pool.take(1000);
    buffer.bytes.fill(1);
    buffer.length = 1000;
    buffer.release();
    const again = pool.take(900);
    expect(again).toBe(buffer);
    expect(again.length).toBe(0);
    expect(again.bytes.every((byte) => byte === 0xdb)).toBe(true);
    expect([pool.outstanding, pool.allocated, pool.idleBytes]).toEqual([1, 1, 0]);
    again.release();
  });

  it("keeps a retained buffer until its last release, and refuses one more", () => {
    const pool = new BufferPool();
    const buffer = pool.take(10);
    buffer.budget = new Budget(1000);
    buffer.budget.take(256);
    const { budget } = buffer;
    buffer.retain();
    buffer.release();
    expect([pool.outstanding, budget.used]).toEqual([1, 256]);
    buffer.release();
    expect([pool.outstanding, budget.used]).toEqual([0, 0]);
    expect(() => buffer.release()).toThrow("twice");
  });

  it("keeps no more idle memory than it may, and nothing huge", () => {
    const pool = new BufferPool({ keep: 3000 });
    const buffers = [pool.take(2000), pool.take(2000), pool.take(5_000_000)];
    for (const buffer of buffers) buffer.release();
    expect(pool.idleBytes).toBe(2048);
  });

  test.prop([fc.integer({ min: 0, max: 5_000_000 })])(
    "sizes fit, waste at most a fifth, and are their own size",
    (size) => {
      const pooled = pooledSize(size);
      expect(pooled).toBeGreaterThanOrEqual(size);
      if (size > 256) expect(pooled).toBeLessThanOrEqual(size * 1.25 + 1);
      expect(pooledSize(pooled)).toBe(pooled);
      const pool = new BufferPool();
      const buffer = pool.take(size);
      expect(buffer.bytes.length).toBe(pooled);
      buffer.release();
      if (size <= 4 * 1024 * 1024) expect(pool.take(pooled)).toBe(buffer);
    },
  );
});
