import { nodeClock } from "@nfs4/timecounter";
import { describe } from "vitest";
import { LocalFileSystem } from "../src/filesystem/local/local-file-system.ts";
import type { LocalFileSystemOptions } from "../src/filesystem/local/open-volume.ts";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { describeFileSystem, type Subject } from "./filesystem-contract.ts";
import { isRoot, scratchDirectory, withoutDisk } from "./scratch.ts";

async function subject(options: Partial<LocalFileSystemOptions>): Promise<Subject> {
  const { path, remove } = scratchDirectory();
  const clock = nodeClock({ ref: false });
  // A mode that a client asks for must not lose anything by it.
  const umask = process.umask(0o077);
  let fileSystem = await LocalFileSystem.open({ directory: path, clock, ...options });
  return {
    fileSystem,
    restart: async () => {
      await fileSystem.dispose();
      fileSystem = await LocalFileSystem.open({ directory: path, clock, ...options });
      return fileSystem;
    },
    end: async () => {
      await fileSystem.dispose();
      process.umask(umask);
      remove();
    },
  };
}

describe.skipIf(withoutDisk)("LocalFileSystem", () => {
  const abilities = { identities: isRoot, devices: isRoot };
  if (isRoot) {
    describeFileSystem("with handles", () => subject({ keys: "handles" }), abilities);
    describeFileSystem(
      "with handles, on threads",
      () => subject({ keys: "handles", blockingMetadata: "threads" }),
      abilities,
    );
    describeFileSystem(
      "with few descriptors, in the machine's own mounts",
      () => subject({ keys: "handles", descriptors: 16, confine: false }),
      abilities,
    );
  }
  describeFileSystem("with paths", () => subject({ keys: "paths", storage: new MemoryStorage() }), abilities);
});
