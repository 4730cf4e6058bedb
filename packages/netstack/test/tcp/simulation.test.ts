import { describe, expect, it } from "vitest";
import { simulate } from "./simulation.ts";

/** `npm run simulate -w packages/netstack` moves 100 MB for each seed. */
const SEEDS = 200;
const BYTES = 512 * 1024;
const TOGETHER = 20;

describe(`${SEEDS} links that lose, duplicate, reorder and corrupt: every byte arrives, in order, and nothing is left behind`, () => {
  let retransmitted = 0;
  let timeouts = 0;

  const firsts = Array.from({ length: SEEDS / TOGETHER }, (_, index) => 1 + index * TOGETHER);
  it.each(firsts)(`${TOGETHER} seeds from %i on`, async (first) => {
    for (let seed = first; seed < first + TOGETHER; seed++) {
      const result = await simulate({ seed, bytes: BYTES });
      retransmitted += result.retransmitted;
      timeouts += result.timeouts;
    }
  });

  it("the links were as bad as they were meant to be", () => {
    expect(retransmitted).toBeGreaterThan(1000);
    expect(timeouts).toBeGreaterThan(100);
  });
});

it("the same seed gives the same events", async () => {
  for (const seed of [3, 18, 26]) {
    const [first, second] = [await simulate({ seed, bytes: 100_000 }), await simulate({ seed, bytes: 100_000 })];
    expect(second).toEqual(first);
  }
});
