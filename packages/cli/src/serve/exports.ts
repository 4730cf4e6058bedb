/** From the plan to exports: opens what is behind each. */
import { statSync } from "node:fs";
import { type ExportOptions, LocalFileSystem, MemoryFileSystem, type Storage } from "@nfs4/server";
import type { Clock } from "@nfs4/timecounter";
import type { PlannedExport } from "./plan.ts";
import { codeOf, messageOf, SettingsError } from "./settings-error.ts";

export interface ExportEnvironment {
  /** Who may mount where an export does not say. */
  readonly networks: readonly string[];
  readonly clock: Clock;
  readonly storage: Storage;
}

/** Throws a `SettingsError` about the first export whose directory cannot be served. */
export function refuseMissing(planned: readonly PlannedExport[]): void {
  for (const [index, { source }] of planned.entries()) {
    if (source === null) continue;
    const key = `exports.${index}.directory`;
    try {
      if (!statSync(source).isDirectory()) throw new SettingsError(key, `${source} is no directory`);
    } catch (error) {
      if (error instanceof SettingsError) throw error;
      throw new SettingsError(
        key,
        codeOf(error) === "ENOENT" ? `there is no directory ${source}` : `cannot serve ${source}: ${messageOf(error)}`,
      );
    }
  }
}

export async function openExports(
  planned: readonly PlannedExport[],
  environment: ExportEnvironment,
): Promise<ExportOptions[]> {
  const opened: ExportOptions[] = [];
  for (const [index, one] of planned.entries()) {
    const { path, source, readOnly = false, squash = "root", id, anonymousUid, anonymousGid } = one;
    opened.push({
      path,
      readOnly,
      squash,
      ...(id === undefined ? {} : { id }),
      ...(anonymousUid === undefined ? {} : { anonymousUid }),
      ...(anonymousGid === undefined ? {} : { anonymousGid }),
      clients: one.clients ?? environment.networks,
      fileSystem: source === null ? memory(environment) : await local(source, index, environment),
    });
  }
  return opened;
}

function memory({ clock }: ExportEnvironment): MemoryFileSystem {
  return new MemoryFileSystem({ now: () => clock.wall(), root: { mode: 0o1777 } });
}

async function local(
  directory: string,
  index: number,
  { clock, storage }: ExportEnvironment,
): Promise<LocalFileSystem> {
  try {
    return await LocalFileSystem.open({ directory, clock, storage });
  } catch (error) {
    throw new SettingsError(`exports.${index}.directory`, messageOf(error));
  }
}
