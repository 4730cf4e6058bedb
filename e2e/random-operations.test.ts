import { describe, test } from "vitest";
import { combinations, isFullRun } from "./harness/matrix.ts";
import { recorded, testPassage, useSite } from "./harness/workload-tests.ts";
import { randomOperations } from "./workloads/random-operations.ts";

/** `npm test` has minutes for everything. */
const steps = isFullRun ? 10_000 : 5_000;

/** NFS4_E2E_SEED repeats a run; otherwise each run has a seed of its own, which it prints. */
const given = process.env["NFS4_E2E_SEED"];

describe(`${steps} random operations on a mount and on a local directory, alike after each`, () => {
  for (const combination of combinations("4.2 memory")) {
    describe(`NFS ${combination.version}, ${combination.fileSystem} file system`, () => {
      const site = useSite(combination);
      test("random operations", async (context) => {
        const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
        console.log(`seed ${seed}`);
        await recorded(context, combination, "random operations", () =>
          randomOperations(site().context, { seed, steps }),
        );
      });
      testPassage(site);
    });
  }
});
