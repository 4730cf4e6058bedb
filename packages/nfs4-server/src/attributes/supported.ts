/** Which attributes this server has, for each minor version, and which of them may be set (RFC 8881 §5, RFC 7862 §12.2, RFC 8275). */
import * as p from "@nfs4/protocol";
import { type Bitmap, bitmapOf, bitsOf, hasBit, intersection, isSubset, type nfsstat4 } from "@nfs4/protocol";

const SINCE_40 = [
  p.FATTR4_SUPPORTED_ATTRS,
  p.FATTR4_TYPE,
  p.FATTR4_FH_EXPIRE_TYPE,
  p.FATTR4_CHANGE,
  p.FATTR4_SIZE,
  p.FATTR4_LINK_SUPPORT,
  p.FATTR4_SYMLINK_SUPPORT,
  p.FATTR4_NAMED_ATTR,
  p.FATTR4_FSID,
  p.FATTR4_UNIQUE_HANDLES,
  p.FATTR4_LEASE_TIME,
  p.FATTR4_RDATTR_ERROR,
  p.FATTR4_ACLSUPPORT,
  p.FATTR4_CANSETTIME,
  p.FATTR4_CASE_INSENSITIVE,
  p.FATTR4_CASE_PRESERVING,
  p.FATTR4_CHOWN_RESTRICTED,
  p.FATTR4_FILEHANDLE,
  p.FATTR4_FILEID,
  p.FATTR4_FILES_AVAIL,
  p.FATTR4_FILES_FREE,
  p.FATTR4_FILES_TOTAL,
  p.FATTR4_HOMOGENEOUS,
  p.FATTR4_MAXFILESIZE,
  p.FATTR4_MAXLINK,
  p.FATTR4_MAXNAME,
  p.FATTR4_MAXREAD,
  p.FATTR4_MAXWRITE,
  p.FATTR4_MODE,
  p.FATTR4_NO_TRUNC,
  p.FATTR4_NUMLINKS,
  p.FATTR4_OWNER,
  p.FATTR4_OWNER_GROUP,
  p.FATTR4_RAWDEV,
  p.FATTR4_SPACE_AVAIL,
  p.FATTR4_SPACE_FREE,
  p.FATTR4_SPACE_TOTAL,
  p.FATTR4_SPACE_USED,
  p.FATTR4_TIME_ACCESS,
  p.FATTR4_TIME_ACCESS_SET,
  p.FATTR4_TIME_CREATE,
  p.FATTR4_TIME_DELTA,
  p.FATTR4_TIME_METADATA,
  p.FATTR4_TIME_MODIFY,
  p.FATTR4_TIME_MODIFY_SET,
  p.FATTR4_MOUNTED_ON_FILEID,
];
const SINCE_41 = [p.FATTR4_MODE_SET_MASKED, p.FATTR4_SUPPATTR_EXCLCREAT, p.FATTR4_FS_CHARSET_CAP];
const SINCE_42 = [p.FATTR4_CHANGE_ATTR_TYPE, p.FATTR4_MODE_UMASK, p.FATTR4_XATTR_SUPPORT];

const SUPPORTED: readonly Bitmap[] = [
  bitmapOf(...SINCE_40),
  bitmapOf(...SINCE_40, ...SINCE_41),
  bitmapOf(...SINCE_40, ...SINCE_41, ...SINCE_42),
];

/** What SETATTR may set, and creation. */
const SETTABLE: Bitmap = bitmapOf(
  p.FATTR4_SIZE,
  p.FATTR4_MODE,
  p.FATTR4_OWNER,
  p.FATTR4_OWNER_GROUP,
  p.FATTR4_TIME_ACCESS_SET,
  p.FATTR4_TIME_MODIFY_SET,
);
const CREATION_ONLY: Bitmap = bitmapOf(p.FATTR4_MODE_UMASK);
const CHANGE_ONLY: Bitmap = bitmapOf(p.FATTR4_MODE_SET_MASKED);
const WRITE_ONLY_EVER = bitmapOf(
  p.FATTR4_TIME_ACCESS_SET,
  p.FATTR4_TIME_MODIFY_SET,
  p.FATTR4_MODE_SET_MASKED,
  p.FATTR4_MODE_UMASK,
);
const WRITE_ONLY: readonly Bitmap[] = SUPPORTED.map((its) => intersection(WRITE_ONLY_EVER, its));
/** Times of an EXCLUSIVE create hold its verifier, so the client sets them afterwards (RFC 8881 §18.16.3). */
const EXCLUSIVE_CREATE: Bitmap = bitmapOf(p.FATTR4_SIZE, p.FATTR4_MODE, p.FATTR4_OWNER, p.FATTR4_OWNER_GROUP);
const EXCLUSIVE_CREATE_42: Bitmap = bitmapOf(...bitsOf(EXCLUSIVE_CREATE), p.FATTR4_MODE_UMASK);

export function supportedAttributes(minorVersion: number): Bitmap {
  return SUPPORTED[minorVersion] ?? SUPPORTED[0]!;
}

export function exclusiveCreateAttributes(minorVersion: number): Bitmap {
  return minorVersion >= 2 ? EXCLUSIVE_CREATE_42 : EXCLUSIVE_CREATE;
}

/** True if the mask asks to read what can only be set: NFS4ERR_INVAL (RFC 8881 §5.5). What the minor version does not have is left out instead. */
export function asksForWriteOnly(mask: Bitmap, minorVersion: number): boolean {
  const writeOnly = WRITE_ONLY[minorVersion] ?? WRITE_ONLY[0]!;
  for (let i = 0; i < writeOnly.length; i++) if (((mask[i] ?? 0) & writeOnly[i]!) !== 0) return true;
  return false;
}

/** NFS4_OK if these may be set (`creating`: on a new object), or why not: unknown ones before read-only ones. */
export function settableStatus(mask: Bitmap, minorVersion: number, creating: boolean): nfsstat4 {
  if (!isSubset(mask, supportedAttributes(minorVersion))) return p.NFS4ERR_ATTRNOTSUPP;
  for (const number of bitsOf(mask)) {
    if (!hasBit(SETTABLE, number) && !hasBit(creating ? CREATION_ONLY : CHANGE_ONLY, number)) return p.NFS4ERR_INVAL;
  }
  return p.NFS4_OK;
}

/** NFS4_OK if VERIFY and NVERIFY may compare these (RFC 8881 §18.30.3). */
export function comparableStatus(mask: Bitmap, minorVersion: number): nfsstat4 {
  if (!isSubset(mask, supportedAttributes(minorVersion))) return p.NFS4ERR_ATTRNOTSUPP;
  return asksForWriteOnly(mask, minorVersion) || hasBit(mask, p.FATTR4_RDATTR_ERROR) ? p.NFS4ERR_INVAL : p.NFS4_OK;
}
