/** From the plan to exports: opens what is behind each. */
import { statSync } from "node:fs";
import { type ExportOptions, LocalFileSystem, MemoryFileSystem, PortableFileSystem, type Storage } from "@nfs4/server";
import type { Clock } from "@nfs4/timecounter";
import type { PlannedExport } from "./plan.ts";
import { codeOf, messageOf, SettingsError } from "./settings-error.ts";

export interface ExportEnvironment {
  /** Who may mount where an export does not say. */
  readonly networks: readonly string[];
  readonly clock: Clock;
  readonly storage: Storage;
  /** Whether the addon is there; without it directories are served by Node's own means. */
  readonly native: boolean;
}

export interface OpenExport extends ExportOptions {
  /** For people: what is behind it. */
  readonly source: string;
  /** For people: what is not as they might think. */
  readonly notes: readonly string[];
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
): Promise<OpenExport[]> {
  const opened: OpenExport[] = [];
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
      ...(source === null ? memory(environment) : await local(source, index, environment)),
    });
  }
  return opened;
}

const WITHOUT_ADDON =
  "without the addon @nfs4/native everything is done as the user that runs the server, there are no special files or holes, clients must mount again after a restart, and nobody else on this machine should rename things in there";

type Backing = Pick<OpenExport, "fileSystem" | "notes" | "source">;

function memory({ clock }: ExportEnvironment): Backing {
  const fileSystem = new MemoryFileSystem({ now: () => clock.wall(), root: { mode: 0o1777 } });
  return { fileSystem, source: "memory", notes: ["what is in memory is lost when the server ends"] };
}

async function local(
  directory: string,
  index: number,
  { clock, storage, native }: ExportEnvironment,
): Promise<Backing> {
  try {
    if (!native) {
      const fileSystem = new PortableFileSystem({ directory, now: () => clock.wall() });
      return { fileSystem, source: directory, notes: [WITHOUT_ADDON] };
    }
    const fileSystem = await LocalFileSystem.open({ directory, clock, storage });
    return { fileSystem, source: directory, notes: notesOn(fileSystem) };
  } catch (error) {
    throw new SettingsError(`exports.${index}.directory`, messageOf(error));
  }
}

function notesOn({ impersonates, keys }: LocalFileSystem): string[] {
  return [
    ...(impersonates
      ? []
      : ["without root everything is done as the user that runs the server, and new files are theirs"]),
    ...(keys === "handles"
      ? []
      : ["without the kernel's file handles, files renamed behind the server's back become stale"]),
  ];
}
