import { describe } from "vitest";
import { combinations } from "./harness/matrix.ts";
import { testWorkloads } from "./harness/workload-tests.ts";

/**
 * What these workloads try to see it refused, and what the other guest finds gone; and that a guest is put off while a request of its own still runs (RFC 8881 §18.37.3), which
 * a busy machine brings about as guests mount.
 */
const provoked =
  /^((\?|DESTROY_SESSION|SEQUENCE) NFS4ERR_DELAY|(LOOKUP|OPEN) NFS4ERR_NOENT|RENAME NFS4ERR_NOTEMPTY|LINK NFS4ERR_EXIST|OPEN NFS4ERR_SYMLINK|SEEK NFS4ERR_NXIO|(OPEN|CREATE|REMOVE|RENAME) NFS4ERR_ACCESS|SETATTR NFS4ERR_PERM|PUTFH NFS4ERR_STALE)$/;

describe("what crosses the link, as tshark reads it", () => {
  for (const combination of combinations("4.2 local")) {
    const workloads = ["file sizes", "holes", "renaming", "links", "attributes", "permissions", "shared files"];
    testWorkloads(combination, workloads, provoked);
  }
});
