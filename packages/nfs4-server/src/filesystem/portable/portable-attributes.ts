/** From lstat(2), as Node has it, to the attributes of the contract, and back to what utimes(2) takes. */
import type { BigIntStats } from "node:fs";
import type { Attributes, NodeType, Timestamp } from "../types.ts";

const NANOSECONDS = 1_000_000_000n;

export function typeOf(stats: BigIntStats): NodeType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isBlockDevice()) return "block";
  if (stats.isCharacterDevice()) return "character";
  return stats.isFIFO() ? "fifo" : "socket";
}

export function attributesOf(stats: BigIntStats, change: bigint): Attributes {
  const type = typeOf(stats);
  return {
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Math.min(Number(stats.size), Number.MAX_SAFE_INTEGER),
    spaceUsed: Number(stats.blocks) * 512,
    nlink: Number(stats.nlink),
    fileid: stats.ino,
    change,
    atime: timestamp(stats.atimeNs),
    mtime: timestamp(stats.mtimeNs),
    ctime: timestamp(stats.ctimeNs),
    ...(type === "block" || type === "character" ? { device: deviceOf(stats.rdev) } : {}),
  };
}

/** Seconds as a number, exact to the microsecond: the time to set, or the one that is there. */
export function secondsOf(wanted: Timestamp | "now" | undefined, present: bigint, now: Timestamp): number {
  const { seconds, nanoseconds } = wanted === undefined ? timestamp(present) : wanted === "now" ? now : wanted;
  return seconds + nanoseconds / 1e9;
}

function timestamp(ns: bigint): Timestamp {
  const nanoseconds = ((ns % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  return { seconds: Number((ns - nanoseconds) / NANOSECONDS), nanoseconds: Number(nanoseconds) };
}

/** As Linux packs them (makedev(3)). */
function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  return { major: Number(major & 0xffff_ffffn), minor: Number(minor & 0xffff_ffffn) };
}
