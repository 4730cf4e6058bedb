import * as client40 from "./generated/client40.ts";
import * as copy from "./generated/copy.ts";
import * as data from "./generated/data.ts";
import * as lock from "./generated/lock.ts";
import * as namespace from "./generated/namespace.ts";
import { nfs_opnum4 } from "./generated/opcodes.ts";
import * as open from "./generated/open.ts";
import * as pnfs from "./generated/pnfs.ts";
import * as session from "./generated/session.ts";
import {
  NFS4ERR_CLID_INUSE,
  NFS4ERR_DENIED,
  NFS4ERR_LAYOUTTRYLATER,
  NFS4ERR_NOTSUPP,
  NFS4ERR_OFFLOAD_NO_REQS,
  NFS4ERR_OP_ILLEGAL,
  NFS4ERR_TOOSMALL,
} from "./generated/status.ts";
import * as xattr from "./generated/xattr.ts";
import {
  BITMAP_FOLLOWS,
  defineOperations,
  FH,
  IDEMPOTENT,
  indexByNumber,
  type MinorVersions,
  NEW_FH,
  NEW_STATEID,
  NO_ARGUMENTS,
  type Operation,
  type OperationTable,
  type RowTable,
  row,
  SAVED_FH,
  STATEID,
} from "./operation.ts";

/** The highest minor version known. */
export const LAST_MINOR_VERSION = 2;

