import type { FileHandle, Statfs, Statx } from "./file-results.ts";

/** As whom a call acts on files. Needs CAP_SETUID and CAP_SETGID, except for what the process is anyway. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, at most 1,024. */
  readonly groups: readonly number[];
}

/** One component of a path: raw bytes, or a string that stands for its UTF-8. `null` is the descriptor itself. */
export type Name = Uint8Array | string;

/** A 64-bit quantity: as a number where that is exact. */
export type Long = number | bigint;

/** Not negative, or a negative errno. */
export type Result = number;
/** A descriptor that the caller owns, or a negative errno. */
export type Fd = number;
/** Leaves the call to act as the process itself. */
export type As = Identity | null | undefined;

/**
 * Linux's file system calls on descriptors. A failed call returns its errno as a negative number, whatever it returns otherwise; only wrong
 * arguments throw (TypeError, RangeError).
 *
 * - A `Name` is one component under the descriptor of a directory: a slash in it, a NUL or no bytes at all are −EINVAL. No call follows a symbolic
 *   link in it. "." and ".." mean what they mean. `null`, where allowed, stands for the descriptor itself.
 * - `fd` may be an O_PATH descriptor except where bytes or entries are read or written (`read`, `write`, `getdents`, `truncate`, `fallocate`, `seek`,
 *   `advise`, `copyRange`, `clone…`, `f…sync`, `flock`, and the mount's descriptor of `openByHandle`).
 * - `as` is in force for this call only, on the thread that carries it out only.
 * - Buffers are borrowed until the result is there; they must not be transferred or detached before.
 * - On a worker the umask is 0; a call at once uses that of the process.
 */
export interface FileSystemCalls {
  /** openat(2). `flags`: O.…; `mode`: permission bits of a file that this makes. */
  open(directory: number, name: Name, flags: number, mode: number, as?: As): Fd;
  /** openat2(2): a path of several components, as far as `resolve` (RESOLVE.…) lets it walk. −ENOSYS before Linux 5.6. */
  openBeneath(directory: number, path: Name, flags: number, mode: number, resolve: number, as?: As): Fd;
  /** open(2) by any path, links followed: for the root of an export. */
  openPath(path: Name, flags: number, as?: As): Fd;
  /**
   * open_tree(2) with OPEN_TREE_CLONE: the directory as an unattached mount of its own, O_PATH. Under it no other mount is crossed, ".." does not lead above
   * it, and what was moved out of it has no parent. Gone with its last descriptor. Needs CAP_SYS_ADMIN (−EPERM); −ENOSYS before Linux 5.2.
   */
  cloneTree(directory: number): Fd;
  /** Opens what `fd` stands for again, with other flags: an O_PATH descriptor for I/O. Permission is decided now. −ELOOP for a symbolic link. */
  reopen(fd: number, flags: number, as?: As): Fd;
  /** close(2). The last close of an unlinked file frees its blocks, which can take long. */
  close(fd: number): Result;
  /** name_to_handle_at(2). `flags`: 0. −EOPNOTSUPP where the file system has no handles. */
  nameToHandle(fd: number, name: Name | null, flags: number, as?: As): FileHandle | Result;
  /** open_by_handle_at(2). `mountFd`: any descriptor on that mount. Needs CAP_DAC_READ_SEARCH (−EPERM). −ESTALE: the inode is gone. */
  openByHandle(mountFd: number, type: number, handle: Uint8Array, flags: number, as?: As): Fd;
  /** flock(2) without waiting: −EAGAIN if another has it. `operation`: LOCK.…. The lock goes with the open file's last descriptor. */
  flock(fd: number, operation: number): Result;

  /** statx(2). `mask`: STATX.…; `flags`: AT.STATX_… or 0. */
  statx(fd: number, name: Name | null, flags: number, mask: number, as?: As): Statx | Result;
  /** fstatfs(2). */
  statfs(fd: number): Statfs | Result;
  /** faccessat2(2) with AT_EACCESS: 0, or −EACCES if not all of `mode` (ACCESS.… or-ed) is allowed. */
  access(fd: number, mode: number, as?: As): Result;
  /** fchmodat(2). −EOPNOTSUPP for a symbolic link. */
  chmod(fd: number, mode: number, as?: As): Result;
  /** fchownat(2). LEAVE_ID leaves one as it is. */
  chown(fd: number, uid: number, gid: number, as?: As): Result;
  /** utimensat(2). Nanoseconds may be UTIME_NOW or UTIME_OMIT. */
  utimes(
    fd: number,
    atimeSeconds: Long,
    atimeNanoseconds: number,
    mtimeSeconds: Long,
    mtimeNanoseconds: number,
    as?: As,
  ): Result;
  /** ftruncate(2): `fd` is open for writing. */
  truncate(fd: number, length: Long, as?: As): Result;
  /** truncate(2) of what any descriptor stands for: permission is decided now. */
  truncatePath(fd: number, length: Long, as?: As): Result;

