import {
  type Bitmap,
  bitmapOf,
  FATTR4_FILES_FREE,
  FATTR4_FILES_TOTAL,
  FATTR4_SPACE_AVAIL,
  FATTR4_SPACE_FREE,
  FATTR4_SPACE_TOTAL,
  type Fattr4Values,
} from "@nfs4/protocol";
import type { StatOptions } from "./stats.ts";

export const STATFS_ATTRIBUTES: Bitmap = bitmapOf(
  FATTR4_SPACE_AVAIL,
  FATTR4_SPACE_FREE,
  FATTR4_SPACE_TOTAL,
  FATTR4_FILES_FREE,
  FATTR4_FILES_TOTAL,
);

/** As `fs.StatFs`, and as `fs.BigIntStatFs`. */
export interface StatFs<T extends number | bigint = number> {
  readonly type: T;
  readonly bsize: T;
  readonly frsize: T;
  readonly blocks: T;
  readonly bfree: T;
  readonly bavail: T;
  readonly files: T;
  readonly ffree: T;
}

/** What Linux says of NFS mounts. */
const NFS_SUPER_MAGIC = 0x6969n;
const BLOCK = 4096n;

export function statFsOf(values: Fattr4Values, options: StatOptions): StatFs | StatFs<bigint> {
  const { space_total = 0n, space_free = 0n, space_avail = 0n, files_total = 0n, files_free = 0n } = values;
  const big: StatFs<bigint> = {
    type: NFS_SUPER_MAGIC,
    bsize: BLOCK,
    frsize: BLOCK,
    blocks: space_total / BLOCK,
    bfree: space_free / BLOCK,
    bavail: space_avail / BLOCK,
    files: files_total,
    ffree: files_free,
  };
  if (options.bigint === true) return big;
  const number = ([key, value]: [string, bigint]): [string, number] => [key, Number(value)];
  return Object.fromEntries(Object.entries(big).map(number)) as unknown as StatFs;
}