/** Arguments and result of each operation. */
export interface OperationTypes {
  ACCESS: [namespace.ACCESS4args, namespace.ACCESS4res];
  CLOSE: [open.CLOSE4args, open.CLOSE4res];
  COMMIT: [data.COMMIT4args, data.COMMIT4res];
  CREATE: [namespace.CREATE4args, namespace.CREATE4res];
  DELEGPURGE: [open.DELEGPURGE4args, open.DELEGPURGE4res];
  DELEGRETURN: [open.DELEGRETURN4args, open.DELEGRETURN4res];
  GETATTR: [namespace.GETATTR4args, namespace.GETATTR4res];
  GETFH: [undefined, namespace.GETFH4res];
  LINK: [namespace.LINK4args, namespace.LINK4res];
  LOCK: [lock.LOCK4args, lock.LOCK4res];
  LOCKT: [lock.LOCKT4args, lock.LOCKT4res];
  LOCKU: [lock.LOCKU4args, lock.LOCKU4res];
  LOOKUP: [namespace.LOOKUP4args, namespace.LOOKUP4res];
  LOOKUPP: [undefined, namespace.LOOKUPP4res];
  NVERIFY: [namespace.NVERIFY4args, namespace.NVERIFY4res];
  OPEN: [open.OPEN4args, open.OPEN4res];
  OPENATTR: [namespace.OPENATTR4args, namespace.OPENATTR4res];
  OPEN_CONFIRM: [open.OPEN_CONFIRM4args, open.OPEN_CONFIRM4res];
  OPEN_DOWNGRADE: [open.OPEN_DOWNGRADE4args, open.OPEN_DOWNGRADE4res];
  PUTFH: [namespace.PUTFH4args, namespace.PUTFH4res];
  PUTPUBFH: [undefined, namespace.PUTPUBFH4res];
  PUTROOTFH: [undefined, namespace.PUTROOTFH4res];
  READ: [data.READ4args, data.READ4res];
  READDIR: [namespace.READDIR4args, namespace.READDIR4res];
  READLINK: [undefined, namespace.READLINK4res];
  REMOVE: [namespace.REMOVE4args, namespace.REMOVE4res];
  RENAME: [namespace.RENAME4args, namespace.RENAME4res];
  RENEW: [client40.RENEW4args, client40.RENEW4res];
  RESTOREFH: [undefined, namespace.RESTOREFH4res];
  SAVEFH: [undefined, namespace.SAVEFH4res];
  SECINFO: [namespace.SECINFO4args, namespace.SECINFO4res];
  SETATTR: [namespace.SETATTR4args, namespace.SETATTR4res];
  SETCLIENTID: [client40.SETCLIENTID4args, client40.SETCLIENTID4res];
  SETCLIENTID_CONFIRM: [client40.SETCLIENTID_CONFIRM4args, client40.SETCLIENTID_CONFIRM4res];
  VERIFY: [namespace.VERIFY4args, namespace.VERIFY4res];
  WRITE: [data.WRITE4args, data.WRITE4res];
  RELEASE_LOCKOWNER: [client40.RELEASE_LOCKOWNER4args, client40.RELEASE_LOCKOWNER4res];
  BACKCHANNEL_CTL: [session.BACKCHANNEL_CTL4args, session.BACKCHANNEL_CTL4res];
  BIND_CONN_TO_SESSION: [session.BIND_CONN_TO_SESSION4args, session.BIND_CONN_TO_SESSION4res];
  EXCHANGE_ID: [session.EXCHANGE_ID4args, session.EXCHANGE_ID4res];
  CREATE_SESSION: [session.CREATE_SESSION4args, session.CREATE_SESSION4res];
  DESTROY_SESSION: [session.DESTROY_SESSION4args, session.DESTROY_SESSION4res];
  FREE_STATEID: [session.FREE_STATEID4args, session.FREE_STATEID4res];
  GET_DIR_DELEGATION: [open.GET_DIR_DELEGATION4args, open.GET_DIR_DELEGATION4res];
  GETDEVICEINFO: [pnfs.GETDEVICEINFO4args, pnfs.GETDEVICEINFO4res];
  GETDEVICELIST: [pnfs.GETDEVICELIST4args, pnfs.GETDEVICELIST4res];
  LAYOUTCOMMIT: [pnfs.LAYOUTCOMMIT4args, pnfs.LAYOUTCOMMIT4res];
  LAYOUTGET: [pnfs.LAYOUTGET4args, pnfs.LAYOUTGET4res];
  LAYOUTRETURN: [pnfs.LAYOUTRETURN4args, pnfs.LAYOUTRETURN4res];
  SECINFO_NO_NAME: [namespace.SECINFO_NO_NAME4args, namespace.SECINFO_NO_NAME4res];
  SEQUENCE: [session.SEQUENCE4args, session.SEQUENCE4res];
  SET_SSV: [session.SET_SSV4args, session.SET_SSV4res];
  TEST_STATEID: [session.TEST_STATEID4args, session.TEST_STATEID4res];
  WANT_DELEGATION: [open.WANT_DELEGATION4args, open.WANT_DELEGATION4res];
  DESTROY_CLIENTID: [session.DESTROY_CLIENTID4args, session.DESTROY_CLIENTID4res];
  RECLAIM_COMPLETE: [session.RECLAIM_COMPLETE4args, session.RECLAIM_COMPLETE4res];
  ALLOCATE: [data.ALLOCATE4args, data.ALLOCATE4res];
  COPY: [copy.COPY4args, copy.COPY4res];
  COPY_NOTIFY: [copy.COPY_NOTIFY4args, copy.COPY_NOTIFY4res];
  DEALLOCATE: [data.DEALLOCATE4args, data.DEALLOCATE4res];
  IO_ADVISE: [data.IO_ADVISE4args, data.IO_ADVISE4res];
  LAYOUTERROR: [pnfs.LAYOUTERROR4args, pnfs.LAYOUTERROR4res];
  LAYOUTSTATS: [pnfs.LAYOUTSTATS4args, pnfs.LAYOUTSTATS4res];
  OFFLOAD_CANCEL: [copy.OFFLOAD_CANCEL4args, copy.OFFLOAD_CANCEL4res];
  OFFLOAD_STATUS: [copy.OFFLOAD_STATUS4args, copy.OFFLOAD_STATUS4res];
  READ_PLUS: [data.READ_PLUS4args, data.READ_PLUS4res];
  SEEK: [data.SEEK4args, data.SEEK4res];
  WRITE_SAME: [data.WRITE_SAME4args, data.WRITE_SAME4res];
  CLONE: [copy.CLONE4args, copy.CLONE4res];
  GETXATTR: [xattr.GETXATTR4args, xattr.GETXATTR4res];
  SETXATTR: [xattr.SETXATTR4args, xattr.SETXATTR4res];
  LISTXATTRS: [xattr.LISTXATTRS4args, xattr.LISTXATTRS4res];
  REMOVEXATTR: [xattr.REMOVEXATTR4args, xattr.REMOVEXATTR4res];
  ILLEGAL: [undefined, namespace.ILLEGAL4res];
}

export type OperationName = keyof OperationTypes;

const V0: MinorVersions = [0, 0];
const V1: MinorVersions = [1, 1];
const V0_UP: MinorVersions = [0, LAST_MINOR_VERSION];
const V1_UP: MinorVersions = [1, LAST_MINOR_VERSION];
const V2_UP: MinorVersions = [2, LAST_MINOR_VERSION];

