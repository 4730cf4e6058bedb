// What file system calls return besides a number. The order of the words is that of fs-metadata.c and fs-open.c; 64-bit values are
// two words, low half first.

/**
 * The result of statx(2). Values that need 64 bits are pairs of unsigned halves, exact always; where there is also a number, it is
 * rounded above 2^53. `mask` says which members the file system gave (STATX.…).
 */
export interface Statx {
  readonly mask: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Preferred size of I/O in bytes. */
  readonly blksize: number;
  /** STATX_ATTR.…, of which those in `attributesMask` mean something. */
  readonly attributes: number;
  readonly attributesMask: number;
  readonly inoHigh: number;
  readonly inoLow: number;
  /** In bytes. */
  readonly size: number;
  readonly sizeHigh: number;
  readonly sizeLow: number;
  /** Units of 512 bytes. */
  readonly blocks: number;
  readonly atimeSeconds: number;
  readonly atimeNanoseconds: number;
  /** When the file was made, if `mask` has STATX.BTIME. */
  readonly btimeSeconds: number;
  readonly btimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** What a device file stands for. */
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** The device that the file system is on. */
  readonly devMajor: number;
  readonly devMinor: number;
  readonly mountIdHigh: number;
  readonly mountIdLow: number;
}

/** The result of fstatfs(2). Counts are numbers: they would be rounded above 2^53 blocks or files. */
export interface Statfs {
  /** Magic number of the file system's type (0xef53 is ext4). */
  readonly type: number;
  readonly bsize: number;
  /** The unit of the counts of blocks, in bytes. */
  readonly frsize: number;
  readonly namelen: number;
  /** ST_… of statvfs(3): 1 is read-only. */
  readonly flags: number;
  readonly fsidHigh: number;
  readonly fsidLow: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** The result of name_to_handle_at(2): with `type` and `bytes`, openByHandle finds the inode again, also after a restart. */
export interface FileHandle {
  readonly type: number;
  /** Of this boot; compares equal for files of one mount. */
  readonly mountId: number;
  /** At most 128. The receiver's own. */
  readonly bytes: Uint8Array;
}

const TWO_32 = 0x1_0000_0000;

function number64(words: Int32Array, at: number): number {
  return (words[at + 1]! >>> 0) * TWO_32 + (words[at]! >>> 0);
}

function signed64(words: Int32Array, at: number): number {
  return words[at + 1]! * TWO_32 + (words[at]! >>> 0);
}

export function decodeStatx(w: Int32Array, at: number): Statx {
  return {
    mask: w[at]! >>> 0,
    mode: w[at + 1]!,
    nlink: w[at + 2]! >>> 0,
    uid: w[at + 3]! >>> 0,
    gid: w[at + 4]! >>> 0,
    blksize: w[at + 5]! >>> 0,
    attributes: w[at + 6]! >>> 0,
    attributesMask: w[at + 8]! >>> 0,
    inoLow: w[at + 10]! >>> 0,
    inoHigh: w[at + 11]! >>> 0,
    size: number64(w, at + 12),
    sizeLow: w[at + 12]! >>> 0,
    sizeHigh: w[at + 13]! >>> 0,
    blocks: number64(w, at + 14),
    atimeSeconds: signed64(w, at + 16),
    atimeNanoseconds: w[at + 18]!,
    btimeSeconds: signed64(w, at + 19),
    btimeNanoseconds: w[at + 21]!,
    ctimeSeconds: signed64(w, at + 22),
    ctimeNanoseconds: w[at + 24]!,
    mtimeSeconds: signed64(w, at + 25),
    mtimeNanoseconds: w[at + 27]!,
    rdevMajor: w[at + 28]! >>> 0,
    rdevMinor: w[at + 29]! >>> 0,
    devMajor: w[at + 30]! >>> 0,
    devMinor: w[at + 31]! >>> 0,
    mountIdLow: w[at + 32]! >>> 0,
    mountIdHigh: w[at + 33]! >>> 0,
  };
}

export function decodeStatfs(w: Int32Array, at: number): Statfs {
  return {
    type: w[at]! >>> 0,
    bsize: w[at + 1]! >>> 0,
    frsize: w[at + 2]! >>> 0,
    namelen: w[at + 3]! >>> 0,
    flags: w[at + 4]! >>> 0,
    fsidLow: w[at + 5]! >>> 0,
    fsidHigh: w[at + 6]! >>> 0,
    blocks: number64(w, at + 7),
    bfree: number64(w, at + 9),
    bavail: number64(w, at + 11),
    files: number64(w, at + 13),
    ffree: number64(w, at + 15),
  };
}

export function decodeHandle(w: Int32Array, at: number): FileHandle {
  const bytes = new Uint8Array(w.buffer, w.byteOffset + (at + 3) * 4, w[at + 2]!);
  return { type: w[at]!, mountId: w[at + 1]!, bytes: bytes.slice() };
}
