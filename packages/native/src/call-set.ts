import type { Decoder, Executor, FileEngine, Operations } from "./file-engine.ts";
import { decodeHandle, decodeStatfs, decodeStatx, type FileHandle, type Statfs, type Statx } from "./file-results.ts";
import type { As, Either, FileSystemCalls, Long, Name } from "./file-system-calls.ts";

type Now<T> = T | Promise<T>;
type Bytes = Uint8Array | readonly Uint8Array[];

// A result is two words, which as a double is exact up to 2^53: more than any file system call but lseek returns.
const plain: Decoder<number> = (low, high) => high * 0x1_0000_0000 + (low >>> 0);
const exact: Decoder<bigint | number> = (low, high) =>
  high < 0 ? plain(low, high, NOTHING, 0) : (BigInt(high) << 32n) | BigInt(low >>> 0);
const statx: Decoder<Statx | number> = (low, high, words, at) => (high < 0 ? low : decodeStatx(words, at));
const statfs: Decoder<Statfs | number> = (low, high, words, at) => (high < 0 ? low : decodeStatfs(words, at));
const handle: Decoder<FileHandle | number> = (low, high, words, at) => (high < 0 ? low : decodeHandle(words, at));
const NOTHING = new Int32Array(0);

/** Prepares each call, and lets an executor carry it out: at once or on a worker. */
export class CallSet implements Either<FileSystemCalls> {
  readonly #engine: FileEngine;
  readonly #run: Executor;
  readonly #op: Operations;

  constructor(engine: FileEngine, run: Executor) {
    this.#engine = engine;
    this.#run = run;
    this.#op = engine.operations;
  }

  open(directory: number, name: Name, flags: number, mode: number, as?: As): Now<number> {
    this.#engine.begin(directory, as).name(name).flags(flags).mode(mode);
    return this.#run(this.#op.open, plain);
  }

  openBeneath(directory: number, path: Name, flags: number, mode: number, resolve: number, as?: As): Now<number> {
    this.#engine.begin(directory, as).name(path).flags(flags).mode(mode).extra(resolve, 0);
    return this.#run(this.#op.openBeneath, plain);
  }

  openPath(path: Name, flags: number, as?: As): Now<number> {
    this.#engine.begin(-1, as).name(path).flags(flags).mode(0);
    return this.#run(this.#op.openPath, plain);
  }

  cloneTree(directory: number): Now<number> {
    this.#engine.begin(directory, null);
    return this.#run(this.#op.cloneTree, plain);
  }

