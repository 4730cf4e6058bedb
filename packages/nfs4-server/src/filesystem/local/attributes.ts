/** From statx(2) to the attributes of the contract. */
import { S, STATX, type Statx } from "@nfs4/native";
import type { Attributes, NodeType, Timestamp } from "../types.ts";

export const ATTRIBUTES_MASK: number = STATX.BASIC_STATS | STATX.BTIME | STATX.MNT_ID;

export function typeOf(mode: number): NodeType {
  switch (mode & S.IFMT) {
    case S.IFDIR:
      return "directory";
    case S.IFLNK:
      return "symlink";
    case S.IFBLK:
      return "block";
    case S.IFCHR:
      return "character";
    case S.IFIFO:
      return "fifo";
    case S.IFSOCK:
      return "socket";
    default:
      return "file";
  }
}

export function word64(high: number, low: number): bigint {
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

/** Nanoseconds since 1970, not below 0. */
export function ctimeOf(statx: Statx): bigint {
  if (statx.ctimeSeconds < 0) return 0n;
  return BigInt(statx.ctimeSeconds) * 1_000_000_000n + BigInt(statx.ctimeNanoseconds);
}

function timestamp(seconds: number, nanoseconds: number): Timestamp {
  return { seconds, nanoseconds };
}

export function attributesOf(statx: Statx, change: bigint): Attributes {
  const type = typeOf(statx.mode);
  const attributes: Writable<Attributes> = {
    type,
    mode: statx.mode & 0o7777,
    uid: statx.uid,
    gid: statx.gid,
    size: Math.min(statx.size, Number.MAX_SAFE_INTEGER),
    spaceUsed: statx.blocks * 512,
    nlink: statx.nlink,
    fileid: word64(statx.inoHigh, statx.inoLow),
    change,
    atime: timestamp(statx.atimeSeconds, statx.atimeNanoseconds),
    mtime: timestamp(statx.mtimeSeconds, statx.mtimeNanoseconds),
    ctime: timestamp(statx.ctimeSeconds, statx.ctimeNanoseconds),
  };
  if (statx.mask & STATX.BTIME) attributes.birthtime = timestamp(statx.btimeSeconds, statx.btimeNanoseconds);
  if (type === "block" || type === "character") attributes.device = { major: statx.rdevMajor, minor: statx.rdevMinor };
  return attributes;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
