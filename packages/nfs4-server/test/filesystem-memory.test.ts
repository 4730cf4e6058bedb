import { MemoryFileSystem } from "../src/filesystem/memory/memory-file-system.ts";
import { withPermissionChecks } from "../src/filesystem/permission-checks.ts";
import { describeFileSystem } from "./filesystem-contract.ts";

let seconds = 1_800_000_000;

describeFileSystem(
  "MemoryFileSystem",
  async () => ({
    fileSystem: withPermissionChecks(new MemoryFileSystem({ now: () => ({ seconds: seconds++, nanoseconds: 7 }) })),
    end: async () => {},
  }),
  { identities: true, devices: true },
);
