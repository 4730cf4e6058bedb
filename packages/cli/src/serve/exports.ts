/** From settings to exports: opens what is behind each. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type ExportOptions, LocalFileSystem, MemoryFileSystem, type Storage } from "@nfs4/server";
import type { Clock } from "@nfs4/timecounter";
import { completeExports, type Settings, SettingsError } from "./settings.ts";

export interface OpenExport extends ExportOptions {
  /** For people. */
  readonly source: string;
}

/** `network`: who may mount where an export does not say; null: everybody. */
export async function openExports(
  settings: Settings,
  network: string | null,
  clock: Clock,
  storage: Storage,
): Promise<OpenExport[]> {
  const opened: OpenExport[] = [];
  for (const one of completeExports(settings)) {
    const { directory } = one;
    const clients = one.clients ?? (network === null ? undefined : [network]);
    const common = {
      path: one.path,
      readOnly: one.readOnly ?? false,
      squash: one.squash ?? "root",
      ...(one.anonymousUid === undefined ? {} : { anonymousUid: one.anonymousUid }),
      ...(one.anonymousGid === undefined ? {} : { anonymousGid: one.anonymousGid }),
      ...(clients === undefined ? {} : { clients }),
    } as const;
    if (directory === undefined) {
      const fileSystem = new MemoryFileSystem({ now: () => clock.wall(), root: { mode: 0o1777 } });
      opened.push({ ...common, fileSystem, source: "memory" });
      continue;
    }
    const absolute = resolve(directory);
    if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory())
      throw new SettingsError(`${directory}: there is no such directory to serve`);
    opened.push({
      ...common,
      fileSystem: await LocalFileSystem.open({ directory: absolute, clock, storage }),
      source: absolute,
    });
  }
  return opened;
}

/** The directories among the exports. */
export function exportedDirectories(settings: Settings): string[] {
  return completeExports(settings).flatMap(({ directory }) => (directory === undefined ? [] : [directory]));
}