  /** mkdirat(2) */
  mkdir(directory: number, name: Name, mode: number, as?: As): Result;
  /** mknodat(2). `mode`: with the type (S.IFIFO, S.IFSOCK, S.IFCHR, S.IFBLK, S.IFREG). */
  mknod(directory: number, name: Name, mode: number, major: number, minor: number, as?: As): Result;
  /** symlinkat(2). `text` may be any bytes but NUL, at most 4,095. */
  symlink(directory: number, name: Name, text: Name, as?: As): Result;
  /** readlinkat(2): the length of the text, cut to `into`. */
  readlink(fd: number, name: Name | null, into: Uint8Array, as?: As): Result;
  /** linkat(2): another name for a directory's entry; of a symbolic link, for the link. */
  link(directory: number, name: Name, toDirectory: number, toName: Name, as?: As): Result;
  /** linkat(2): a name for what a descriptor stands for. */
  linkFd(fd: number, toDirectory: number, toName: Name, as?: As): Result;
  /** unlinkat(2). `flags`: 0, or AT.REMOVEDIR for a directory. */
  unlink(directory: number, name: Name, flags: number, as?: As): Result;
  /** renameat2(2). `flags`: 0 or RENAME.…. */
  rename(directory: number, name: Name, toDirectory: number, toName: Name, flags: number, as?: As): Result;
  /**
   * getdents64(2) from behind the entry with that cookie (0, 0: the beginning): bytes for a DirentReader; 0 at the end. −EINVAL if `into` is too small for one
   * entry. Calls on one descriptor take turns, so each continues where it says.
   */
  getdents(fd: number, cookieHigh: number, cookieLow: number, into: Uint8Array, as?: As): Result;

  /** preadv2(2): bytes read, 0 at the end of the file. `flags`: RWF.…; with RWF.NOWAIT only what is in memory, or −EAGAIN. */
  read(fd: number, into: Uint8Array | readonly Uint8Array[], offset: Long, flags: number, as?: As): Result;
  /** pwritev2(2): bytes written, which may be fewer. `flags`: RWF.…. At most 1,024 slices. */
  write(fd: number, from: Uint8Array | readonly Uint8Array[], offset: Long, flags: number, as?: As): Result;
  fsync(fd: number): Result;
  fdatasync(fd: number): Result;
  /** syncfs(2): everything on the file system of `fd`. */
  syncfs(fd: number): Result;
  /** fallocate(2). `mode`: 0 or FALLOC.…. */
  fallocate(fd: number, mode: number, offset: Long, length: Long, as?: As): Result;
  /** lseek(2), for SEEK.DATA and SEEK.HOLE: the position, exact, or a negative errno as number. −ENXIO: nothing there. */
  seek(fd: number, offset: Long, whence: number): bigint | Result;
  /** posix_fadvise(2). `advice`: ADVICE.…. */
  advise(fd: number, offset: Long, length: Long, advice: number): Result;
  /** copy_file_range(2): bytes copied, which may be fewer; 0 at the end of the source. */
  copyRange(fd: number, offset: Long, toFd: number, toOffset: Long, length: Long, as?: As): Result;
  /** ioctl FICLONE: the whole file. −EOPNOTSUPP or −EXDEV where blocks cannot be shared. */
  clone(fd: number, toFd: number, as?: As): Result;
  /** ioctl FICLONERANGE. Length 0: to the end. */
  cloneRange(fd: number, offset: Long, toFd: number, toOffset: Long, length: Long, as?: As): Result;

  /** getxattr(2): the value's length; an empty `into` asks for it. −ERANGE: `into` is too small. −ENODATA: there is none. */
  getXattr(fd: number, name: Name, into: Uint8Array, as?: As): Result;
  /** setxattr(2). `flags`: 0 or XATTR.…. */
  setXattr(fd: number, name: Name, value: Uint8Array, flags: number, as?: As): Result;
  /** listxattr(2): the length of the names, each ended by a NUL; an empty `into` asks for it. */
  listXattrs(fd: number, into: Uint8Array, as?: As): Result;
  /** removexattr(2) */
  removeXattr(fd: number, name: Name, as?: As): Result;

  /** inotify_init1(2), without waiting. */
  watchOpen(): Fd;
  /** inotify_add_watch(2) on what `fd` stands for: the watch's number. `mask`: IN.…. −ENOSPC: the user has no more watches. */
  watchAdd(watchFd: number, fd: number, mask: number): Result;
  /** inotify_rm_watch(2) */
  watchRemove(watchFd: number, watch: number): Result;
  /** read(2): bytes of events for a WatchReader, or −EAGAIN. −EINVAL if `into` is too small for one: 300 do. */
  watchRead(watchFd: number, into: Uint8Array): Result;
}

/** The same calls, each giving a promise that never rejects for an errno. */
export type Pooled<Calls> = {
  [Name in keyof Calls]: Calls[Name] extends (...args: infer Args) => infer R ? (...args: Args) => Promise<R> : never;
};

/** What an implementation of both looks like. */
export type Either<Calls> = {
  [Name in keyof Calls]: Calls[Name] extends (...args: infer Args) => infer R
    ? (...args: Args) => R | Promise<R>
    : never;
};
