import type { DateObject } from "../adapters/date.ts";
import { NfsError } from "../errors.ts";
import { invalidType } from "./argument-errors.ts";
import type { FileHandle } from "./file-handle.ts";
import { modeOf } from "./flags.ts";
import type { BigIntStats, StatOptions, Stats } from "./stats.ts";

type Time = number | string | DateObject;

/** Files that are open by number, as the callback-style `fs` has them. The numbers are ours: no other module of Node knows them. */
export class Descriptors {
  readonly #handles = new Map<number, FileHandle>();

  add(handle: FileHandle): number {
    this.#handles.set(handle.fd, handle);
    return handle.fd;
  }

  /** Throws EBADF for a number that is not open. */
  handle(fd: number, syscall: string): FileHandle {
    if (typeof fd !== "number") throw invalidType("fd", "of type number", fd);
    const handle = this.#handles.get(fd);
    if (handle === undefined) throw new NfsError("EBADF", "bad file descriptor", { syscall });
    return handle;
  }

  async close(fd: number): Promise<void> {
    const handle = this.handle(fd, "close");
    this.#handles.delete(fd);
    await handle.close();
  }

  async stat(fd: number, options?: StatOptions): Promise<Stats | BigIntStats> {
    return this.handle(fd, "fstat").stat(options);
  }

  async chmod(fd: number, mode: number | string): Promise<void> {
    await this.handle(fd, "fchmod").chmod(modeOf(mode, 0));
  }

  async chown(fd: number, uid: number, gid: number): Promise<void> {
    await this.handle(fd, "fchown").chown(uid, gid);
  }

  async utimes(fd: number, atime: Time, mtime: Time): Promise<void> {
    await this.handle(fd, "futimes").utimes(atime, mtime);
  }

  async truncate(fd: number, length?: number): Promise<void> {
    await this.handle(fd, "ftruncate").truncate(length);
  }

  async sync(fd: number): Promise<void> {
    await this.handle(fd, "fsync").sync();
  }

  async datasync(fd: number): Promise<void> {
    await this.handle(fd, "fdatasync").datasync();
  }

  async read(fd: number, ...args: readonly unknown[]): ReturnType<FileHandle["read"]> {
    return this.handle(fd, "read").read(...(args as Parameters<FileHandle["read"]>));
  }

  async write(fd: number, ...args: readonly unknown[]): ReturnType<FileHandle["write"]> {
    return this.handle(fd, "write").write(...(args as Parameters<FileHandle["write"]>));
  }

  async readv(
    fd: number,
    buffers: readonly ArrayBufferView[],
    position?: number | null,
  ): ReturnType<FileHandle["readv"]> {
    return this.handle(fd, "read").readv(buffers, position);
  }

  async writev(
    fd: number,
    buffers: readonly ArrayBufferView[],
    position?: number | null,
  ): ReturnType<FileHandle["writev"]> {
    return this.handle(fd, "write").writev(buffers, position);
  }
}
