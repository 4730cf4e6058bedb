import { describe } from "vitest";
import { combinations } from "./harness/matrix.ts";
import { testWorkloads } from "./harness/workload-tests.ts";

describe("files and directories", () => {
  for (const combination of combinations("4.1 memory")) {
    testWorkloads(combination, [
      "mapping",
      "file sizes",
      "holes",
      "renaming",
      "links",
      "attributes",
      "permissions",
      "file system space",
      "shared files",
      "many files",
    ]);
  }
});

describe("a big file", () => {
  for (const combination of combinations("4.2 local")) testWorkloads(combination, ["big file"]);
});
