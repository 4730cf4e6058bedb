/**
 * What the file system opened for one OPEN state. An opener may add WRITE to READ later, so there can be two; a READ that is under way holds its file
 * open although CLOSE has come.
 */
import { type FileSystem, OPEN_READ, OPEN_WRITE, type OpenAccess } from "../filesystem/types.ts";

/** One open file of the file system, counted. */
export class FileReference {
  readonly file: unknown;
  readonly access: OpenAccess;
  readonly #fileSystem: FileSystem;
  #holders = 1;

  constructor(fileSystem: FileSystem, file: unknown, access: OpenAccess) {
    this.#fileSystem = fileSystem;
    this.file = file;
    this.access = access;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  /** The last one closes the file. Errors of close are the file system's own affair: nobody waits for them. */
  release(): void {
    if (--this.#holders > 0) return;
    const closing = this.#fileSystem.close?.(this.file);
    if (closing instanceof Promise) closing.catch(() => {});
  }
}

export class OpenFiles {
  #forReading: FileReference | null = null;
  #forWriting: FileReference | null = null;

  /** The access that the files cover. */
  get access(): number {
    return (this.#forReading ? OPEN_READ : 0) | (this.#forWriting ? OPEN_WRITE : 0);
  }

  /** Takes over the caller's hold on a file and uses it for what it can do. */
  adopt(file: FileReference): void {
    if (file.access & OPEN_READ && !this.#forReading) this.#forReading = file.hold();
    if (file.access & OPEN_WRITE && !this.#forWriting) this.#forWriting = file.hold();
    file.release();
  }

  /** A file to read from; held for the caller. */
  holdForReading(): FileReference | null {
    return this.#forReading?.hold() ?? null;
  }

  holdForWriting(): FileReference | null {
    return this.#forWriting?.hold() ?? null;
  }

  /** OPEN_DOWNGRADE, CLOSE: keeps only what `access` needs. */
  reduce(access: number): void {
    if (!(access & OPEN_READ)) {
      this.#forReading?.release();
      this.#forReading = null;
    }
    if (!(access & OPEN_WRITE)) {
      this.#forWriting?.release();
      this.#forWriting = null;
    }
  }
}
