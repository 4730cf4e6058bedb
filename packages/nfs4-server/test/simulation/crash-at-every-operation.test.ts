/** A 4.0 and a 4.1 client at work, and the power of the server's disk cut at each of its operations in turn. */
import { expect, it } from "vitest";
import { type SimulationOptions, type SimulationResult, simulate } from "./simulation.ts";

const LIVES = [1, 2];

it("data that was acknowledged as stable is there, the write verifier has changed, and what was held is taken back (RFC 8881 §18.3, §18.32, §8.4.2.1)", async () => {
  const results: SimulationResult[] = [];
  for (const seed of LIVES) {
    const life: SimulationOptions = { seed, minors: [0, 1], rounds: 4, chaos: false };
    const whole = await simulate(life);
    expect(whole.crashes).toBe(0);
    for (let crashAt = 1; crashAt <= whole.diskOperations; crashAt++) {
      try {
        results.push(await simulate({ ...life, crashAt }));
      } catch (error) {
        throw new Error(`life ${seed}, crash at operation ${crashAt}`, { cause: error });
      }
    }
  }
  const total = (of: (result: SimulationResult) => number): number => results.reduce((sum, one) => sum + of(one), 0);
  expect(results.length).toBeGreaterThan(100);
  expect(total(({ crashes }) => crashes)).toBeGreaterThan(100);
  expect(total(({ rewritten }) => rewritten)).toBeGreaterThan(10);
  expect(total(({ reclaimed }) => reclaimed)).toBeGreaterThan(50);
}, 300_000);
