/** A `Storage` in a directory of this machine, by node:fs. */
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Storage } from "./storage.ts";

/** What of node:fs/promises this stands on. Tests put a disk there that loses what was not synced. */
export interface StorageCalls {
  open(path: string, flags: "a" | "w" | "r", mode?: number): Promise<StorageFile>;
  readFile(path: string): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
}

export interface StorageFile {
  appendFile(bytes: Uint8Array): Promise<void>;
  writeFile(bytes: Uint8Array): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

const NODE_CALLS: StorageCalls = { open, readFile, rename };

export class NodeStorage implements Storage {
  readonly #directory: string;
  readonly #calls: StorageCalls;
  /** Files that are appended to stay open. */
  readonly #logs: Map<string, StorageFile> = new Map();
  /** The last operation on each name: they run one after the other. */
  readonly #tails: Map<string, Promise<unknown>> = new Map();
  #closed = false;

  /** @param directory It must be there. */
  constructor(directory: string, calls: StorageCalls = NODE_CALLS) {
    this.#directory = directory;
    this.#calls = calls;
  }

  read(name: string): Promise<Uint8Array | null> {
    return this.#inTurn(name, async () => {
      try {
        const content = await this.#calls.readFile(this.#path(name));
        return new Uint8Array(content.buffer, content.byteOffset, content.length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    });
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(name, async () => {
      const log = this.#logs.get(name) ?? (await this.#openLog(name));
      await log.appendFile(bytes);
      await log.datasync();
    });
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(name, async () => {
      const temporary = this.#path(`${name}.new`);
      const file = await this.#calls.open(temporary, "w", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      const log = this.#logs.get(name);
      this.#logs.delete(name);
      await log?.close();
      await this.#calls.rename(temporary, this.#path(name));
      await this.#syncDirectory();
    });
  }

  /** Waits for what is under way and closes the files. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#tails.values());
    for (const log of this.#logs.values()) await log.close();
    this.#logs.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #path(name: string): string {
    if (!/^[^/\0]+$/.test(name) || name === "." || name === "..")
      throw new RangeError(`"${name}" is no plain file name`);
    return join(this.#directory, name);
  }

  #inTurn<T>(name: string, action: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`the state in "${this.#directory}" is closed`));
    const before = this.#tails.get(name) ?? Promise.resolve();
    const result = before.then(action, action);
    const tail = result.then(
      () => {},
      () => {},
    );
    this.#tails.set(name, tail);
    void tail.then(() => {
      if (this.#tails.get(name) === tail) this.#tails.delete(name);
    });
    return result;
  }

  async #openLog(name: string): Promise<StorageFile> {
    const log = await this.#calls.open(this.#path(name), "a", 0o600);
    try {
      // It may be new, and its name must last as well.
      await this.#syncDirectory();
    } catch (error) {
      // The next one tries again.
      await log.close();
      throw error;
    }
    this.#logs.set(name, log);
    return log;
  }

  async #syncDirectory(): Promise<void> {
    const directory = await this.#calls.open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
