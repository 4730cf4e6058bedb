import {
  type Bitmap,
  bitmapOf,
  FATTR4_CHANGE,
  FATTR4_FILEID,
  FATTR4_FSID,
  FATTR4_MODE,
  FATTR4_NUMLINKS,
  FATTR4_OWNER,
  FATTR4_OWNER_GROUP,
  FATTR4_RAWDEV,
  FATTR4_SIZE,
  FATTR4_SPACE_USED,
  FATTR4_TIME_ACCESS,
  FATTR4_TIME_CREATE,
  FATTR4_TIME_METADATA,
  FATTR4_TIME_MODIFY,
  FATTR4_TYPE,
  type Fattr4Values,
  NF4BLK,
  NF4CHR,
  NF4DIR,
  NF4FIFO,
  NF4LNK,
  NF4REG,
  NF4SOCK,
  type nfstime4,
} from "@nfs4/protocol";
import { type DateObject, dateOf } from "../adapters/date.ts";

/** What `Stats` is made of. */
export const STAT_ATTRIBUTES: Bitmap = bitmapOf(
  FATTR4_TYPE,
  FATTR4_CHANGE,
  FATTR4_SIZE,
  FATTR4_FSID,
  FATTR4_FILEID,
  FATTR4_MODE,
  FATTR4_NUMLINKS,
  FATTR4_OWNER,
  FATTR4_OWNER_GROUP,
  FATTR4_RAWDEV,
  FATTR4_SPACE_USED,
  FATTR4_TIME_ACCESS,
  FATTR4_TIME_CREATE,
  FATTR4_TIME_METADATA,
  FATTR4_TIME_MODIFY,
);

const S_IFMT = 0o170000;
const TYPE_BITS: Readonly<Record<number, number>> = {
  [NF4REG]: 0o100000,
  [NF4DIR]: 0o040000,
  [NF4BLK]: 0o060000,
  [NF4CHR]: 0o020000,
  [NF4LNK]: 0o120000,
  [NF4SOCK]: 0o140000,
  [NF4FIFO]: 0o010000,
};
const NOBODY = 65_534;
const BLOCK_SIZE = 4096;
const text = new TextDecoder();

/** The kinds of files, as `Stats` and `Dirent` tell them. */
export abstract class FileKind {
  /** S_IFMT bits of the mode. */
  protected abstract get typeBits(): number;

  isFile(): boolean {
    return this.typeBits === TYPE_BITS[NF4REG];
  }

  isDirectory(): boolean {
    return this.typeBits === TYPE_BITS[NF4DIR];
  }

  isBlockDevice(): boolean {
    return this.typeBits === TYPE_BITS[NF4BLK];
  }

  isCharacterDevice(): boolean {
    return this.typeBits === TYPE_BITS[NF4CHR];
  }

  isSymbolicLink(): boolean {
    return this.typeBits === TYPE_BITS[NF4LNK];
  }

  isFIFO(): boolean {
    return this.typeBits === TYPE_BITS[NF4FIFO];
  }

  isSocket(): boolean {
    return this.typeBits === TYPE_BITS[NF4SOCK];
  }
}

/** S_IFMT bits for a type of RFC 8881 §5.8.1.2; 0 for one that no file system of Unix has. */
export function typeBitsOf(type: number | undefined): number {
  return TYPE_BITS[type ?? 0] ?? 0;
}

/** As `fs.Stats`. */
export class Stats extends FileKind {
  readonly dev: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blksize: number;
  readonly ino: number;
  readonly size: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  readonly atime: DateObject;
  readonly mtime: DateObject;
  readonly ctime: DateObject;
  readonly birthtime: DateObject;

