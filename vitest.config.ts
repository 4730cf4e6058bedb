import { defineConfig } from "vitest/config";
import { LongestFirst } from "./e2e/harness/longest-first.ts";
import { isFullRun } from "./e2e/harness/matrix.ts";
import { ResultTable } from "./e2e/harness/result-table.ts";

const source = {
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
};

export default defineConfig({
  ...source,
  test: {
    sequence: { sequencer: LongestFirst },
    ...(isFullRun ? { reporters: ["default", new ResultTable()] } : {}),
    projects: [
      {
        ...source,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "examples/**/*.test.ts"],
          // Against what hangs, not against what is slow: a busy machine takes ten times as long.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // Nothing here has global state, so test files may share what they import: a third of the time.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        ...source,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          // What takes long is mostly waiting, and each file has networks and machines of its own.
          maxWorkers: 2,
        },
      },
    ],
  },
});
