import { expect, it } from "vitest";
import { type SimulationResult, simulate } from "./simulation.ts";

/** `npm run simulate -w packages/nfs4-server` runs as many as one likes. */
const SEEDS = 24;
const TIMEOUT = 300_000;

function total(results: readonly SimulationResult[], of: (result: SimulationResult) => number): number {
  return results.reduce((sum, result) => sum + of(result), 0);
}

it(
  `${SEEDS} bad networks and crashing servers: what was promised holds`,
  async () => {
    const results: SimulationResult[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) results.push(await simulate({ seed }));
    // Things were as bad as they were meant to be, and work went on all the same.
    expect(total(results, ({ crashes }) => crashes)).toBeGreaterThan(SEEDS);
    expect(total(results, ({ partitions }) => partitions)).toBeGreaterThan(SEEDS);
    expect(total(results, ({ repeated }) => repeated)).toBeGreaterThan(2 * SEEDS);
    expect(total(results, ({ replays }) => replays)).toBeGreaterThan(SEEDS);
    expect(total(results, ({ rewritten }) => rewritten)).toBeGreaterThan(SEEDS);
    expect(total(results, ({ reclaimed }) => reclaimed)).toBeGreaterThan(SEEDS / 2);
    expect(total(results, ({ lost }) => lost)).toBeGreaterThan(0);
    expect(total(results, ({ diskErrors }) => diskErrors)).toBeGreaterThan(SEEDS);
    expect(total(results, ({ once }) => once)).toBeGreaterThan(2 * SEEDS);
    expect(total(results, ({ increments }) => increments)).toBeGreaterThan(5 * SEEDS);
    expect(total(results, ({ denied }) => denied)).toBeGreaterThan(SEEDS);
    expect(total(results, ({ boardsRead }) => boardsRead)).toBeGreaterThan(SEEDS / 2);
  },
  TIMEOUT,
);

it(
  "the same seed gives the same events",
  async () => {
    for (const seed of [2, 5]) expect(await simulate({ seed })).toEqual(await simulate({ seed }));
  },
  TIMEOUT,
);
