import type { XdrCodec } from "@xdr-ts/xdr";
import { type Bitmap, bitmapOf } from "./bitmap.ts";
import * as wire from "./generated/attributes.ts";

/** Values of attributes, under the names of RFC 8881 §5; what is not there is not known or not meant. */
export interface Fattr4Values {
  supported_attrs?: wire.fattr4_supported_attrs;
  type?: wire.fattr4_type;
  fh_expire_type?: wire.fattr4_fh_expire_type;
  change?: wire.fattr4_change;
  size?: wire.fattr4_size;
  link_support?: wire.fattr4_link_support;
  symlink_support?: wire.fattr4_symlink_support;
  named_attr?: wire.fattr4_named_attr;
  fsid?: wire.fattr4_fsid;
  unique_handles?: wire.fattr4_unique_handles;
  lease_time?: wire.fattr4_lease_time;
  rdattr_error?: wire.fattr4_rdattr_error;
  acl?: wire.fattr4_acl;
  aclsupport?: wire.fattr4_aclsupport;
  archive?: wire.fattr4_archive;
  cansettime?: wire.fattr4_cansettime;
  case_insensitive?: wire.fattr4_case_insensitive;
  case_preserving?: wire.fattr4_case_preserving;
  chown_restricted?: wire.fattr4_chown_restricted;
  filehandle?: wire.fattr4_filehandle;
  fileid?: wire.fattr4_fileid;
  files_avail?: wire.fattr4_files_avail;
  files_free?: wire.fattr4_files_free;
  files_total?: wire.fattr4_files_total;
  fs_locations?: wire.fattr4_fs_locations;
  hidden?: wire.fattr4_hidden;
  homogeneous?: wire.fattr4_homogeneous;
  maxfilesize?: wire.fattr4_maxfilesize;
  maxlink?: wire.fattr4_maxlink;
  maxname?: wire.fattr4_maxname;
  maxread?: wire.fattr4_maxread;
  maxwrite?: wire.fattr4_maxwrite;
  mimetype?: wire.fattr4_mimetype;
  mode?: wire.fattr4_mode;
  no_trunc?: wire.fattr4_no_trunc;
  numlinks?: wire.fattr4_numlinks;
  owner?: wire.fattr4_owner;
  owner_group?: wire.fattr4_owner_group;
  quota_avail_hard?: wire.fattr4_quota_avail_hard;
  quota_avail_soft?: wire.fattr4_quota_avail_soft;
  quota_used?: wire.fattr4_quota_used;
  rawdev?: wire.fattr4_rawdev;
  space_avail?: wire.fattr4_space_avail;
  space_free?: wire.fattr4_space_free;
  space_total?: wire.fattr4_space_total;
  space_used?: wire.fattr4_space_used;
  system?: wire.fattr4_system;
  time_access?: wire.fattr4_time_access;
  time_access_set?: wire.fattr4_time_access_set;
  time_backup?: wire.fattr4_time_backup;
  time_create?: wire.fattr4_time_create;
  time_delta?: wire.fattr4_time_delta;
  time_metadata?: wire.fattr4_time_metadata;
  time_modify?: wire.fattr4_time_modify;
  time_modify_set?: wire.fattr4_time_modify_set;
  mounted_on_fileid?: wire.fattr4_mounted_on_fileid;
  dir_notif_delay?: wire.fattr4_dir_notif_delay;
  dirent_notif_delay?: wire.fattr4_dirent_notif_delay;
  dacl?: wire.fattr4_dacl;
  sacl?: wire.fattr4_sacl;
  change_policy?: wire.fattr4_change_policy;
  fs_status?: wire.fattr4_fs_status;
  fs_layout_types?: wire.fattr4_fs_layout_types;
  layout_hint?: wire.fattr4_layout_hint;
  layout_types?: wire.fattr4_layout_types;
  layout_blksize?: wire.fattr4_layout_blksize;
  layout_alignment?: wire.fattr4_layout_alignment;
  fs_locations_info?: wire.fattr4_fs_locations_info;
  mdsthreshold?: wire.fattr4_mdsthreshold;
  retention_get?: wire.fattr4_retention_get;
  retention_set?: wire.fattr4_retention_set;
  retentevt_get?: wire.fattr4_retentevt_get;
  retentevt_set?: wire.fattr4_retentevt_set;
  retention_hold?: wire.fattr4_retention_hold;
  mode_set_masked?: wire.fattr4_mode_set_masked;
  suppattr_exclcreat?: wire.fattr4_suppattr_exclcreat;
  fs_charset_cap?: wire.fattr4_fs_charset_cap;
  clone_blksize?: wire.fattr4_clone_blksize;
  space_freed?: wire.fattr4_space_freed;
  change_attr_type?: wire.fattr4_change_attr_type;
  sec_label?: wire.fattr4_sec_label;
  mode_umask?: wire.fattr4_mode_umask;
  xattr_support?: wire.fattr4_xattr_support;
}

