import { describe, test } from "vitest";
import { combinations } from "./harness/matrix.ts";
import { recorded, testPassage, useSite } from "./harness/workload-tests.ts";
import { libnfs } from "./workloads/libnfs.ts";

describe("libnfs lists, prints and downloads over 4.0 what a guest has made", () => {
  for (const combination of combinations("4.0 memory", "4.2 local")) {
    describe(`a guest with NFS ${combination.version}, ${combination.fileSystem} file system`, () => {
      const site = useSite(combination);
      test("libnfs", (context) =>
        recorded(context, combination, "libnfs", () => {
          const { context: client, namespace, server } = site();
          return libnfs(client, { namespace, address: server.address, path: "/" });
        }));
      testPassage(site);
    });
  }
});
