/** The directory with what must outlive a server, locked against a second one. */
import { type FileHandle, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { kill, pid } from "node:process";
import { errnoName, FileCalls, LOCK, nativeAvailable } from "@nfs4/native";
import { NodeStorage } from "./node-storage.ts";

const LOCK_FILE = "lock";
const EAGAIN = "EAGAIN";

export class StateDirectory {
  /** Absolute. */
  readonly path: string;
  readonly storage: NodeStorage;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | null = null;

  private constructor(path: string, release: () => Promise<void>) {
    this.path = path;
    this.storage = new NodeStorage(path);
    this.#release = release;
  }

  /**
   * Makes the directory (0700, with those above it) if it is not there, and locks it. Rejects with an Error that says who has it (`code`
   * ESTATELOCKED), or what else is wrong. The lock goes with the process, however it ends.
   */
  static async open(path: string): Promise<StateDirectory> {
    const absolute = resolve(path);
    await makeDirectory(absolute);
    const release = nativeAvailable().ok ? await lockFile(absolute) : await lockByPid(absolute);
    return new StateDirectory(absolute, release);
  }

  /** Waits for what is being written, then unlocks. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.storage.close().then(this.#release);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR") throw new Error(`state directory "${path}": it is not a directory`);
    throw new Error(`state directory "${path}" cannot be made: ${code}`);
  }
  const { mode } = await stat(path);
  // What stands there decides who is who: nobody else may write it.
  if (mode & 0o022) {
    const octal = (mode & 0o7777).toString(8).padStart(4, "0");
    throw new Error(`state directory "${path}": others may write to it (mode ${octal}); chmod 0700 it`);
  }
}

const holder = `${pid} on ${hostname()}\n`;

/** Its code tells it from every other reason. */
function heldBy(path: string, who: string): Error {
  const message = `state directory "${path}" is in use by process ${who.trim() || "unknown"}: stop it or choose another`;
  return Object.assign(new Error(message), { code: "ESTATELOCKED" });
}

/** flock(2) on a file that also says who has it. */
export async function lockFile(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, LOCK_FILE);
  const file = await openLock(path, "a+", directory);
  const calls = new FileCalls({ workers: 1, syncWorkers: 1 });
  try {
    const result = calls.sync.flock(file.fd, LOCK.EX);
    if (result < 0) {
      if (errnoName(result) === EAGAIN) throw heldBy(directory, await readFile(path, "utf8"));
      throw new Error(`state directory "${directory}" cannot be locked: ${errnoName(result)}`);
    }
    await file.truncate();
    await file.writeFile(holder);
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    await calls.close();
  }
  return async () => {
    await file.truncate();
    await file.close();
  };
}

/** Without the addon: a file that only one can make. One that a dead process has left is taken over. */
export async function lockByPid(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, `${LOCK_FILE}.pid`);
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await openLock(path, "wx", directory);
      try {
        await file.writeFile(holder);
      } finally {
        await file.close();
      }
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const who = await readFile(path, "utf8").catch(() => "");
      if (attempt === 3 || isAlive(Number.parseInt(who, 10))) throw heldBy(directory, who);
      await rm(path, { force: true });
    }
  }
}

async function openLock(path: string, flags: string, directory: string): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw error;
    throw new Error(`state directory "${directory}" cannot be locked: ${code}`);
  }
}

function isAlive(process: number): boolean {
  if (!Number.isInteger(process) || process <= 0) return false;
  try {
    kill(process, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
