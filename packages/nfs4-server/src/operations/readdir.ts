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
  NFS4ERR_NOT_SAME,
  NFS4ERR_REP_TOO_BIG,
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
import { errnoOfThrown, isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable, DirectoryEntry } from "../filesystem/types.ts";
import { child, notDirectory } from "../walk/walk.ts";

/** Cookies never change their meaning here, so the verifier need not tell anything. */
const COOKIE_VERIFIER = new Uint8Array(8);
/** READDIR4resok without entries: verifier, the end of the list and eof. */
const FIXED_BYTES = 8 + 4 + 4;
/** An entry is at least: more follows, cookie, name's length and a word of it, mask's length, values' length. */
const MIN_ENTRY_BYTES = 4 + 8 + 8 + 4 + 4;
/** What `dircount` counts of the shortest name: cookie, length and a word. */
const MIN_DIRECTORY_BYTES = 8 + 8;
const MAX_PAGE = 1024;

/** What bounds a reply, in bytes: `entries` all of READDIR4resok, `names` the cookies and names in it. */
interface Bounds {
  readonly all: number;
  readonly names: number;
  /** What to answer where not even one entry fits. */
  readonly status: nfsstat4;
}

export const readdir: Handler<READDIR4args, never> = (context, args) => {
  const directory = needCurrent(context);
  if (typeof directory === "number") return directory;
  if (asksForWriteOnly(args.attr_request, context.minorVersion)) return NFS4ERR_INVAL;
  if (args.cookie === 1n || args.cookie === 2n || args.cookie > 0x7fff_ffff_ffff_ffffn) return NFS4ERR_BAD_COOKIE;
  if (args.cookie !== 0n && args.cookieverf.some((byte) => byte !== 0)) return NFS4ERR_NOT_SAME;
  if (args.maxcount < FIXED_BYTES + MIN_ENTRY_BYTES) return NFS4ERR_TOOSMALL;
  const { limits } = context.services;
  const offered = Math.min(args.maxcount, limits.maxIo);
  const bounds: Bounds = {
    all: Math.min(offered, context.room),
    names: args.dircount === 0 ? Number.POSITIVE_INFINITY : args.dircount,
    status: offered <= context.room ? NFS4ERR_TOOSMALL : NFS4ERR_REP_TOO_BIG,
  };
  return listFrom(context, directory, args.cookie, requestedAttributes(context, args.attr_request), bounds);
};

function listFrom(
  context: CompoundContext,
  directory: NodeReference,
  cookie: bigint,
  mask: readonly number[],
  bounds: Bounds,
): ReturnType<typeof readdir> {
  const fitting = Math.min(
    Math.floor((bounds.all - FIXED_BYTES) / MIN_ENTRY_BYTES),
    Math.ceil(bounds.names / MIN_DIRECTORY_BYTES),
    MAX_PAGE,
  );
  const { fileSystem } = directory.export;
  const caller = context.caller(directory.export);
  return whenReady(
    fileSystem.readdir(directory.node, cookie, Math.max(1, fitting), caller),
    (page): ReturnType<typeof readdir> => {
      if (page === "ENOTDIR") return notDirectory(context, directory);
      if (isErrno(page)) return statusOfErrno(page);
      const { entries, end } = page;
      return whenReady(allAttributes(context, directory, entries, mask), (attributes) => {
        if (typeof attributes === "number") return attributes;
        const last = entries.at(-1);
        // All of them were removed meanwhile: what follows must be looked at, for an empty reply would have no cookie to go on from.
        if (last && !end && attributes.every((values) => values === null))
          return listFrom(context, directory, last.cookie, mask, bounds);
        return (writer) => writePage(writer, bounds, entries, attributes, end || !last, mask);
      });
    },
  );
}

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
    const answer = attempt(() => entryAttributes(context, directory, entry, mask));
    if (answer instanceof Promise) pending.push(answer.then(note));
    else note(answer);
  });
  const finish = (): EntryAttributes[] | nfsstat4 => (failure === NFS4_OK ? found : failure);
  return pending.length === 0 ? finish() : Promise.all(pending).then(finish);
}

/** What one entry throws counts like what it answers, and never leaves the others' promises alone. */
function attempt<T>(ask: () => Awaitable<T>): Awaitable<T | nfsstat4> {
  const caught = (error: unknown): Awaitable<nfsstat4> => {
    const errno = errnoOfThrown(error);
    return errno ? statusOfErrno(errno) : Promise.reject(error);
  };
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(caught) : answer;
  } catch (error) {
    return caught(error);
  }
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
  return whenReady(child(context, directory, entry.name), (node) => {
    if (typeof node !== "number") return attributesOf(context, node, mask);
    // What is not exported to this client shows the directory that it stands on: the others can be listed.
    return entry.node ? attributesOf(context, exports.reference(directory.export, entry.node), mask) : node;
  });
}

function writePage(
  writer: XdrWriter,
  bounds: Bounds,
  entries: readonly DirectoryEntry<object>[],
  attributes: readonly EntryAttributes[],
  end: boolean,
  mask: readonly number[],
): nfsstat4 {
  const start = writer.position;
  writer.uint32(NFS4_OK);
  const body = writer.position;
  writer.opaqueFixed(COOKIE_VERIFIER, 8);
  let complete = end;
  let written = 0;
  let names = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    const values = attributes[i];
    if (!entry || !values) continue;
    const before = writer.position;
    writer.bool(true);
    writer.uint64(entry.cookie);
    writer.opaque(encodeName(entry.name));
    names += writer.position - before - 4;
    encodeFattr4(writer, mask, values);
    // The hint counts from the second entry on: one at least is worth the round trip.
    if (writer.position - body + 8 > bounds.all || (written > 0 && names > bounds.names)) {
      writer.truncate(before);
      complete = false;
      break;
    }
    written++;
  }
  if (written === 0 && !complete) {
    writer.truncate(start);
    writer.uint32(bounds.status);
    return bounds.status;
  }
  writer.bool(false);
  writer.bool(complete);
  return NFS4_OK;
}
