import { expect, it } from "vitest";
import { cryptoRandom, nodeClock, sleepOn, virtualCounter } from "../src/index.ts";
import { VirtualClock } from "../src/virtual-clock.ts";

it("on Node's event loop nothing fires early, and the order is that of the deadlines", async () => {
  using clock = nodeClock();
  const sleep = sleepOn(clock);
  const start = clock.now();
  const woken: number[] = [];
  await Promise.all(
    [12_000, 3_000, 7_500, 0].map(async (delay) => {
      await sleep(delay);
      expect(clock.now() - start).toBeGreaterThanOrEqual(delay);
      woken.push(delay);
    }),
  );
  expect(woken).toEqual([0, 3_000, 7_500, 12_000]);
  await new Promise<void>((resolve) => clock.defer(resolve));
  expect(clock.coarse()).toBeLessThanOrEqual(clock.now());
});

it("uses the counter that it is told to", () => {
  const time = new VirtualClock({ startUs: 77 });
  using clock = nodeClock({ counters: [virtualCounter(time)], counter: "virtual" });
  const start = clock.now();
  time.runForSync(5);
  expect(clock.now() - start).toBeCloseTo(5, 3);
});

it("cryptoRandom fills what it is given and draws numbers that differ", () => {
  const bytes = new Uint8Array(64);
  expect(cryptoRandom.fill(bytes)).toBe(bytes);
  expect(bytes.some((byte) => byte !== 0)).toBe(true);
  const drawn = new Set(Array.from({ length: 600 }, () => cryptoRandom.uint32()));
  expect(drawn.size).toBeGreaterThan(590);
});
