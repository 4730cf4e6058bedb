/** Which directory keeps the server's state. */
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { StateDirectory } from "@nfs4/server";
import { SettingsError } from "./settings.ts";

const MAX_INSTANCES = 64;

/**
 * Opens the one that was named, or the first of server-1, server-2 … that no running server holds: so several can run side by side, and the first one finds
 * its own again. Throws a `SettingsError` if it is held, cannot be written, or lies inside an export.
 */
export async function openStateDirectory(
  named: string | undefined,
  exported: readonly string[],
): Promise<StateDirectory> {
  if (named !== undefined) {
    refuseInside(named, exported);
    try {
      return await StateDirectory.open(resolve(named));
    } catch (error) {
      throw new SettingsError(`state directory ${named}: ${(error as Error).message}`);
    }
  }
  const base = defaultBase();
  for (let instance = 1; instance <= MAX_INSTANCES; instance++) {
    const directory = join(base, `server-${instance}`);
    refuseInside(directory, exported);
    try {
      return await StateDirectory.open(directory);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ESTATELOCKED")
        throw new SettingsError(`state directory ${directory}: ${(error as Error).message}`);
    }
  }
  throw new SettingsError(`every state directory below ${base} is in use: name one with --state-dir`);
}

function defaultBase(): string {
  if (process.getuid?.() === 0) return "/var/lib/nfs4";
  return join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "nfs4");
}

/** Clients must not be able to read the keys or rewrite the journal. */
function refuseInside(directory: string, exported: readonly string[]): void {
  for (const one of exported) {
    const path = relative(resolve(one), resolve(directory));
    if (path === "" || !(path.startsWith("..") || path.startsWith("/"))) {
      throw new SettingsError(
        `the state directory ${directory} lies inside the exported directory ${resolve(one)}: choose another with --state-dir`,
      );
    }
  }
}
