import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onProcessEnd } from "./cleanup.ts";
import { isAbandoned, ownerTag } from "./owner.ts";

/** A temporary directory that does not outlive the process, nor by much a process that was killed. */
export interface ScratchDirectory {
  readonly path: string;
  /** Idempotent. */
  remove(): void;
  [Symbol.dispose](): void;
}

export function createScratchDirectory(purpose: string): ScratchDirectory {
  sweepAbandonedDirectories();
  const path = mkdtempSync(join(tmpdir(), `${ownerTag()}-${purpose}-`));
  const forget = onProcessEnd(() => rmSync(path, { recursive: true, force: true }));
  const remove = (): void => {
    rmSync(path, { recursive: true, force: true });
    forget();
  };
  return { path, remove, [Symbol.dispose]: remove };
}

/** Removes what killed runs have left. Gives the names. */
export function sweepAbandonedDirectories(): string[] {
  const names = readdirSync(tmpdir()).filter(isAbandoned);
  for (const name of names) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  return names;
}
