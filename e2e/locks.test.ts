import { describe } from "vitest";
import { combinations } from "./harness/matrix.ts";
import { testWorkloads } from "./harness/workload-tests.ts";

describe("locks between two guests", () => {
  for (const combination of combinations("4.0 local", "4.1 local")) testWorkloads(combination, ["locks"]);
});
