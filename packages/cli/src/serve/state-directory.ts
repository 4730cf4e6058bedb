/** Which directory keeps the server's state. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { StateDirectory } from "@nfs4/server";
import { codeOf, messageOf, SettingsError } from "./settings-error.ts";

const MAX_INSTANCES = 64;

export interface OpenState {
  readonly directory: StateDirectory;
  /** Different for servers beside each other, mostly; the same for the same directory. 0 … 255. */
  readonly preference: number;
}

/**
 * Opens the one that was named, or the first of server-1, server-2 … that no running server holds: so several can run side by side, and the first one
 * finds its own again. Throws a `SettingsError` if it is held, cannot be written, or lies inside one of the exported directories.
 */
export async function openState(named: string | undefined, exported: readonly string[]): Promise<OpenState> {
  if (named !== undefined) {
    const directory = resolve(named);
    const opened = await open(directory, exported);
    return { directory: opened, preference: createHash("sha256").update(directory).digest()[0] ?? 0 };
  }
  const base = defaultBase();
  for (let instance = 0; instance < MAX_INSTANCES; instance++) {
    try {
      return { directory: await open(join(base, `server-${instance + 1}`), exported), preference: instance };
    } catch (error) {
      if (codeOf((error as Error).cause) !== "ESTATELOCKED") throw error;
    }
  }
  throw new SettingsError("stateDirectory", `other servers are using all of ${base}: name another`);
}

async function open(directory: string, exported: readonly string[]): Promise<StateDirectory> {
  const container = exported.find((one) => isInside(directory, one));
  if (container !== undefined)
    throw new SettingsError(
      "stateDirectory",
      `${directory} is inside ${container}, which is exported: clients could read its keys. Choose another`,
    );
  try {
    return await StateDirectory.open(directory);
  } catch (error) {
    throw new SettingsError("stateDirectory", messageOf(error), { cause: error });
  }
}

function defaultBase(): string {
  const told = process.env["XDG_STATE_HOME"];
  if (told) return join(told, "nfs4");
  return process.getuid?.() === 0 ? "/var/lib/nfs4" : join(homedir(), ".local", "state", "nfs4");
}

function isInside(directory: string, container: string): boolean {
  const path = relative(real(container), real(directory));
  return path === "" || !(path === ".." || path.startsWith("../"));
}

/** Without symbolic links, as far as the path exists. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(real(above), basename(path));
  }
}
