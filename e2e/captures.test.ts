import { describe } from "vitest";
import { combinations } from "./harness/matrix.ts";
import { testWorkloads } from "./harness/workload-tests.ts";

/** What these workloads try to see it refused, and what the other guest finds gone. */
const provoked =
  /^((LOOKUP|OPEN) NFS4ERR_NOENT|RENAME NFS4ERR_NOTEMPTY|LINK NFS4ERR_EXIST|OPEN NFS4ERR_SYMLINK|SEEK NFS4ERR_NXIO|(OPEN|CREATE|REMOVE|RENAME) NFS4ERR_ACCESS|SETATTR NFS4ERR_PERM|PUTFH NFS4ERR_STALE)$/;

describe("what crosses the link, as tshark reads it", () => {
  for (const combination of combinations("4.2 local")) {
    const workloads = ["file sizes", "holes", "renaming", "links", "attributes", "permissions", "shared files"];
    testWorkloads(combination, workloads, provoked);
  }
});
