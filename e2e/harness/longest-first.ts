import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes minutes, the longest first. On a fresh clone vitest knows no durations and would start with the largest files, which here are the quickest. */
const long = [
  "/e2e/random-operations.test.ts",
  "/e2e/programs/databases.test.ts",
  "/e2e/programs/sources.test.ts",
  "/e2e/programs/builds.test.ts",
  "/e2e/files.test.ts",
  "/e2e/hostile.test.ts",
  "/e2e/restart.test.ts",
  "/e2e/captures.test.ts",
  "/e2e/locks.test.ts",
];

/** A sequencer of vitest under which no worker is left alone with a long test file at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const found = long.findIndex((file) => moduleId.endsWith(file));
  return found < 0 ? long.length : found;
}
