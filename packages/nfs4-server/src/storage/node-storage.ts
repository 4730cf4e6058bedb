/** A `Storage` in a directory of this machine, by node:fs. */
import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Storage } from "./storage.ts";

export class NodeStorage implements Storage {
  readonly #directory: string;
  /** Files that are appended to stay open. */
  readonly #logs: Map<string, FileHandle> = new Map();
  /** The last operation on each name: they run one after the other. */
  readonly #tails: Map<string, Promise<unknown>> = new Map();
  #closed = false;

  /** @param directory It must be there. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  read(name: string): Promise<Uint8Array | null> {
    return this.#inTurn(name, async () => {
      try {
        const content = await readFile(this.#path(name));
        return new Uint8Array(content.buffer, content.byteOffset, content.length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    });
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(name, async () => {
      let log = this.#logs.get(name);
      if (!log) {
        log = await open(this.#path(name), "a", 0o600);
        this.#logs.set(name, log);
        // It may be new, and its name must last as well.
        await this.#syncDirectory();
      }
      await log.appendFile(bytes);
      await log.datasync();
    });
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(name, async () => {
      const temporary = this.#path(`${name}.new`);
      const file = await open(temporary, "w", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#logs.get(name)?.close();
      this.#logs.delete(name);
      await rename(temporary, this.#path(name));
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

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
