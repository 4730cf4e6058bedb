import { NfsError } from "../errors.ts";
import { type Callback, withCallback } from "./callback.ts";
import { Dirent } from "./dirent.ts";
import type { Entry } from "./listing.ts";

/** As `fs.Dir`. */
export class Dir implements AsyncDisposable {
  readonly path: string;
  readonly #pages: AsyncGenerator<Entry[], void, undefined>;
  /** Those that were read and not given yet, the next one last. */
  #entries: Entry[];
  #closed = false;

  constructor(path: string, first: readonly Entry[], pages: AsyncGenerator<Entry[], void, undefined>) {
    this.path = path;
    this.#entries = first.toReversed();
    this.#pages = pages;
  }

  /** The next entry, in the server's order; null: there is none. */
  read(): Promise<Dirent | null>;
  read(callback: Callback<Dirent | null>): void;
  read(callback?: Callback<Dirent | null>): Promise<Dirent | null> | undefined {
    if (callback === undefined) return this.#read();
    withCallback(() => this.#read())(callback);
    return undefined;
  }

  async #read(): Promise<Dirent | null> {
    if (this.#closed) throw new NfsError("ERR_DIR_CLOSED", "Directory handle was closed");
    while (this.#entries.length === 0) {
      const { value, done } = await this.#pages.next();
      if (done === true) return null;
      this.#entries = value.reverse();
    }
    const { name, attributes } = this.#entries.pop()!;
    return new Dirent(name, this.path, attributes.type);
  }

  close(): Promise<void>;
  close(callback: Callback<void>): void;
  close(callback?: Callback<void>): Promise<void> | undefined {
    if (callback === undefined) return this.#close();
    withCallback(() => this.#close())(callback);
    return undefined;
  }

  async #close(): Promise<void> {
    if (this.#closed) throw new NfsError("ERR_DIR_CLOSED", "Directory handle was closed");
    this.#closed = true;
    await this.#pages.return();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent, void, undefined> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      if (!this.#closed) await this.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close();
  }
}
