import { NFS4_OK, nfsstat4 } from "./generated/status.ts";

export type StatusName = keyof typeof nfsstat4;

/** What a status means (RFC 7530 §13.1, RFC 8881 §15.1, RFC 7862 §11.1, RFC 8276 §8.3). */
export interface StatusDescription {
  readonly number: nfsstat4;
  readonly name: StatusName;
  /** One line for people, without a full stop. */
  readonly text: string;
  /** The minor version that brought it. */
  readonly since: 0 | 1 | 2;
  /**
   * The POSIX error that a program on the client sees. null where none fits: the client settles the matter with the server, and
   * where it cannot, reports EIO.
   */
  readonly errno: string | null;
}

type Row = readonly [since: 0 | 1 | 2, errno: string | null, text: string];

const ROWS: Readonly<Record<StatusName, Row>> = {
  NFS4_OK: [0, null, "success"],
  NFS4ERR_PERM: [0, "EPERM", "only the owner or a privileged user may do this"],
  NFS4ERR_NOENT: [0, "ENOENT", "no such file or directory"],
  NFS4ERR_IO: [0, "EIO", "input or output failed"],
  NFS4ERR_NXIO: [0, "ENXIO", "no such device or address"],
  NFS4ERR_ACCESS: [0, "EACCES", "permission denied"],
  NFS4ERR_EXIST: [0, "EEXIST", "the file exists"],
  NFS4ERR_XDEV: [0, "EXDEV", "the names are on different file systems"],
  NFS4ERR_NOTDIR: [0, "ENOTDIR", "not a directory"],
  NFS4ERR_ISDIR: [0, "EISDIR", "is a directory"],
  NFS4ERR_INVAL: [0, "EINVAL", "an argument is invalid"],
  NFS4ERR_FBIG: [0, "EFBIG", "the file would be too large"],
  NFS4ERR_NOSPC: [0, "ENOSPC", "no space is left on the file system"],
  NFS4ERR_ROFS: [0, "EROFS", "the file system is read-only"],
  NFS4ERR_MLINK: [0, "EMLINK", "the file has too many links"],
  NFS4ERR_NAMETOOLONG: [0, "ENAMETOOLONG", "the name is too long"],
  NFS4ERR_NOTEMPTY: [0, "ENOTEMPTY", "the directory is not empty"],
  NFS4ERR_DQUOT: [0, "EDQUOT", "the quota is used up"],
  NFS4ERR_STALE: [0, "ESTALE", "the file of this filehandle is gone"],
  NFS4ERR_BADHANDLE: [0, "ESTALE", "not a filehandle of this server"],
  NFS4ERR_BAD_COOKIE: [0, null, "the directory has no such cookie"],
  NFS4ERR_NOTSUPP: [0, "EOPNOTSUPP", "not supported"],
  NFS4ERR_TOOSMALL: [0, null, "the client's limit is too small for any answer"],
  NFS4ERR_SERVERFAULT: [0, null, "the server failed"],
  NFS4ERR_BADTYPE: [0, "EINVAL", "objects of this type cannot be made"],
  NFS4ERR_DELAY: [0, "EAGAIN", "not now, try again later"],
  NFS4ERR_SAME: [0, null, "the attributes are the same"],
  NFS4ERR_DENIED: [0, "EAGAIN", "another owner holds a lock in this range"],
  NFS4ERR_EXPIRED: [0, null, "the lease has expired and its state is gone"],
  NFS4ERR_LOCKED: [0, "EAGAIN", "a lock forbids this access"],
  NFS4ERR_GRACE: [0, "EAGAIN", "the server is in its grace period"],
  NFS4ERR_FHEXPIRED: [0, null, "the volatile filehandle has expired"],
  NFS4ERR_SHARE_DENIED: [0, "EACCES", "another open denies this access"],
  NFS4ERR_WRONGSEC: [0, "EPERM", "another security flavor is required here"],
  NFS4ERR_CLID_INUSE: [0, null, "the client identifier is used by another principal"],
  NFS4ERR_RESOURCE: [0, null, "the server is short of a resource"],
  NFS4ERR_MOVED: [0, null, "the file system is on another server"],
  NFS4ERR_NOFILEHANDLE: [0, null, "there is no current or saved filehandle"],
  NFS4ERR_MINOR_VERS_MISMATCH: [0, "EPROTONOSUPPORT", "the minor version is not supported"],
  NFS4ERR_STALE_CLIENTID: [0, null, "the client ID is from before the server's restart, or unknown"],
  NFS4ERR_STALE_STATEID: [0, null, "the stateid is from before the server's restart"],
  NFS4ERR_OLD_STATEID: [0, null, "the stateid has been superseded"],
  NFS4ERR_BAD_STATEID: [0, null, "no such stateid"],
  NFS4ERR_BAD_SEQID: [0, null, "the sequence number is not the owner's next"],
  NFS4ERR_NOT_SAME: [0, null, "the attributes or verifiers differ"],
  NFS4ERR_LOCK_RANGE: [0, "EINVAL", "the range partly overlaps a lock of the same owner"],
  NFS4ERR_SYMLINK: [0, "ELOOP", "is a symbolic link"],
  NFS4ERR_RESTOREFH: [0, null, "there is no saved filehandle"],
  NFS4ERR_LEASE_MOVED: [0, null, "a file system with leases has moved"],
  NFS4ERR_ATTRNOTSUPP: [0, "EOPNOTSUPP", "an attribute is not supported"],
  NFS4ERR_NO_GRACE: [0, null, "the time to reclaim state is over"],
  NFS4ERR_RECLAIM_BAD: [0, null, "nothing that could be reclaimed so"],
  NFS4ERR_RECLAIM_CONFLICT: [0, null, "another client has the reclaimed state"],
  NFS4ERR_BADXDR: [0, null, "the arguments cannot be decoded"],
  NFS4ERR_LOCKS_HELD: [0, "EBUSY", "locks are still held"],
  NFS4ERR_OPENMODE: [0, "EBADF", "the file is not open for this access"],
  NFS4ERR_BADOWNER: [0, "EINVAL", "no such user or group"],
  NFS4ERR_BADCHAR: [0, "EINVAL", "the text has a character that is not supported"],
  NFS4ERR_BADNAME: [0, "EINVAL", "the name is not allowed"],
  NFS4ERR_BAD_RANGE: [0, "EINVAL", "the range cannot be locked"],
  NFS4ERR_LOCK_NOTSUPP: [0, "ENOLCK", "locks cannot be upgraded or downgraded"],
  NFS4ERR_OP_ILLEGAL: [0, null, "no such operation in this minor version"],
  NFS4ERR_DEADLOCK: [0, "EDEADLK", "waiting for the lock would be a deadlock"],
  NFS4ERR_FILE_OPEN: [0, "EBUSY", "the file is open"],
  NFS4ERR_ADMIN_REVOKED: [0, null, "an administrator has revoked the state"],
  NFS4ERR_CB_PATH_DOWN: [0, null, "the client's callback path is down"],

  NFS4ERR_BADIOMODE: [1, null, "the I/O mode does not fit the layout"],
  NFS4ERR_BADLAYOUT: [1, null, "the layout is invalid"],
  NFS4ERR_BAD_SESSION_DIGEST: [1, null, "the digest of SET_SSV is wrong"],
  NFS4ERR_BADSESSION: [1, null, "no such session"],
  NFS4ERR_BADSLOT: [1, null, "the session has no such slot"],
  NFS4ERR_COMPLETE_ALREADY: [1, null, "RECLAIM_COMPLETE was sent before"],
  NFS4ERR_CONN_NOT_BOUND_TO_SESSION: [1, null, "the connection is not bound to the session"],
  NFS4ERR_DELEG_ALREADY_WANTED: [1, null, "the delegation is wanted already"],
  NFS4ERR_BACK_CHAN_BUSY: [1, null, "callbacks of the session are outstanding"],
  NFS4ERR_LAYOUTTRYLATER: [1, null, "no layout now, try again later"],
  NFS4ERR_LAYOUTUNAVAILABLE: [1, null, "the file has no layout of this type"],
  NFS4ERR_NOMATCHING_LAYOUT: [1, null, "the client holds no matching layout"],
  NFS4ERR_RECALLCONFLICT: [1, null, "the layout is being recalled"],
  NFS4ERR_UNKNOWN_LAYOUTTYPE: [1, null, "the layout type is not supported"],
  NFS4ERR_SEQ_MISORDERED: [1, null, "the sequence number is not the slot's next"],
  NFS4ERR_SEQUENCE_POS: [1, null, "SEQUENCE is not the first operation"],
  NFS4ERR_REQ_TOO_BIG: [1, null, "the request is larger than the session allows"],
  NFS4ERR_REP_TOO_BIG: [1, null, "the reply would be larger than the session allows"],
  NFS4ERR_REP_TOO_BIG_TO_CACHE: [1, null, "the reply would be larger than the session caches"],
  NFS4ERR_RETRY_UNCACHED_REP: [1, null, "the reply to this retry was not kept"],
  NFS4ERR_UNSAFE_COMPOUND: [1, null, "a retry of this COMPOUND could not be answered safely"],
  NFS4ERR_TOO_MANY_OPS: [1, null, "more operations than the session allows"],
  NFS4ERR_OP_NOT_IN_SESSION: [1, null, "the operation needs a session"],
  NFS4ERR_HASH_ALG_UNSUPP: [1, null, "the hash algorithm is not supported"],
  NFS4ERR_CLIENTID_BUSY: [1, null, "the client ID still has state"],
  NFS4ERR_PNFS_IO_HOLE: [1, null, "a hole of the layout was accessed"],
  NFS4ERR_SEQ_FALSE_RETRY: [1, null, "a retry that differs from its original"],
  NFS4ERR_BAD_HIGH_SLOT: [1, null, "the highest slot is beyond the allowed one"],
  NFS4ERR_DEADSESSION: [1, null, "the session is dead and takes no new requests"],
  NFS4ERR_ENCR_ALG_UNSUPP: [1, null, "the encryption algorithm is not supported"],
  NFS4ERR_PNFS_NO_LAYOUT: [1, null, "I/O without a layout"],
  NFS4ERR_NOT_ONLY_OP: [1, null, "the operation must stand alone in its COMPOUND"],
  NFS4ERR_WRONG_CRED: [1, "EPERM", "the state belongs to another principal"],
  NFS4ERR_WRONG_TYPE: [1, "EINVAL", "the object has the wrong type for this operation"],
  NFS4ERR_DIRDELEG_UNAVAIL: [1, null, "the directory delegation is not available"],
  NFS4ERR_REJECT_DELEG: [1, null, "the client does not want the delegation"],
  NFS4ERR_RETURNCONFLICT: [1, null, "the layout is being returned"],
  NFS4ERR_DELEG_REVOKED: [1, null, "the delegation was revoked"],

  NFS4ERR_PARTNER_NOTSUPP: [2, "EOPNOTSUPP", "the other server does not support the copy"],
  NFS4ERR_PARTNER_NO_AUTH: [2, "EACCES", "the other server does not authorize the copy"],
  NFS4ERR_UNION_NOTSUPP: [2, "EOPNOTSUPP", "this variant of the operation is not supported"],
  NFS4ERR_OFFLOAD_DENIED: [2, "EOPNOTSUPP", "the file may not be copied by the server"],
  NFS4ERR_WRONG_LFS: [2, "EINVAL", "the label has the wrong format"],
  NFS4ERR_BADLABEL: [2, "EINVAL", "the label is invalid"],
  NFS4ERR_OFFLOAD_NO_REQS: [2, "EOPNOTSUPP", "the server cannot meet the requirements of the copy"],
  NFS4ERR_NOXATTR: [2, "ENODATA", "no such extended attribute"],
  NFS4ERR_XATTR2BIG: [2, "E2BIG", "the extended attribute is too large"],
};