export type AttributeName = keyof Fattr4Values;

/** get: GETATTR, READDIR and VERIFY take it; set: SETATTR, CREATE and OPEN do (RFC 8881 §5.5). */
export type AttributeAccess = "get" | "set" | "get set";

export interface Attribute<Name extends AttributeName = AttributeName> {
  readonly number: number;
  readonly name: Name;
  readonly access: AttributeAccess;
  /** The first minor version that has it. */
  readonly minorVersion: 0 | 1 | 2;
  /** Every server has it (RFC 8881 §5.6). */
  readonly required: boolean;
  readonly codec: XdrCodec<NonNullable<Fattr4Values[Name]>>;
  /** The attribute's value. A function for each, for V8 loads a property that the code names many times faster than a computed one. */
  readonly get: (values: Fattr4Values) => Fattr4Values[Name];
}

type Row<Name extends AttributeName> = readonly [
  number: number,
  minorVersion: 0 | 1 | 2,
  access: AttributeAccess,
  required: boolean,
  codec: XdrCodec<NonNullable<Fattr4Values[Name]>>,
  get: (values: Fattr4Values) => Fattr4Values[Name],
];

const GET = "get";
const SET = "set";
const GET_SET = "get set";
const REQUIRED = true;
const RECOMMENDED = false;