// RFC 7530 §16, RFC 8881 §17 and §18, RFC 7862 §13 to §15, RFC 8276 §8.4.
const ROWS: RowTable<OperationTypes> = {
  ACCESS: row(V0_UP, IDEMPOTENT | FH, namespace.codec_ACCESS4args, namespace.codec_ACCESS4res),
  CLOSE: row(V0_UP, FH | STATEID | NEW_STATEID, open.codec_CLOSE4args, open.codec_CLOSE4res),
  COMMIT: row(V0_UP, IDEMPOTENT | FH, data.codec_COMMIT4args, data.codec_COMMIT4res),
  CREATE: row(V0_UP, FH | NEW_FH, namespace.codec_CREATE4args, namespace.codec_CREATE4res),
  DELEGPURGE: row(V0_UP, IDEMPOTENT, open.codec_DELEGPURGE4args, open.codec_DELEGPURGE4res),
  DELEGRETURN: row(V0_UP, FH | STATEID, open.codec_DELEGRETURN4args, open.codec_DELEGRETURN4res),
  GETATTR: row(V0_UP, IDEMPOTENT | FH, namespace.codec_GETATTR4args, namespace.codec_GETATTR4res),
  GETFH: row(V0_UP, IDEMPOTENT | FH, NO_ARGUMENTS, namespace.codec_GETFH4res),
  LINK: row(V0_UP, FH | SAVED_FH, namespace.codec_LINK4args, namespace.codec_LINK4res),
  LOCK: row(V0_UP, FH | STATEID | NEW_STATEID, lock.codec_LOCK4args, lock.codec_LOCK4res, NFS4ERR_DENIED),
  LOCKT: row(V0_UP, IDEMPOTENT | FH, lock.codec_LOCKT4args, lock.codec_LOCKT4res, NFS4ERR_DENIED),
  LOCKU: row(V0_UP, FH | STATEID | NEW_STATEID, lock.codec_LOCKU4args, lock.codec_LOCKU4res),
  LOOKUP: row(V0_UP, IDEMPOTENT | FH | NEW_FH, namespace.codec_LOOKUP4args, namespace.codec_LOOKUP4res),
  LOOKUPP: row(V0_UP, IDEMPOTENT | FH | NEW_FH, NO_ARGUMENTS, namespace.codec_LOOKUPP4res),
  NVERIFY: row(V0_UP, IDEMPOTENT | FH, namespace.codec_NVERIFY4args, namespace.codec_NVERIFY4res),
  OPEN: row(V0_UP, FH | STATEID | NEW_FH | NEW_STATEID, open.codec_OPEN4args, open.codec_OPEN4res),
  OPENATTR: row(V0_UP, IDEMPOTENT | FH | NEW_FH, namespace.codec_OPENATTR4args, namespace.codec_OPENATTR4res),
  OPEN_CONFIRM: row(V0, FH | STATEID | NEW_STATEID, open.codec_OPEN_CONFIRM4args, open.codec_OPEN_CONFIRM4res),
  OPEN_DOWNGRADE: row(V0_UP, FH | STATEID | NEW_STATEID, open.codec_OPEN_DOWNGRADE4args, open.codec_OPEN_DOWNGRADE4res),
  PUTFH: row(V0_UP, IDEMPOTENT | NEW_FH, namespace.codec_PUTFH4args, namespace.codec_PUTFH4res),
  PUTPUBFH: row(V0_UP, IDEMPOTENT | NEW_FH, NO_ARGUMENTS, namespace.codec_PUTPUBFH4res),
  PUTROOTFH: row(V0_UP, IDEMPOTENT | NEW_FH, NO_ARGUMENTS, namespace.codec_PUTROOTFH4res),
  READ: row(V0_UP, IDEMPOTENT | FH | STATEID, data.codec_READ4args, data.codec_READ4res),
  READDIR: row(V0_UP, IDEMPOTENT | FH, namespace.codec_READDIR4args, namespace.codec_READDIR4res),
  READLINK: row(V0_UP, IDEMPOTENT | FH, NO_ARGUMENTS, namespace.codec_READLINK4res),
  REMOVE: row(V0_UP, FH, namespace.codec_REMOVE4args, namespace.codec_REMOVE4res),
  RENAME: row(V0_UP, FH | SAVED_FH, namespace.codec_RENAME4args, namespace.codec_RENAME4res),
  RENEW: row(V0, IDEMPOTENT, client40.codec_RENEW4args, client40.codec_RENEW4res),
  RESTOREFH: row(V0_UP, IDEMPOTENT | NEW_FH, NO_ARGUMENTS, namespace.codec_RESTOREFH4res),
  SAVEFH: row(V0_UP, IDEMPOTENT | FH, NO_ARGUMENTS, namespace.codec_SAVEFH4res),
  SECINFO: row(V0_UP, IDEMPOTENT | FH, namespace.codec_SECINFO4args, namespace.codec_SECINFO4res),
  SETATTR: row(V0_UP, FH | STATEID | BITMAP_FOLLOWS, namespace.codec_SETATTR4args, namespace.codec_SETATTR4res),
  SETCLIENTID: row(V0, 0, client40.codec_SETCLIENTID4args, client40.codec_SETCLIENTID4res, NFS4ERR_CLID_INUSE),
  SETCLIENTID_CONFIRM: row(
    V0,
    IDEMPOTENT,
    client40.codec_SETCLIENTID_CONFIRM4args,
    client40.codec_SETCLIENTID_CONFIRM4res,
  ),
  VERIFY: row(V0_UP, IDEMPOTENT | FH, namespace.codec_VERIFY4args, namespace.codec_VERIFY4res),
  WRITE: row(V0_UP, IDEMPOTENT | FH | STATEID, data.codec_WRITE4args, data.codec_WRITE4res),
  RELEASE_LOCKOWNER: row(V0, IDEMPOTENT, client40.codec_RELEASE_LOCKOWNER4args, client40.codec_RELEASE_LOCKOWNER4res),
  BACKCHANNEL_CTL: row(V1_UP, IDEMPOTENT, session.codec_BACKCHANNEL_CTL4args, session.codec_BACKCHANNEL_CTL4res),
  BIND_CONN_TO_SESSION: row(
    V1_UP,
    IDEMPOTENT,
    session.codec_BIND_CONN_TO_SESSION4args,
    session.codec_BIND_CONN_TO_SESSION4res,
  ),
  EXCHANGE_ID: row(V1_UP, 0, session.codec_EXCHANGE_ID4args, session.codec_EXCHANGE_ID4res),
  CREATE_SESSION: row(V1_UP, 0, session.codec_CREATE_SESSION4args, session.codec_CREATE_SESSION4res),
  DESTROY_SESSION: row(V1_UP, 0, session.codec_DESTROY_SESSION4args, session.codec_DESTROY_SESSION4res),
  FREE_STATEID: row(V1_UP, STATEID, session.codec_FREE_STATEID4args, session.codec_FREE_STATEID4res),
  GET_DIR_DELEGATION: row(
    V1_UP,
    FH | NEW_STATEID,
    open.codec_GET_DIR_DELEGATION4args,
    open.codec_GET_DIR_DELEGATION4res,
  ),
  GETDEVICEINFO: row(V1_UP, IDEMPOTENT, pnfs.codec_GETDEVICEINFO4args, pnfs.codec_GETDEVICEINFO4res, NFS4ERR_TOOSMALL),
  GETDEVICELIST: row(V1, IDEMPOTENT | FH, pnfs.codec_GETDEVICELIST4args, pnfs.codec_GETDEVICELIST4res),
  LAYOUTCOMMIT: row(V1_UP, IDEMPOTENT | FH | STATEID, pnfs.codec_LAYOUTCOMMIT4args, pnfs.codec_LAYOUTCOMMIT4res),
  LAYOUTGET: row(
    V1_UP,
    FH | STATEID | NEW_STATEID,
    pnfs.codec_LAYOUTGET4args,
    pnfs.codec_LAYOUTGET4res,
    NFS4ERR_LAYOUTTRYLATER,
  ),
  LAYOUTRETURN: row(V1_UP, STATEID | NEW_STATEID, pnfs.codec_LAYOUTRETURN4args, pnfs.codec_LAYOUTRETURN4res),
  SECINFO_NO_NAME: row(
    V1_UP,
    IDEMPOTENT | FH,
    namespace.codec_SECINFO_NO_NAME4args,
    namespace.codec_SECINFO_NO_NAME4res,
  ),
  SEQUENCE: row(V1_UP, IDEMPOTENT, session.codec_SEQUENCE4args, session.codec_SEQUENCE4res),
  SET_SSV: row(V1_UP, 0, session.codec_SET_SSV4args, session.codec_SET_SSV4res),
  TEST_STATEID: row(V1_UP, IDEMPOTENT | STATEID, session.codec_TEST_STATEID4args, session.codec_TEST_STATEID4res),
  WANT_DELEGATION: row(V1_UP, FH | NEW_STATEID, open.codec_WANT_DELEGATION4args, open.codec_WANT_DELEGATION4res),
  DESTROY_CLIENTID: row(V1_UP, 0, session.codec_DESTROY_CLIENTID4args, session.codec_DESTROY_CLIENTID4res),
  RECLAIM_COMPLETE: row(V1_UP, 0, session.codec_RECLAIM_COMPLETE4args, session.codec_RECLAIM_COMPLETE4res),
  ALLOCATE: row(V2_UP, IDEMPOTENT | FH | STATEID, data.codec_ALLOCATE4args, data.codec_ALLOCATE4res),
  COPY: row(V2_UP, FH | SAVED_FH | STATEID, copy.codec_COPY4args, copy.codec_COPY4res, NFS4ERR_OFFLOAD_NO_REQS),
  COPY_NOTIFY: row(V2_UP, FH | STATEID, copy.codec_COPY_NOTIFY4args, copy.codec_COPY_NOTIFY4res),
  DEALLOCATE: row(V2_UP, IDEMPOTENT | FH | STATEID, data.codec_DEALLOCATE4args, data.codec_DEALLOCATE4res),
  IO_ADVISE: row(V2_UP, IDEMPOTENT | FH | STATEID, data.codec_IO_ADVISE4args, data.codec_IO_ADVISE4res),
  LAYOUTERROR: row(V2_UP, FH | STATEID, pnfs.codec_LAYOUTERROR4args, pnfs.codec_LAYOUTERROR4res),
  LAYOUTSTATS: row(V2_UP, FH | STATEID, pnfs.codec_LAYOUTSTATS4args, pnfs.codec_LAYOUTSTATS4res),
  OFFLOAD_CANCEL: row(V2_UP, FH | STATEID, copy.codec_OFFLOAD_CANCEL4args, copy.codec_OFFLOAD_CANCEL4res),
  OFFLOAD_STATUS: row(V2_UP, IDEMPOTENT | FH | STATEID, copy.codec_OFFLOAD_STATUS4args, copy.codec_OFFLOAD_STATUS4res),
  READ_PLUS: row(V2_UP, IDEMPOTENT | FH | STATEID, data.codec_READ_PLUS4args, data.codec_READ_PLUS4res),
  SEEK: row(V2_UP, IDEMPOTENT | FH | STATEID, data.codec_SEEK4args, data.codec_SEEK4res),
  WRITE_SAME: row(V2_UP, FH | STATEID, data.codec_WRITE_SAME4args, data.codec_WRITE_SAME4res),
  CLONE: row(V2_UP, IDEMPOTENT | FH | SAVED_FH | STATEID, copy.codec_CLONE4args, copy.codec_CLONE4res),
  GETXATTR: row(V2_UP, IDEMPOTENT | FH, xattr.codec_GETXATTR4args, xattr.codec_GETXATTR4res),
  SETXATTR: row(V2_UP, FH, xattr.codec_SETXATTR4args, xattr.codec_SETXATTR4res),
  LISTXATTRS: row(V2_UP, IDEMPOTENT | FH, xattr.codec_LISTXATTRS4args, xattr.codec_LISTXATTRS4res),
  REMOVEXATTR: row(V2_UP, FH, xattr.codec_REMOVEXATTR4args, xattr.codec_REMOVEXATTR4res),
  ILLEGAL: row(V0_UP, IDEMPOTENT, NO_ARGUMENTS, namespace.codec_ILLEGAL4res),
};

