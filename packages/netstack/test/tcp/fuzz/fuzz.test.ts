import fc from "fast-check";
import { describe, it } from "vitest";
import { play } from "./play.ts";
import { STARTS, scripts } from "./steps.ts";

/** Scripts for each state here; `npm run fuzz` goes on for as long as one likes. */
const RUNS = 500;

describe("whatever a peer sends, whenever: invariants hold after every step, and nothing is left in the end", () => {
  it.each(STARTS)(
    "from %s",
    async (start) => {
      await fc.assert(fc.asyncProperty(scripts([start]), play), { numRuns: RUNS });
    },
    240_000,
  );
});
