/** Which file an OPEN means, by its claim and its create mode (RFC 8881 §18.16.3), made if it must be. */
import {
  type Bitmap,
  bitmapOf,
  CLAIM_DELEG_CUR_FH,
  CLAIM_DELEG_PREV_FH,
  CLAIM_DELEGATE_CUR,
  CLAIM_DELEGATE_PREV,
  CLAIM_FH,
  CLAIM_NULL,
  CLAIM_PREVIOUS,
  type change_info4,
  type createhow4,
  EXCLUSIVE4,
  EXCLUSIVE4_1,
  FATTR4_SIZE,
  FATTR4_TIME_ACCESS,
  FATTR4_TIME_MODIFY,
  GUARDED4,
  isSubset,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_BADXDR,
  NFS4ERR_EXIST,
  NFS4ERR_INVAL,
  NFS4ERR_ISDIR,
  NFS4ERR_NOENT,
  NFS4ERR_RECLAIM_BAD,
  NFS4ERR_ROFS,
  NFS4ERR_SYMLINK,
  type nfsstat4,
  OPEN_DELEGATE_NONE,
  OPEN4_CREATE,
  OPEN4_NOCREATE,
  type OPEN4args,
  UNCHECKED4,
  union,
} from "@nfs4/protocol";
import { requestedChanges } from "../attributes/changes.ts";
import { exclusiveCreateAttributes } from "../attributes/supported.ts";
import type { CompoundContext } from "../compound/context.ts";
import { nameOf } from "../compound/names.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { AttributeChanges, Attributes, NodeType, OpenAccess } from "../filesystem/types.ts";
import { child } from "../walk/walk.ts";

export interface OpenTarget {
  readonly node: NodeReference;
  /** What the file system opened while making the file; `undefined` for one that was there. */
  readonly file?: unknown;
  readonly change: change_info4;
  readonly attrset: number[];
  /** An UNCHECKED create of a file that is there, with size 0. */
  readonly truncate: boolean;
}

const UNCHANGED: change_info4 = { atomic: false, before: 0n, after: 0n };

export async function findOrCreate(
  context: CompoundContext,
  current: NodeReference,
  args: OPEN4args,
  access: OpenAccess,
): Promise<OpenTarget | nfsstat4> {
  const { claim } = args;
  if (claim.claim !== CLAIM_NULL && args.openhow.opentype === OPEN4_CREATE) return NFS4ERR_INVAL;
  switch (claim.claim) {
    case CLAIM_NULL: {
      const name = nameOf(claim.file, current.export);
      if (typeof name === "number") return name;
      if (args.openhow.opentype === OPEN4_NOCREATE) return existing(context, current, name);
      return create(context, current, name, args.openhow.how, access);
    }
    case CLAIM_FH:
      // 4.0 does not know this claim, nor those below that name no file: they cannot be decoded.
      return context.minorVersion === 0 ? NFS4ERR_BADXDR : itself(context, current);
    case CLAIM_PREVIOUS:
      // Delegations were never given, so none can be reclaimed.
      return claim.delegate_type === OPEN_DELEGATE_NONE ? itself(context, current) : NFS4ERR_RECLAIM_BAD;
    // No delegation was ever given, so there is none to go on with, nor one to take back (RFC 7530 §16.16.5).
    case CLAIM_DELEGATE_CUR:
      return NFS4ERR_BAD_STATEID;
    case CLAIM_DELEG_CUR_FH:
      return context.minorVersion === 0 ? NFS4ERR_BADXDR : NFS4ERR_BAD_STATEID;
    case CLAIM_DELEGATE_PREV:
      return NFS4ERR_RECLAIM_BAD;
    case CLAIM_DELEG_PREV_FH:
      return context.minorVersion === 0 ? NFS4ERR_BADXDR : NFS4ERR_RECLAIM_BAD;
  }
}

async function itself(context: CompoundContext, node: NodeReference): Promise<OpenTarget | nfsstat4> {
  const attributes = await fileAttributes(context, node);
  return typeof attributes === "number" ? attributes : { node, change: UNCHANGED, attrset: [], truncate: false };
}

async function existing(
  context: CompoundContext,
  directory: NodeReference,
  name: string,
): Promise<OpenTarget | nfsstat4> {
  const node = await child(context, directory, name);
  if (typeof node === "number") return node;
  const attributes = await fileAttributes(context, node);
  if (typeof attributes === "number") return attributes;
  return { node, change: await currentChange(context, directory), attrset: [], truncate: false };
}

/** The attributes of a regular file, or the status for what is none. */
async function fileAttributes(context: CompoundContext, node: NodeReference): Promise<Attributes | nfsstat4> {
  const attributes = await node.export.fileSystem.getattr(node.node, context.caller(node.export));
  if (isErrno(attributes)) return statusOfErrno(attributes);
  return attributes.type === "file" ? attributes : notOpenable(attributes.type);
}

/**
 * What cannot be opened. RFC 8881 §18.16.3 has WRONG_TYPE for devices and the like, but Linux clients make EIO of that; SYMLINK, which is also all that 4.0
 * has, lets them open the device themselves (knfsd does the same).
 */
