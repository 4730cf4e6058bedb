/** Why this server does not have what it does not have. The lists must be as short as the truth: the page is checked against the code. */
import type { AttributeName, OperationName } from "@nfs4/protocol";

const PNFS = "no pNFS: data come from this server only";
const COPIES = "no server-side copies yet";
const XATTRS = "no extended attributes yet";

/** Operations that answer NFS4ERR_NOTSUPP: what the first version of the server may leave out, and no others. */
export const NOT_SUPPORTED: { readonly [Name in OperationName]?: string } = {
  OPENATTR: "no named attributes",
  GET_DIR_DELEGATION: "no delegations yet",
  WANT_DELEGATION: "no delegations yet",
  GETDEVICEINFO: PNFS,
  GETDEVICELIST: PNFS,
  LAYOUTCOMMIT: PNFS,
  LAYOUTGET: PNFS,
  LAYOUTRETURN: PNFS,
  LAYOUTERROR: PNFS,
  LAYOUTSTATS: PNFS,
  SET_SSV: "no SSV state protection: EXCHANGE_ID grants none",
  COPY: COPIES,
  COPY_NOTIFY: COPIES,
  OFFLOAD_CANCEL: COPIES,
  OFFLOAD_STATUS: COPIES,
  CLONE: COPIES,
  IO_ADVISE: "advice would not be taken",
  READ_PLUS: "holes are told by SEEK",
  WRITE_SAME: "no application data blocks",
  GETXATTR: XATTRS,
  SETXATTR: XATTRS,
  LISTXATTRS: XATTRS,
  REMOVEXATTR: XATTRS,
};

const ACLS = "no ACLs yet: the mode decides";
const DOS = "file systems of POSIX do not keep it";
const QUOTAS = "statfs does not tell quotas";
const REPLICAS = "no migration and no replicas";
const RETENTION = "no retention";
const NOTIFICATIONS = "no directory delegations";

/** Attributes that the server does not have. */
export const WITHOUT_ATTRIBUTE: { readonly [Name in AttributeName]?: string } = {
  acl: ACLS,
  dacl: ACLS,
  sacl: ACLS,
  archive: DOS,
  hidden: DOS,
  system: DOS,
  mimetype: DOS,
  time_backup: DOS,
  quota_avail_hard: QUOTAS,
  quota_avail_soft: QUOTAS,
  quota_used: QUOTAS,
  fs_locations: REPLICAS,
  fs_locations_info: REPLICAS,
  fs_status: REPLICAS,
  dir_notif_delay: NOTIFICATIONS,
  dirent_notif_delay: NOTIFICATIONS,
  change_policy: "one policy for the whole file system",
  fs_layout_types: PNFS,
  layout_hint: PNFS,
  layout_types: PNFS,
  layout_blksize: PNFS,
  layout_alignment: PNFS,
  mdsthreshold: PNFS,
  retention_get: RETENTION,
  retention_set: RETENTION,
  retentevt_get: RETENTION,
  retentevt_set: RETENTION,
  retention_hold: RETENTION,
  clone_blksize: COPIES,
  space_freed: "statx does not tell what removing a file would free",
  sec_label: "no security labels",
};

/** Attributes that the server has, but not in every way that the RFC allows. */
export const PARTLY: { readonly [Name in AttributeName]?: string } = {
  time_create: "Linux has no way to set it",
  mode_umask: "with creation only (RFC 8275)",
  xattr_support: "always false",
  named_attr: "always false",
  aclsupport: "always none",
};