/** Every operation by its name without OP_. */
export const OPERATIONS: OperationTable<OperationTypes> = defineOperations<OperationTypes>(
  ROWS,
  (name) => nfs_opnum4[`OP_${name}`],
);

const BY_NUMBER: readonly (Operation | undefined)[] = indexByNumber(OPERATIONS);

/** The operation of that number in any minor version; OP_ILLEGAL is none. */
export function operationByNumber(number: number): Operation | undefined {
  return BY_NUMBER[number];
}

/**
 * The operation of that number in a minor version, or why there is none: NFS4ERR_OP_ILLEGAL for a number that the version does not
 * define, NFS4ERR_NOTSUPP for an operation that it has abolished (RFC 8881 §8.8, RFC 7862 §14.2).
 */
export function findOperation(
  number: number,
  minorVersion: number,
): Operation | typeof NFS4ERR_OP_ILLEGAL | typeof NFS4ERR_NOTSUPP {
  const operation = BY_NUMBER[number];
  if (operation === undefined || minorVersion < operation.minorVersions[0]) return NFS4ERR_OP_ILLEGAL;
  return minorVersion <= operation.minorVersions[1] ? operation : NFS4ERR_NOTSUPP;
}

/** `READ`, or for a number that is no operation `ILLEGAL(4711)`. */
export function operationName(number: number): string {
  return BY_NUMBER[number]?.name ?? `ILLEGAL(${number})`;
}