// RFC 8881 §5.6 and §5.7, RFC 7862 §12.1, RFC 8275 §5, RFC 8276 §8.2.
const ROWS: { readonly [Name in AttributeName]-?: Row<Name> } = {
  supported_attrs: [0, 0, GET, REQUIRED, wire.codec_fattr4_supported_attrs, (v) => v.supported_attrs],
  type: [1, 0, GET, REQUIRED, wire.codec_fattr4_type, (v) => v.type],
  fh_expire_type: [2, 0, GET, REQUIRED, wire.codec_fattr4_fh_expire_type, (v) => v.fh_expire_type],
  change: [3, 0, GET, REQUIRED, wire.codec_fattr4_change, (v) => v.change],
  size: [4, 0, GET_SET, REQUIRED, wire.codec_fattr4_size, (v) => v.size],
  link_support: [5, 0, GET, REQUIRED, wire.codec_fattr4_link_support, (v) => v.link_support],
  symlink_support: [6, 0, GET, REQUIRED, wire.codec_fattr4_symlink_support, (v) => v.symlink_support],
  named_attr: [7, 0, GET, REQUIRED, wire.codec_fattr4_named_attr, (v) => v.named_attr],
  fsid: [8, 0, GET, REQUIRED, wire.codec_fattr4_fsid, (v) => v.fsid],
  unique_handles: [9, 0, GET, REQUIRED, wire.codec_fattr4_unique_handles, (v) => v.unique_handles],
  lease_time: [10, 0, GET, REQUIRED, wire.codec_fattr4_lease_time, (v) => v.lease_time],
  rdattr_error: [11, 0, GET, REQUIRED, wire.codec_fattr4_rdattr_error, (v) => v.rdattr_error],
  acl: [12, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_acl, (v) => v.acl],
  aclsupport: [13, 0, GET, RECOMMENDED, wire.codec_fattr4_aclsupport, (v) => v.aclsupport],
  archive: [14, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_archive, (v) => v.archive],
  cansettime: [15, 0, GET, RECOMMENDED, wire.codec_fattr4_cansettime, (v) => v.cansettime],
  case_insensitive: [16, 0, GET, RECOMMENDED, wire.codec_fattr4_case_insensitive, (v) => v.case_insensitive],
  case_preserving: [17, 0, GET, RECOMMENDED, wire.codec_fattr4_case_preserving, (v) => v.case_preserving],
  chown_restricted: [18, 0, GET, RECOMMENDED, wire.codec_fattr4_chown_restricted, (v) => v.chown_restricted],
  filehandle: [19, 0, GET, REQUIRED, wire.codec_fattr4_filehandle, (v) => v.filehandle],
  fileid: [20, 0, GET, RECOMMENDED, wire.codec_fattr4_fileid, (v) => v.fileid],
  files_avail: [21, 0, GET, RECOMMENDED, wire.codec_fattr4_files_avail, (v) => v.files_avail],
  files_free: [22, 0, GET, RECOMMENDED, wire.codec_fattr4_files_free, (v) => v.files_free],
  files_total: [23, 0, GET, RECOMMENDED, wire.codec_fattr4_files_total, (v) => v.files_total],
  fs_locations: [24, 0, GET, RECOMMENDED, wire.codec_fattr4_fs_locations, (v) => v.fs_locations],
  hidden: [25, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_hidden, (v) => v.hidden],
  homogeneous: [26, 0, GET, RECOMMENDED, wire.codec_fattr4_homogeneous, (v) => v.homogeneous],
  maxfilesize: [27, 0, GET, RECOMMENDED, wire.codec_fattr4_maxfilesize, (v) => v.maxfilesize],
  maxlink: [28, 0, GET, RECOMMENDED, wire.codec_fattr4_maxlink, (v) => v.maxlink],
  maxname: [29, 0, GET, RECOMMENDED, wire.codec_fattr4_maxname, (v) => v.maxname],
  maxread: [30, 0, GET, RECOMMENDED, wire.codec_fattr4_maxread, (v) => v.maxread],
  maxwrite: [31, 0, GET, RECOMMENDED, wire.codec_fattr4_maxwrite, (v) => v.maxwrite],
  mimetype: [32, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_mimetype, (v) => v.mimetype],
  mode: [33, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_mode, (v) => v.mode],
  no_trunc: [34, 0, GET, RECOMMENDED, wire.codec_fattr4_no_trunc, (v) => v.no_trunc],
  numlinks: [35, 0, GET, RECOMMENDED, wire.codec_fattr4_numlinks, (v) => v.numlinks],
  owner: [36, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_owner, (v) => v.owner],
  owner_group: [37, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_owner_group, (v) => v.owner_group],
  quota_avail_hard: [38, 0, GET, RECOMMENDED, wire.codec_fattr4_quota_avail_hard, (v) => v.quota_avail_hard],
  quota_avail_soft: [39, 0, GET, RECOMMENDED, wire.codec_fattr4_quota_avail_soft, (v) => v.quota_avail_soft],
  quota_used: [40, 0, GET, RECOMMENDED, wire.codec_fattr4_quota_used, (v) => v.quota_used],
  rawdev: [41, 0, GET, RECOMMENDED, wire.codec_fattr4_rawdev, (v) => v.rawdev],
  space_avail: [42, 0, GET, RECOMMENDED, wire.codec_fattr4_space_avail, (v) => v.space_avail],
  space_free: [43, 0, GET, RECOMMENDED, wire.codec_fattr4_space_free, (v) => v.space_free],
  space_total: [44, 0, GET, RECOMMENDED, wire.codec_fattr4_space_total, (v) => v.space_total],
  space_used: [45, 0, GET, RECOMMENDED, wire.codec_fattr4_space_used, (v) => v.space_used],
  system: [46, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_system, (v) => v.system],
  time_access: [47, 0, GET, RECOMMENDED, wire.codec_fattr4_time_access, (v) => v.time_access],
  time_access_set: [48, 0, SET, RECOMMENDED, wire.codec_fattr4_time_access_set, (v) => v.time_access_set],
  time_backup: [49, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_time_backup, (v) => v.time_backup],
  time_create: [50, 0, GET_SET, RECOMMENDED, wire.codec_fattr4_time_create, (v) => v.time_create],
  time_delta: [51, 0, GET, RECOMMENDED, wire.codec_fattr4_time_delta, (v) => v.time_delta],
  time_metadata: [52, 0, GET, RECOMMENDED, wire.codec_fattr4_time_metadata, (v) => v.time_metadata],
  time_modify: [53, 0, GET, RECOMMENDED, wire.codec_fattr4_time_modify, (v) => v.time_modify],
  time_modify_set: [54, 0, SET, RECOMMENDED, wire.codec_fattr4_time_modify_set, (v) => v.time_modify_set],
  mounted_on_fileid: [55, 0, GET, RECOMMENDED, wire.codec_fattr4_mounted_on_fileid, (v) => v.mounted_on_fileid],
  dir_notif_delay: [56, 1, GET, RECOMMENDED, wire.codec_fattr4_dir_notif_delay, (v) => v.dir_notif_delay],
  dirent_notif_delay: [57, 1, GET, RECOMMENDED, wire.codec_fattr4_dirent_notif_delay, (v) => v.dirent_notif_delay],
  dacl: [58, 1, GET_SET, RECOMMENDED, wire.codec_fattr4_dacl, (v) => v.dacl],
  sacl: [59, 1, GET_SET, RECOMMENDED, wire.codec_fattr4_sacl, (v) => v.sacl],
  change_policy: [60, 1, GET, RECOMMENDED, wire.codec_fattr4_change_policy, (v) => v.change_policy],
  fs_status: [61, 1, GET, RECOMMENDED, wire.codec_fattr4_fs_status, (v) => v.fs_status],
  fs_layout_types: [62, 1, GET, RECOMMENDED, wire.codec_fattr4_fs_layout_types, (v) => v.fs_layout_types],
  layout_hint: [63, 1, SET, RECOMMENDED, wire.codec_fattr4_layout_hint, (v) => v.layout_hint],
  layout_types: [64, 1, GET, RECOMMENDED, wire.codec_fattr4_layout_types, (v) => v.layout_types],
  layout_blksize: [65, 1, GET, RECOMMENDED, wire.codec_fattr4_layout_blksize, (v) => v.layout_blksize],
  layout_alignment: [66, 1, GET, RECOMMENDED, wire.codec_fattr4_layout_alignment, (v) => v.layout_alignment],
  fs_locations_info: [67, 1, GET, RECOMMENDED, wire.codec_fattr4_fs_locations_info, (v) => v.fs_locations_info],
  mdsthreshold: [68, 1, GET, RECOMMENDED, wire.codec_fattr4_mdsthreshold, (v) => v.mdsthreshold],
  retention_get: [69, 1, GET, RECOMMENDED, wire.codec_fattr4_retention_get, (v) => v.retention_get],
  retention_set: [70, 1, SET, RECOMMENDED, wire.codec_fattr4_retention_set, (v) => v.retention_set],
  retentevt_get: [71, 1, GET, RECOMMENDED, wire.codec_fattr4_retentevt_get, (v) => v.retentevt_get],
  retentevt_set: [72, 1, SET, RECOMMENDED, wire.codec_fattr4_retentevt_set, (v) => v.retentevt_set],
  retention_hold: [73, 1, GET_SET, RECOMMENDED, wire.codec_fattr4_retention_hold, (v) => v.retention_hold],
  mode_set_masked: [74, 1, SET, RECOMMENDED, wire.codec_fattr4_mode_set_masked, (v) => v.mode_set_masked],
  suppattr_exclcreat: [75, 1, GET, REQUIRED, wire.codec_fattr4_suppattr_exclcreat, (v) => v.suppattr_exclcreat],
  fs_charset_cap: [76, 1, GET, RECOMMENDED, wire.codec_fattr4_fs_charset_cap, (v) => v.fs_charset_cap],
  clone_blksize: [77, 2, GET, RECOMMENDED, wire.codec_fattr4_clone_blksize, (v) => v.clone_blksize],
  space_freed: [78, 2, GET, RECOMMENDED, wire.codec_fattr4_space_freed, (v) => v.space_freed],
  change_attr_type: [79, 2, GET, RECOMMENDED, wire.codec_fattr4_change_attr_type, (v) => v.change_attr_type],
  sec_label: [80, 2, GET_SET, RECOMMENDED, wire.codec_fattr4_sec_label, (v) => v.sec_label],
  mode_umask: [81, 2, SET, RECOMMENDED, wire.codec_fattr4_mode_umask, (v) => v.mode_umask],
  xattr_support: [82, 2, GET, RECOMMENDED, wire.codec_fattr4_xattr_support, (v) => v.xattr_support],
};