/** Every status, by number. */
export const STATUSES: ReadonlyMap<number, StatusDescription> = new Map(
  (Object.keys(ROWS) as StatusName[]).map((name) => {
    const [since, errno, text] = ROWS[name];
    const number = nfsstat4[name];
    return [number, { number, name, text, since, errno }];
  }),
);

/** `NFS4ERR_NOENT`, or for a number that is no status `NFS4ERR_4711`. */
export function statusName(status: number): string {
  return STATUSES.get(status)?.name ?? `NFS4ERR_${status}`;
}

/** The line for people. */
export function statusText(status: number): string {
  return STATUSES.get(status)?.text ?? "unknown status";
}

/** The POSIX error for a program, EIO where there is no better one, null for success. */
export function statusErrno(status: number): string | null {
  if (status === NFS4_OK) return null;
  return STATUSES.get(status)?.errno ?? "EIO";
}

/** Statuses after which the seqid of a 4.0 state-owner does not advance (RFC 7530 §9.1.7). */
const KEEPING_SEQID: ReadonlySet<number> = new Set([
  nfsstat4.NFS4ERR_STALE_CLIENTID,
  nfsstat4.NFS4ERR_STALE_STATEID,
  nfsstat4.NFS4ERR_BAD_STATEID,
  nfsstat4.NFS4ERR_BAD_SEQID,
  nfsstat4.NFS4ERR_BADXDR,
  nfsstat4.NFS4ERR_RESOURCE,
  nfsstat4.NFS4ERR_NOFILEHANDLE,
  nfsstat4.NFS4ERR_MOVED,
]);

/** Whether an operation that ended so leaves the seqid of its state-owner where it was. */
export function keepsSeqid(status: number): boolean {
  return KEEPING_SEQID.has(status);
}
