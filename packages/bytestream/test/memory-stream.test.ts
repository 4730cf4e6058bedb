import { VirtualClock } from "@nfs4/timecounter";
import { expect, it } from "vitest";
import { type MemoryPipeOptions, memoryPipe } from "../src/index.ts";
import { describeByteStream, type StreamHarness } from "./stream-contract.ts";

async function memoryHarness(options: MemoryPipeOptions): Promise<StreamHarness> {
  const clock = new VirtualClock();
  return {
    pair: async () => memoryPipe(clock, options),
    capacity: 0,
    until: async (condition) => {
      await clock.runWhile(() => !condition());
      expect(condition()).toBe(true);
    },
    settle: () => clock.runUntilIdle(),
    close: async () => {
      await clock.runUntilIdle();
      expect(clock.armed).toBe(0);
    },
  };
}

describeByteStream("a memory pipe", () => memoryHarness({}));
describeByteStream("a memory pipe with small segments, a delay and poisoned loans", () =>
  memoryHarness({ window: 20_000, segment: 1460, delayUs: 500, poison: true, highWater: 64 * 1024 }),
);

it("spoils what a sink keeps without copying it, if asked to", async () => {
  const clock = new VirtualClock();
  const [a, b] = memoryPipe(clock, { poison: true });
  const kept: Uint8Array[] = [];
  b.setSink({
    data: (slab, offset, length) => {
      kept.push(slab.subarray(offset, offset + length));
      return length;
    },
    end: () => {},
  });
  const bytes = Uint8Array.of(1, 2, 3);
  a.write([{ bytes }]);
  await clock.runUntilIdle();
  expect(kept).toEqual([Uint8Array.of(0xdb, 0xdb, 0xdb)]);
  expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
});

it("releases a slice only when the sink that looks at it has returned, though the writer aborts meanwhile", async () => {
  const clock = new VirtualClock();
  const [a, b] = memoryPipe(clock);
  let released = 0;
  let releasedWithin = -1;
  b.setSink({
    data: (_slab, _offset, length) => {
      a.abort();
      releasedWithin = released;
      return length;
    },
    end: () => {},
  });
  a.write([{ bytes: new Uint8Array(5), release: () => released++ }]);
  await clock.runUntilIdle();
  expect([releasedWithin, released]).toEqual([0, 1]);
});

it("throws at a sink that takes more than it was offered", async () => {
  const clock = new VirtualClock();
  const [a, b] = memoryPipe(clock);
  b.setSink({ data: (_slab, _offset, length) => length + 1, end: () => {} });
  a.write([{ bytes: new Uint8Array(5) }]);
  await expect(clock.runUntilIdle()).rejects.toThrow(RangeError);
});
