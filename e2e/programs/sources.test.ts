import { describe } from "vitest";
import { combinations } from "../harness/matrix.ts";
import { testWorkloads } from "../harness/workload-tests.ts";

describe("programs that handle sources", () => {
  for (const combination of combinations("4.2 local")) testWorkloads(combination, ["git", "npm ci"]);
});
