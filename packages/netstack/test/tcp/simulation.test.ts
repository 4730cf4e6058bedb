import { expect, it } from "vitest";
import { simulate } from "./simulation.ts";

/** `npm run simulate -w packages/netstack` moves 100 MB for each seed. */
const SEEDS = 200;
const BYTES = 512 * 1024;

it(`${SEEDS} links that lose, duplicate, reorder and corrupt: every byte arrives, in order, and nothing is left behind`, async () => {
  let retransmitted = 0;
  let timeouts = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await simulate({ seed, bytes: BYTES });
    retransmitted += result.retransmitted;
    timeouts += result.timeouts;
  }
  // The links were as bad as they were meant to be.
  expect(retransmitted).toBeGreaterThan(1000);
  expect(timeouts).toBeGreaterThan(100);
});

it("the same seed gives the same events", async () => {
  for (const seed of [3, 18, 26]) {
    const [first, second] = [await simulate({ seed, bytes: 100_000 }), await simulate({ seed, bytes: 100_000 })];
    expect(second).toEqual(first);
  }
});
