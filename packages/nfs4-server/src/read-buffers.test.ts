import { expect, it } from "vitest";
import { ReadBuffers } from "./read-buffers.ts";

const MIB = 2 ** 20;

it("gives what is asked for, and memory that has come back", () => {
  const buffers = new ReadBuffers();
  const first = buffers.take(100_000);
  expect(first.bytes.length).toBe(100_000);
  first.release();
  first.release();
  const second = buffers.take(200_000);
  expect([second.bytes.buffer === first.bytes.buffer, buffers.outstanding]).toEqual([true, 1]);
});

it("gives short buffers while much is out, so that reads under way are bounded, however many there are", () => {
  const buffers = new ReadBuffers({ ampleBytes: 4 * MIB });
  const taken = Array.from({ length: 1000 }, () => buffers.take(MIB));
  expect(taken.filter(({ bytes }) => bytes.length === MIB)).toHaveLength(4);
  expect(taken.slice(4).every(({ bytes }) => bytes.length === 16 * 1024)).toBe(true);
  expect(buffers.take(100).bytes.length).toBe(100);
  for (const { release } of taken) release();
  expect(buffers.take(MIB).bytes.length).toBe(MIB);
});

it("lets no more lie idle than it may", () => {
  const buffers = new ReadBuffers({ keepBytes: 2 * MIB });
  const taken = Array.from({ length: 3 }, () => buffers.take(MIB));
  for (const { release } of taken) release();
  const again = new Set(Array.from({ length: 3 }, () => buffers.take(MIB).bytes.buffer));
  expect(taken.filter(({ bytes }) => again.has(bytes.buffer))).toHaveLength(2);
});
