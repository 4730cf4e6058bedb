import { describe } from "vitest";
import { combinations } from "./harness/matrix.ts";
import { testWorkloads } from "./harness/workload-tests.ts";

/** Locks that are taken, and what the other guest finds gone. A 4.1 client may free a stateid that a LOCKU on its way has just moved on. */
const provoked =
  /^((LOOKUP|OPEN) NFS4ERR_NOENT|LOCKT? NFS4ERR_DENIED|PUTFH NFS4ERR_STALE|FREE_STATEID NFS4ERR_OLD_STATEID)$/;

describe("locks between two guests", () => {
  for (const combination of combinations("4.0 local", "4.1 local")) testWorkloads(combination, ["locks"], provoked);
});
