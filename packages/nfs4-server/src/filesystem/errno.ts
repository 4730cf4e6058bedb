/** The POSIX errors that a file system may answer with, and what NFS makes of them (RFC 8881 §15.1). */
import {
  NFS4ERR_ACCESS,
  NFS4ERR_BADHANDLE,
  NFS4ERR_BADNAME,
  NFS4ERR_DELAY,
  NFS4ERR_DQUOT,
  NFS4ERR_EXIST,
  NFS4ERR_FBIG,
  NFS4ERR_FILE_OPEN,
  NFS4ERR_INVAL,
  NFS4ERR_IO,
  NFS4ERR_ISDIR,
  NFS4ERR_MLINK,
  NFS4ERR_NAMETOOLONG,
  NFS4ERR_NOENT,
  NFS4ERR_NOSPC,
  NFS4ERR_NOTDIR,
  NFS4ERR_NOTEMPTY,
  NFS4ERR_NOTSUPP,
  NFS4ERR_NXIO,
  NFS4ERR_PERM,
  NFS4ERR_ROFS,
  NFS4ERR_SERVERFAULT,
  NFS4ERR_STALE,
  NFS4ERR_SYMLINK,
  NFS4ERR_XDEV,
  type nfsstat4,
} from "@nfs4/protocol";

/** The name of a POSIX error: what a `FileSystem` answers when it fails. */
export type Errno =
  | "EPERM"
  | "ENOENT"
  | "EIO"
  | "ENXIO"
  | "EAGAIN"
  | "EWOULDBLOCK"
  | "ENOMEM"
  | "EACCES"
  | "EBUSY"
  | "EEXIST"
  | "EXDEV"
  | "ENOTDIR"
  | "EISDIR"
  | "EINVAL"
  | "EFBIG"
  | "ENOSPC"
  | "EROFS"
  | "EMLINK"
  | "ENAMETOOLONG"
  | "ENOTEMPTY"
  | "ELOOP"
  | "EDQUOT"
  | "ESTALE"
  | "EBADF"
  | "EBADHANDLE"
  | "EILSEQ"
  | "ENOTSUP"
  | "EOPNOTSUPP"
  | "ENOSYS"
  | "EMFILE"
  | "ENFILE"
  | "ETXTBSY";

const STATUS_OF_ERRNO: Readonly<Record<Errno, nfsstat4>> = {
  EPERM: NFS4ERR_PERM,
  ENOENT: NFS4ERR_NOENT,
  EIO: NFS4ERR_IO,
  ENXIO: NFS4ERR_NXIO,
  EAGAIN: NFS4ERR_DELAY,
  EWOULDBLOCK: NFS4ERR_DELAY,
  ENOMEM: NFS4ERR_DELAY,
  EACCES: NFS4ERR_ACCESS,
  EBUSY: NFS4ERR_FILE_OPEN,
  EEXIST: NFS4ERR_EXIST,
  EXDEV: NFS4ERR_XDEV,
  ENOTDIR: NFS4ERR_NOTDIR,
  EISDIR: NFS4ERR_ISDIR,
  EINVAL: NFS4ERR_INVAL,
  EFBIG: NFS4ERR_FBIG,
  ENOSPC: NFS4ERR_NOSPC,
  EROFS: NFS4ERR_ROFS,
  EMLINK: NFS4ERR_MLINK,
  ENAMETOOLONG: NFS4ERR_NAMETOOLONG,
  ENOTEMPTY: NFS4ERR_NOTEMPTY,
  ELOOP: NFS4ERR_SYMLINK,
  EDQUOT: NFS4ERR_DQUOT,
  ESTALE: NFS4ERR_STALE,
  EBADF: NFS4ERR_SERVERFAULT,
  EBADHANDLE: NFS4ERR_BADHANDLE,
  EILSEQ: NFS4ERR_BADNAME,
  ENOTSUP: NFS4ERR_NOTSUPP,
  EOPNOTSUPP: NFS4ERR_NOTSUPP,
  ENOSYS: NFS4ERR_NOTSUPP,
  EMFILE: NFS4ERR_DELAY,
  ENFILE: NFS4ERR_DELAY,
  ETXTBSY: NFS4ERR_ACCESS,
};

export function statusOfErrno(errno: Errno): nfsstat4 {
  return STATUS_OF_ERRNO[errno];
}

/** The errno that a thrown value carries as `code`, or null if it is none that we know. */
export function errnoOfThrown(thrown: unknown): Errno | null {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return null;
  const code = (thrown as { code: unknown }).code;
  return typeof code === "string" && code in STATUS_OF_ERRNO ? (code as Errno) : null;
}

/** True if a `FileSystem`'s answer is a failure: no successful answer is a string. */
export function isErrno(result: unknown): result is Errno {
  return typeof result === "string";
}
