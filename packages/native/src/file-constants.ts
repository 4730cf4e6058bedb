import { constants } from "node:fs";

// Numbers of Linux for the calls of FileCalls, by their names in the manual pages.

const { O_CREAT, O_DIRECT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, O_APPEND } = constants;

export type OpenFlag =
  | "RDONLY"
  | "WRONLY"
  | "RDWR"
  | "CREAT"
  | "EXCL"
  | "TRUNC"
  | "APPEND"
  | "DIRECT"
  | "DIRECTORY"
  | "NOFOLLOW"
  | "NOATIME"
  | "PATH"
  | "TMPFILE";

/** open(2). The descriptors of this package always close on exec, never follow a link in the last component and never block. */
export const O: Readonly<Record<OpenFlag, number>> = {
  RDONLY: O_RDONLY,
  WRONLY: O_WRONLY,
  RDWR: O_RDWR,
  CREAT: O_CREAT,
  EXCL: O_EXCL,
  TRUNC: O_TRUNC,
  APPEND: O_APPEND,
  DIRECT: O_DIRECT,
  DIRECTORY: O_DIRECTORY,
  NOFOLLOW: O_NOFOLLOW,
  NOATIME: 0o1000000,
  PATH: 0o10000000,
  TMPFILE: 0o20000000 | O_DIRECTORY,
};

/** openat2(2) */
export const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 16, CACHED: 32 } as const;

/** Flags of statx, nameToHandle and unlink. */
export const AT = {
  REMOVEDIR: 0x200,
  NO_AUTOMOUNT: 0x800,
  STATX_FORCE_SYNC: 0x2000,
  STATX_DONT_SYNC: 0x4000,
} as const;

/** What statx(2) is asked for, and what it gave. */
export const STATX = {
  TYPE: 0x1,
  MODE: 0x2,
  NLINK: 0x4,
  UID: 0x8,
  GID: 0x10,
  ATIME: 0x20,
  MTIME: 0x40,
  CTIME: 0x80,
  INO: 0x100,
  SIZE: 0x200,
  BLOCKS: 0x400,
  BASIC_STATS: 0x7ff,
  BTIME: 0x800,
  MNT_ID: 0x1000,
  /** The mount id is then the 64-bit one that is never used again. */
  MNT_ID_UNIQUE: 0x4000,
} as const;

/** Bits of `attributes` in a Statx. */
export const STATX_ATTR = {
  COMPRESSED: 0x4,
  IMMUTABLE: 0x10,
  APPEND: 0x20,
  NODUMP: 0x40,
  ENCRYPTED: 0x800,
  AUTOMOUNT: 0x1000,
  MOUNT_ROOT: 0x2000,
  VERITY: 0x100000,
  DAX: 0x200000,
} as const;

/** The type bits of a mode. */
export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
} as const;

/** Types of directory entries. */
export const DT = { UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 } as const;

/** preadv2(2) and pwritev2(2) */
export const RWF = { HIPRI: 0x1, DSYNC: 0x2, SYNC: 0x4, NOWAIT: 0x8, APPEND: 0x10 } as const;

/** fallocate(2) */
export const FALLOC = {
  KEEP_SIZE: 0x1,
  PUNCH_HOLE: 0x2,
  COLLAPSE_RANGE: 0x8,
  ZERO_RANGE: 0x10,
  INSERT_RANGE: 0x20,
  UNSHARE_RANGE: 0x40,
} as const;

/** lseek(2) */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/** posix_fadvise(2) */
export const ADVICE = { NORMAL: 0, RANDOM: 1, SEQUENTIAL: 2, WILLNEED: 3, DONTNEED: 4, NOREUSE: 5 } as const;

/** renameat2(2) */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** inotify(7) */
export const IN = {
  ATTRIB: 0x4,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  Q_OVERFLOW: 0x4000,
  IGNORED: 0x8000,
  ONLYDIR: 0x1000000,
} as const;

/** setxattr(2) */
export const XATTR = { CREATE: 1, REPLACE: 2 } as const;

/** access(2) */
export const ACCESS = { EXISTS: 0, EXECUTE: 1, WRITE: 2, READ: 4 } as const;

/** flock(2). Always without waiting. */
export const LOCK = { SH: 1, EX: 2, UN: 8 } as const;

/** In the place of nanoseconds: the time of now, or leave it as it is (utimensat(2)). */
export const UTIME_NOW: number = 0x3fffffff;
export const UTIME_OMIT: number = 0x3ffffffe;

/** In the place of a uid or gid: leave it as it is (chown(2)). */
export const LEAVE_ID: number = 0xffffffff;
