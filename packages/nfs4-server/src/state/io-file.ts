/** From the stateid of a READ, WRITE and so on to the file to use (RFC 8881 §8.2.5, §9.1.2; RFC 7530 §9.1.5). */
import {
  NFS4ERR_BAD_STATEID,
  NFS4ERR_GRACE,
  NFS4ERR_INVAL,
  NFS4ERR_ISDIR,
  NFS4ERR_LOCKED,
  NFS4ERR_OPENMODE,
  NFS4ERR_SYMLINK,
  NFS4ERR_WRONG_TYPE,
  type nfsstat4,
  type stateid4,
} from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { type Awaitable, OPEN_READ, type OpenAccess } from "../filesystem/types.ts";
import type { OpenState } from "./file-state.ts";
import { FileReference } from "./open-files.ts";
import { specialStateid } from "./stateid.ts";

/**
 * A file of the file system, held for the caller, who must release it. With a special stateid the file is opened for this one use, with the caller's
 * permission and behind everybody's share reservations.
 */
export function fileForIo(
  context: CompoundContext,
  node: NodeReference,
  stateid: stateid4,
  access: OpenAccess,
): Awaitable<FileReference | nfsstat4> {
  const resolved = context.resolveStateid(stateid);
  if (!resolved) return NFS4ERR_BAD_STATEID;
  switch (specialStateid(resolved)) {
    case "anonymous":
      return openForOnce(context, node, access, false);
    case "read-bypass":
      return openForOnce(context, node, access, access === OPEN_READ);
    case "current":
    case "invalid":
      return NFS4ERR_BAD_STATEID;
    case null: {
      const open = openStateFor(context, node, resolved);
      if (typeof open === "number") return open;
      if ((open.access & access) !== access) return NFS4ERR_OPENMODE;
      return (access === OPEN_READ ? open.files.holdForReading() : open.files.holdForWriting()) ?? NFS4ERR_OPENMODE;
    }
  }
}

/** The open that a stateid stands for, directly or through a lock; renews a 4.0 client's lease. */
export function openStateFor(context: CompoundContext, node: NodeReference, stateid: stateid4): OpenState | nfsstat4 {
  const { states } = context.services;
  const state = states.find(stateid, context.client);
  if (typeof state === "number") return state;
  if (state.file.key !== node.key) return NFS4ERR_BAD_STATEID;
  const open = state.kind === "open" ? state : state.open;
  const { client } = open.owner;
  if (context.minorVersion === 0) {
    // What an OPEN that was never confirmed gave cannot be used (RFC 7530 §9.1.11).
    if (!open.owner.sequence?.confirmed) return NFS4ERR_BAD_STATEID;
    context.renew(client);
  }
  return open;
}

function openForOnce(
  context: CompoundContext,
  node: NodeReference,
  access: OpenAccess,
  bypass: boolean,
): Awaitable<FileReference | nfsstat4> {
  const { clients, grace, states } = context.services;
  if (grace.active) return NFS4ERR_GRACE;
  const denied = (): boolean => !bypass && states.shareConflict(node, access, 0);
  if (denied()) {
    // Clients whose leases have run out give way.
    clients.expireForConflict(states.expiredHolders(node));
    if (denied()) return NFS4ERR_LOCKED;
  }
  const { fileSystem } = node.export;
  const caller = context.caller(node.export);
  return onAnswer(fileSystem.getattr(node.node, caller), ({ type }): Awaitable<FileReference | nfsstat4> => {
    if (type !== "file") return statusOfWrongType(context, type);
    return onAnswer(fileSystem.open?.(node.node, access, caller) ?? node.node, (opened) => {
      const file = new FileReference(fileSystem, opened, access);
      // Somebody may have come and denied it meanwhile.
      if (!denied()) return file;
      file.release();
      return NFS4ERR_LOCKED;
    });
  });
}

/** As `status`, for operations that have one answer for everything but regular files (SETATTR of a size since 4.1, RFC 7862 §15.1.3, §15.4.3, §15.11.3). */
export function wrongTypeFor(status: nfsstat4): nfsstat4 {
  return status === NFS4ERR_ISDIR || status === NFS4ERR_SYMLINK ? NFS4ERR_WRONG_TYPE : status;
}

/** What an operation on a regular file answers for something else (RFC 8881 §18.22.4; 4.0 has no WRONG_TYPE). */
export function statusOfWrongType(context: CompoundContext, type: string): nfsstat4 {
  if (type === "directory") return NFS4ERR_ISDIR;
  if (context.minorVersion === 0) return NFS4ERR_INVAL;
  return type === "symlink" ? NFS4ERR_SYMLINK : NFS4ERR_WRONG_TYPE;
}