  reopen(fd: number, flags: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).flags(flags);
    return this.#run(this.#op.reopen, plain);
  }

  close(fd: number): Now<number> {
    this.#engine.begin(fd, null);
    return this.#run(this.#op.close, plain);
  }

  nameToHandle(fd: number, name: Name | null, flags: number, as?: As): Now<FileHandle | number> {
    this.#engine.begin(fd, as).name(name).flags(flags);
    return this.#run(this.#op.nameToHandle, handle);
  }

  openByHandle(mountFd: number, type: number, bytes: Uint8Array, flags: number, as?: As): Now<number> {
    this.#engine.begin(mountFd, as).flags(flags).extra(type, 0);
    return this.#run(this.#op.openByHandle, plain, bytes);
  }

  flock(fd: number, operation: number): Now<number> {
    this.#engine.begin(fd, null).flags(operation);
    return this.#run(this.#op.flock, plain);
  }

  statx(fd: number, name: Name | null, flags: number, mask: number, as?: As): Now<Statx | number> {
    this.#engine.begin(fd, as).name(name).flags(flags).mode(mask);
    return this.#run(this.#op.statx, statx);
  }

  statfs(fd: number): Now<Statfs | number> {
    this.#engine.begin(fd, null);
    return this.#run(this.#op.statfs, statfs);
  }

  access(fd: number, mode: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).mode(mode);
    return this.#run(this.#op.access, plain);
  }

  chmod(fd: number, mode: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).mode(mode);
    return this.#run(this.#op.chmod, plain);
  }

  chown(fd: number, uid: number, gid: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).extra(uid, gid);
    return this.#run(this.#op.chown, plain);
  }

  utimes(
    fd: number,
    atimeSeconds: Long,
    atimeNanoseconds: number,
    mtimeSeconds: Long,
    mtimeNanoseconds: number,
    as?: As,
  ): Now<number> {
    this.#engine.begin(fd, as).offset(atimeSeconds).offset2(mtimeSeconds).extra(atimeNanoseconds, mtimeNanoseconds);
    return this.#run(this.#op.utimes, plain);
  }

  truncate(fd: number, length: Long, as?: As): Now<number> {
    this.#engine.begin(fd, as).length(length);
    return this.#run(this.#op.truncate, plain);
  }

  truncatePath(fd: number, length: Long, as?: As): Now<number> {
    this.#engine.begin(fd, as).length(length);
    return this.#run(this.#op.truncatePath, plain);
  }

  mkdir(directory: number, name: Name, mode: number, as?: As): Now<number> {
    this.#engine.begin(directory, as).name(name).mode(mode);
    return this.#run(this.#op.mkdir, plain);
  }

  mknod(directory: number, name: Name, mode: number, major: number, minor: number, as?: As): Now<number> {
    this.#engine.begin(directory, as).name(name).mode(mode).extra(major, minor);
    return this.#run(this.#op.mknod, plain);
  }

  symlink(directory: number, name: Name, text: Name, as?: As): Now<number> {
    this.#engine.begin(directory, as).name(name).name2(text);
    return this.#run(this.#op.symlink, plain);
  }

  readlink(fd: number, name: Name | null, into: Uint8Array, as?: As): Now<number> {
    this.#engine.begin(fd, as).name(name);
    return this.#run(this.#op.readlink, plain, into);
  }

  link(directory: number, name: Name, toDirectory: number, toName: Name, as?: As): Now<number> {
    this.#engine.begin(directory, as).fd2(toDirectory).name(name).name2(toName);
    return this.#run(this.#op.link, plain);
  }

  linkFd(fd: number, toDirectory: number, toName: Name, as?: As): Now<number> {
    this.#engine.begin(fd, as).fd2(toDirectory).name2(toName);
    return this.#run(this.#op.linkFd, plain);
  }

  unlink(directory: number, name: Name, flags: number, as?: As): Now<number> {
    this.#engine.begin(directory, as).name(name).flags(flags);
    return this.#run(this.#op.unlink, plain);
  }

  rename(directory: number, name: Name, toDirectory: number, toName: Name, flags: number, as?: As): Now<number> {
    this.#engine.begin(directory, as).fd2(toDirectory).name(name).name2(toName).flags(flags);
    return this.#run(this.#op.rename, plain);
  }

  getdents(fd: number, cookieHigh: number, cookieLow: number, into: Uint8Array, as?: As): Now<number> {
    this.#engine.begin(fd, as).offsetPair(cookieHigh, cookieLow);
    return this.#run(this.#op.getdents, plain, into);
  }

  read(fd: number, into: Bytes, offset: Long, flags: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).offset(offset).flags(flags);
    return this.#run(this.#op.read, plain, into);
  }

  write(fd: number, from: Bytes, offset: Long, flags: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).offset(offset).flags(flags);
    return this.#run(this.#op.write, plain, from);
  }

  fsync(fd: number): Now<number> {
    this.#engine.begin(fd, null);
    return this.#run(this.#op.fsync, plain);
  }

  fdatasync(fd: number): Now<number> {
    this.#engine.begin(fd, null);
    return this.#run(this.#op.fdatasync, plain);
  }

  syncfs(fd: number): Now<number> {
    this.#engine.begin(fd, null);
    return this.#run(this.#op.syncfs, plain);
  }

  fallocate(fd: number, mode: number, offset: Long, length: Long, as?: As): Now<number> {
    this.#engine.begin(fd, as).mode(mode).offset(offset).length(length);
    return this.#run(this.#op.fallocate, plain);
  }

  seek(fd: number, offset: Long, whence: number): Now<bigint | number> {
    this.#engine.begin(fd, null).offset(offset).flags(whence);
    return this.#run(this.#op.seek, exact);
  }

  advise(fd: number, offset: Long, length: Long, advice: number): Now<number> {
    this.#engine.begin(fd, null).offset(offset).length(length).flags(advice);
    return this.#run(this.#op.advise, plain);
  }

  copyRange(fd: number, offset: Long, toFd: number, toOffset: Long, length: Long, as?: As): Now<number> {
    this.#engine.begin(fd, as).fd2(toFd).offset(offset).offset2(toOffset).length(length);
    return this.#run(this.#op.copyRange, plain);
  }

  clone(fd: number, toFd: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).fd2(toFd);
    return this.#run(this.#op.clone, plain);
  }

  cloneRange(fd: number, offset: Long, toFd: number, toOffset: Long, length: Long, as?: As): Now<number> {
    this.#engine.begin(fd, as).fd2(toFd).offset(offset).offset2(toOffset).length(length);
    return this.#run(this.#op.cloneRange, plain);
  }

  getXattr(fd: number, name: Name, into: Uint8Array, as?: As): Now<number> {
    this.#engine.begin(fd, as).name(name);
    return this.#run(this.#op.getXattr, plain, into);
  }

  setXattr(fd: number, name: Name, value: Uint8Array, flags: number, as?: As): Now<number> {
    this.#engine.begin(fd, as).name(name).flags(flags);
    return this.#run(this.#op.setXattr, plain, value);
  }

  listXattrs(fd: number, into: Uint8Array, as?: As): Now<number> {
    this.#engine.begin(fd, as);
    return this.#run(this.#op.listXattrs, plain, into);
  }

  removeXattr(fd: number, name: Name, as?: As): Now<number> {
    this.#engine.begin(fd, as).name(name);
    return this.#run(this.#op.removeXattr, plain);
  }

  watchOpen(): Now<number> {
    this.#engine.begin(-1, null);
    return this.#run(this.#op.watchOpen, plain);
  }

  watchAdd(watchFd: number, fd: number, mask: number): Now<number> {
    this.#engine.begin(watchFd, null).fd2(fd).flags(mask);
    return this.#run(this.#op.watchAdd, plain);
  }

  watchRemove(watchFd: number, watch: number): Now<number> {
    this.#engine.begin(watchFd, null).flags(watch);
    return this.#run(this.#op.watchRemove, plain);
  }

  watchRead(watchFd: number, into: Uint8Array): Now<number> {
    this.#engine.begin(watchFd, null);
    return this.#run(this.#op.watchRead, plain, into);
  }
}
