/** READDIR (RFC 8881 §18.23): entries with their attributes, as many as the client has room for. */
import {
  encodeFattr4,
  encodeName,
  FATTR4_RDATTR_ERROR,
  type Fattr4Values,
  hasBit,
  NFS4_OK,
  NFS4ERR_BAD_COOKIE,
  NFS4ERR_INVAL,
  NFS4ERR_TOOSMALL,
  type nfsstat4,
  type READDIR4args,
} from "@nfs4/protocol";
import type { XdrWriter } from "@xdr-ts/xdr";
import { attributesOf, requestedAttributes } from "../attributes/collect.ts";
import { asksForWriteOnly } from "../attributes/supported.ts";
import { type CompoundContext, needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { PseudoDirectory } from "../exports/pseudo-file-system.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable, DirectoryEntry } from "../filesystem/types.ts";
import { child, notDirectory } from "../walk/walk.ts";

/** Cookies never change their meaning here, so the verifier need not tell anything. */
const COOKIE_VERIFIER = new Uint8Array(8);
/** status, verifier, the end of the list and eof. */
const FIXED_BYTES = 4 + 8 + 4 + 4;
/** An entry is at least: more follows, cookie, name's length and a word of it, mask's length, values' length. */
const MIN_ENTRY_BYTES = 4 + 8 + 8 + 4 + 4;
const MAX_PAGE = 1024;

export const readdir: Handler<READDIR4args, never> = (context, args) => {
  const directory = needCurrent(context);
  if (typeof directory === "number") return directory;
  if (asksForWriteOnly(args.attr_request)) return NFS4ERR_INVAL;
  if (args.cookie === 1n || args.cookie === 2n || args.cookie > 0x7fff_ffff_ffff_ffffn) return NFS4ERR_BAD_COOKIE;
  const limit = Math.min(args.maxcount, context.services.limits.maxIo);
  if (limit < FIXED_BYTES + MIN_ENTRY_BYTES) return NFS4ERR_TOOSMALL;
  const room = Math.floor((limit - FIXED_BYTES) / MIN_ENTRY_BYTES);
  const byDircount = args.dircount === 0 ? room : Math.max(1, Math.ceil(args.dircount / 16));
  const { fileSystem } = directory.export;
  const page = fileSystem.readdir(
    directory.node,
    args.cookie,
    Math.min(room, byDircount, MAX_PAGE),
    context.caller(directory.export),
  );
  return whenReady(page, (answer): ReturnType<typeof readdir> => {
    if (answer === "ENOTDIR") return notDirectory(context, directory);
    if (isErrno(answer)) return statusOfErrno(answer);
    const mask = requestedAttributes(context, args.attr_request);
    return whenReady(allAttributes(context, directory, answer.entries, mask), (attributes) => {
      if (typeof attributes === "number") return attributes;
      return (writer) => writePage(writer, limit, answer.entries, attributes, answer.end, mask);
    });
  });
};

type EntryAttributes = Fattr4Values | null;

/** The attributes of every entry; null for one that was removed meanwhile. A failure counts for all unless rdattr_error was asked for. */
function allAttributes(
  context: CompoundContext,
  directory: NodeReference,
  entries: readonly DirectoryEntry<object>[],
  mask: readonly number[],
): Awaitable<EntryAttributes[] | nfsstat4> {
  const found: EntryAttributes[] = [];
  const tolerant = hasBit(mask, FATTR4_RDATTR_ERROR);
  let failure: nfsstat4 = NFS4_OK;
  const pending: Promise<void>[] = [];
  entries.forEach((entry, index) => {
    found.push(null);
    const note = (values: Fattr4Values | nfsstat4): void => {
      if (typeof values !== "number") found[index] = values;
      else if (values !== statusOfErrno("ENOENT") && values !== statusOfErrno("ESTALE")) {
        if (tolerant) found[index] = { rdattr_error: values };
        else failure = values;
      }
    };
    const answer = entryAttributes(context, directory, entry, mask);
    if (answer instanceof Promise) pending.push(answer.then(note));
    else note(answer);
  });
  const finish = (): EntryAttributes[] | nfsstat4 => (failure === NFS4_OK ? found : failure);
  return pending.length === 0 ? finish() : Promise.all(pending).then(finish);
}

function entryAttributes(
  context: CompoundContext,
  directory: NodeReference,
  entry: DirectoryEntry<object>,
  mask: readonly number[],
): Awaitable<Fattr4Values | nfsstat4> {
  const { exports } = context.services;
  // A joint of the pseudo file system must be crossed: the entry shows the export's root.
  if (entry.node && !(entry.node instanceof PseudoDirectory && entry.node.exportId !== 0)) {
    return attributesOf(context, exports.reference(directory.export, entry.node), mask, entry.attributes);
  }
  return whenReady(child(context, directory, entry.name), (node) =>
    typeof node === "number" ? node : attributesOf(context, node, mask),
  );
}

function writePage(
  writer: XdrWriter,
  limit: number,
  entries: readonly DirectoryEntry<object>[],
  attributes: readonly EntryAttributes[],
  end: boolean,
  mask: readonly number[],
): nfsstat4 {
  const start = writer.position;
  writer.uint32(NFS4_OK);
  writer.opaqueFixed(COOKIE_VERIFIER, 8);
  const firstEntry = writer.position;
  let complete = end;
  let written = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    const values = attributes[i];
    if (!entry || !values) continue;
    const before = writer.position;
    writer.bool(true);
    writer.uint64(entry.cookie);
    writer.opaque(encodeName(entry.name));
    encodeFattr4(writer, mask, values);
    if (writer.position - start + 8 > limit) {
      writer.truncate(before);
      complete = false;
      break;
    }
    written++;
  }
  if (written === 0 && !complete && writer.position === firstEntry && entries.length > 0) {
    writer.truncate(start);
    writer.uint32(NFS4ERR_TOOSMALL);
    return NFS4ERR_TOOSMALL;
  }
  writer.bool(false);
  writer.bool(complete);
  return NFS4_OK;
}