  constructor(values: Fattr4Values) {
    super();
    const big = bigNumbers(values);
    this.dev = Number(big.dev);
    this.mode = Number(big.mode);
    this.nlink = Number(big.nlink);
    this.uid = Number(big.uid);
    this.gid = Number(big.gid);
    this.rdev = Number(big.rdev);
    this.blksize = BLOCK_SIZE;
    this.ino = Number(big.ino);
    this.size = Number(big.size);
    this.blocks = Number(big.blocks);
    this.atimeMs = milliseconds(values.time_access);
    this.mtimeMs = milliseconds(values.time_modify);
    this.ctimeMs = milliseconds(values.time_metadata);
    this.birthtimeMs = milliseconds(values.time_create ?? values.time_metadata);
    this.atime = dateOf(this.atimeMs);
    this.mtime = dateOf(this.mtimeMs);
    this.ctime = dateOf(this.ctimeMs);
    this.birthtime = dateOf(this.birthtimeMs);
  }

  protected get typeBits(): number {
    return this.mode & S_IFMT;
  }
}

/** As `fs.BigIntStats`. */
export class BigIntStats extends FileKind {
  readonly dev: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly blksize: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly blocks: bigint;
  readonly atimeMs: bigint;
  readonly mtimeMs: bigint;
  readonly ctimeMs: bigint;
  readonly birthtimeMs: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;
  readonly atime: DateObject;
  readonly mtime: DateObject;
  readonly ctime: DateObject;
  readonly birthtime: DateObject;

  constructor(values: Fattr4Values) {
    super();
    const big = bigNumbers(values);
    this.dev = big.dev;
    this.mode = big.mode;
    this.nlink = big.nlink;
    this.uid = big.uid;
    this.gid = big.gid;
    this.rdev = big.rdev;
    this.blksize = BigInt(BLOCK_SIZE);
    this.ino = big.ino;
    this.size = big.size;
    this.blocks = big.blocks;
    this.atimeNs = nanoseconds(values.time_access);
    this.mtimeNs = nanoseconds(values.time_modify);
    this.ctimeNs = nanoseconds(values.time_metadata);
    this.birthtimeNs = nanoseconds(values.time_create ?? values.time_metadata);
    this.atimeMs = this.atimeNs / 1_000_000n;
    this.mtimeMs = this.mtimeNs / 1_000_000n;
    this.ctimeMs = this.ctimeNs / 1_000_000n;
    this.birthtimeMs = this.birthtimeNs / 1_000_000n;
    this.atime = dateOf(Number(this.atimeMs));
    this.mtime = dateOf(Number(this.mtimeMs));
    this.ctime = dateOf(Number(this.ctimeMs));
    this.birthtime = dateOf(Number(this.birthtimeMs));
  }

  protected get typeBits(): number {
    return Number(this.mode) & S_IFMT;
  }
}

export interface StatOptions {
  readonly bigint?: boolean;
}

export function statsOf(values: Fattr4Values, options: StatOptions | undefined): Stats | BigIntStats {
  return options?.bigint === true ? new BigIntStats(values) : new Stats(values);
}

interface BigNumbers {
  readonly dev: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly blocks: bigint;
}

function bigNumbers(values: Fattr4Values): BigNumbers {
  const { fsid, rawdev } = values;
  return {
    // Of an fsid's two numbers Unix has room for one.
    dev: fsid === undefined ? 0n : fsid.major ^ fsid.minor,
    mode: BigInt(typeBitsOf(values.type) | ((values.mode ?? 0) & 0o7777)),
    nlink: BigInt(values.numlinks ?? 1),
    uid: BigInt(idOf(values.owner)),
    gid: BigInt(idOf(values.owner_group)),
    rdev: rawdev === undefined ? 0n : deviceNumber(rawdev.specdata1, rawdev.specdata2),
    ino: values.fileid ?? 0n,
    size: values.size ?? 0n,
    blocks: ((values.space_used ?? 0n) + 511n) / 512n,
  };
}

/** Numeric owners are numbers (RFC 8881 §5.9); whoever has only a name is nobody here. */
function idOf(owner: Uint8Array | undefined): number {
  const name = owner === undefined ? "" : text.decode(owner);
  return /^\d{1,10}$/.test(name) ? Number(name) : NOBODY;
}

/** As glibc's makedev. */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

function milliseconds(time: nfstime4 | undefined): number {
  return time === undefined ? 0 : time.seconds * 1000 + time.nseconds / 1e6;
}

function nanoseconds(time: nfstime4 | undefined): bigint {
  return time === undefined ? 0n : BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nseconds);
}
