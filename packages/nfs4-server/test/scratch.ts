/** Directories on the disk for tests of what stands on it, and why such tests cannot run. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativeAvailable } from "@nfs4/native";

const available = nativeAvailable();

export const withoutDisk: boolean = !available.ok;
if (!available.ok) console.warn(`LocalFileSystem is not tested: ${available.reason}`);

export const isRoot: boolean = process.getuid?.() === 0;
if (!isRoot)
  console.warn("Not root: LocalFileSystem is tested as one user, without handles of the kernel and without devices");

/** A fresh directory, and what removes it. `under`: on another file system than the temporary one. */
export function scratchDirectory(under: string = tmpdir()): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(under, "nfs4-local-"));
  const remove = (): void => {
    // Without privilege a directory must be one's own to read, too.
    execFileSync("chmod", ["-R", "u+rwX", path]);
    rmSync(path, { recursive: true, force: true });
  };
  return { path, remove };
}

export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