function notOpenable(type: NodeType): nfsstat4 {
  return type === "directory" ? NFS4ERR_ISDIR : NFS4ERR_SYMLINK;
}

async function currentChange(context: CompoundContext, directory: NodeReference): Promise<change_info4> {
  const attributes = await directory.export.fileSystem.getattr(directory.node, context.caller(directory.export));
  return isErrno(attributes) ? UNCHANGED : { atomic: true, before: attributes.change, after: attributes.change };
}

interface Creation {
  readonly mode: createhow4["mode"];
  readonly attributes: AttributeChanges;
  readonly set: Bitmap;
  /** EXCLUSIVE: kept in the file's times, so that a retry is known from a collision. */
  readonly verifier: Uint8Array | null;
  readonly truncates: boolean;
}

function creationOf(context: CompoundContext, how: createhow4): Creation | nfsstat4 {
  const { minorVersion } = context;
  switch (how.mode) {
    case UNCHECKED4:
    case GUARDED4: {
      const requested = requestedChanges(how.createattrs, minorVersion, true);
      if (typeof requested === "number") return requested;
      const truncates = how.mode === UNCHECKED4 && requested.changes.size === 0;
      return { mode: how.mode, attributes: requested.changes, set: requested.set, verifier: null, truncates };
    }
    case EXCLUSIVE4:
      return { mode: how.mode, attributes: {}, set: [], verifier: how.createverf, truncates: false };
    case EXCLUSIVE4_1: {
      if (minorVersion === 0) return NFS4ERR_BADXDR;
      const { cva_attrs, cva_verf } = how.ch_createboth;
      if (!isSubset(cva_attrs.attrmask, exclusiveCreateAttributes(minorVersion))) return NFS4ERR_INVAL;
      const requested = requestedChanges(cva_attrs, minorVersion, true);
      if (typeof requested === "number") return requested;
      return {
        mode: how.mode,
        attributes: requested.changes,
        set: requested.set,
        verifier: cva_verf,
        truncates: false,
      };
    }
  }
}

async function create(
  context: CompoundContext,
  directory: NodeReference,
  name: string,
  how: createhow4,
  access: OpenAccess,
): Promise<OpenTarget | nfsstat4> {
  const creation = creationOf(context, how);
  if (typeof creation === "number") return creation;
  const { fileSystem } = directory.export;
  const caller = context.caller(directory.export);
  // Somebody outside of this server may take or free the name between the two steps: then once more.
  for (let attempt = 0; ; attempt++) {
    const found = await child(context, directory, name);
    if (typeof found !== "number") return takeExisting(context, directory, found, creation);
    if (found !== NFS4ERR_NOENT) return found;
    if (directory.export.readOnly || !fileSystem.create) return NFS4ERR_ROFS;
    const attributes: AttributeChanges = {
      mode: 0o644,
      ...creation.attributes,
      ...(creation.verifier ? verifierTimes(creation.verifier) : {}),
    };
    const created = await fileSystem.create(directory.node, name, { type: "file", attributes, open: access }, caller);
    if (created === "EEXIST" && attempt < 3) continue;
    if (isErrno(created)) return statusOfErrno(created);
    const times = creation.verifier ? bitmapOf(FATTR4_TIME_ACCESS, FATTR4_TIME_MODIFY) : [];
    return {
      node: context.services.exports.reference(directory.export, created.node),
      file: created.file,
      change: created.change,
      attrset: [...union(creation.set, times)],
      truncate: false,
    };
  }
}

async function takeExisting(
  context: CompoundContext,
  directory: NodeReference,
  node: NodeReference,
  creation: Creation,
): Promise<OpenTarget | nfsstat4> {
  if (creation.mode === GUARDED4) return NFS4ERR_EXIST;
  const attributes = await fileAttributes(context, node);
  if (creation.verifier) {
    if (typeof attributes === "number") return NFS4ERR_EXIST;
    const { atime, mtime } = verifierTimes(creation.verifier);
    if (attributes.atime.seconds !== atime.seconds || attributes.mtime.seconds !== mtime.seconds) return NFS4ERR_EXIST;
    const attrset = [...union(creation.set, bitmapOf(FATTR4_TIME_ACCESS, FATTR4_TIME_MODIFY))];
    return { node, change: await currentChange(context, directory), attrset, truncate: false };
  }
  if (typeof attributes === "number") return attributes;
  if (creation.truncates && node.export.readOnly) return NFS4ERR_ROFS;
  const attrset = creation.truncates ? bitmapOf(FATTR4_SIZE) : [];
  return { node, change: await currentChange(context, directory), attrset, truncate: creation.truncates };
}

/** The verifier as two times, as far as every disk can keep them: 31 bits of seconds each (knfsd does the same). */
function verifierTimes(verifier: Uint8Array) {
  const view = new DataView(verifier.buffer, verifier.byteOffset, 8);
  return {
    atime: { seconds: view.getUint32(0) & 0x7fff_ffff, nanoseconds: 0 },
    mtime: { seconds: view.getUint32(4) & 0x7fff_ffff, nanoseconds: 0 },
  };
}