/** Every attribute, at the place of its number. */
export const ATTRIBUTES: readonly Attribute[] = (Object.keys(ROWS) as AttributeName[])
  .map((name) => {
    const [number, minorVersion, access, required, codec, get] = ROWS[name];
    return {
      number,
      name,
      access,
      minorVersion,
      required,
      codec: codec as XdrCodec<unknown> as Attribute["codec"],
      get,
    };
  })
  .toSorted((a, b) => a.number - b.number);

/** Attributes that a minor version defines: one beyond them is not supported, or unknown. */
export function attributesOf(minorVersion: number): Bitmap {
  return numbersOf((attribute) => attribute.minorVersion <= minorVersion);
}

/** Those that GETATTR may ask for. */
export const GETTABLE_ATTRIBUTES: Bitmap = numbersOf((attribute) => attribute.access !== SET);

/** Those that SETATTR may set. */
export const SETTABLE_ATTRIBUTES: Bitmap = numbersOf((attribute) => attribute.access !== GET);

/** Those that every server of a minor version has. */
export function requiredAttributes(minorVersion: number): Bitmap {
  return numbersOf((attribute) => attribute.required && attribute.minorVersion <= minorVersion);
}

/** `size`, or for a number that is not in the table `attribute 4711`. */
export function attributeName(number: number): string {
  return ATTRIBUTES[number]?.name ?? `attribute ${number}`;
}

function numbersOf(includes: (attribute: Attribute) => boolean): Bitmap {
  return bitmapOf(...ATTRIBUTES.filter(includes).map(({ number }) => number));
}
