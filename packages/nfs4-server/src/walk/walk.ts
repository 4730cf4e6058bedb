/** Walking from node to node, across the joints between the pseudo file system and the exports. */
import {
  NFS4ERR_ACCESS,
  NFS4ERR_BADHANDLE,
  NFS4ERR_NOENT,
  NFS4ERR_NOTDIR,
  NFS4ERR_STALE,
  NFS4ERR_SYMLINK,
  type nfsstat4,
} from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Export } from "../exports/export.ts";
import { PseudoDirectory } from "../exports/pseudo-file-system.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable } from "../filesystem/types.ts";

function mayUse(context: CompoundContext, exported: Export): boolean {
  return exported.clients.matches(context.peerAddress);
}

/** A pseudo directory, or the root of the export that stands there. */
function intoPseudo(context: CompoundContext, directory: PseudoDirectory): Awaitable<NodeReference | nfsstat4> {
  const { exports } = context.services;
  const exported = exports.throughMount(directory);
  if (!exported) return exports.reference(exports.pseudo, directory);
  if (!mayUse(context, exported)) return NFS4ERR_ACCESS;
  return onAnswer(exported.fileSystem.root(), (node) => exports.reference(exported, node));
}

/** PUTROOTFH: the top of everything. */
export function rootOf(context: CompoundContext): Awaitable<NodeReference | nfsstat4> {
  return intoPseudo(context, context.services.exports.top);
}

/** PUTFH: what a handle means. */
export function fromHandle(context: CompoundContext, handle: Uint8Array): Awaitable<NodeReference | nfsstat4> {
  const { exports, handles } = context.services;
  const decoded = handles.decode(handle);
  if (!decoded) return NFS4ERR_BADHANDLE;
  const exported = exports.byId(decoded.exportId);
  // What is not exported to this client is not there for it: PUTFH has no ACCESS (RFC 8881 §15.2).
  if (!exported || !mayUse(context, exported)) return NFS4ERR_STALE;
  return onAnswer(exported.fileSystem.resolve(decoded.key), (node) => exports.referenceTo(exported, node, handle));
}

/** LOOKUP: the node that a name means. */
export function child(
  context: CompoundContext,
  directory: NodeReference,
  name: string,
): Awaitable<NodeReference | nfsstat4> {
  const { exports } = context.services;
  const { export: exported } = directory;
  const caller = context.caller(exported);
  return whenReady(
    exported.fileSystem.lookup(directory.node, name, caller),
    (found): Awaitable<NodeReference | nfsstat4> => {
      if (found === "ENOTDIR") return notDirectory(context, directory);
      if (isErrno(found)) return statusOfErrno(found);
      if (found instanceof PseudoDirectory) return intoPseudo(context, found);
      return exports.reference(exported, found);
    },
  );
}

/** Why a node is no directory: a symbolic link has a status of its own (RFC 8881 §18.13.3). */
export function notDirectory(context: CompoundContext, node: NodeReference): Awaitable<nfsstat4> {
  const attributes = node.export.fileSystem.getattr(node.node, context.caller(node.export));
  return whenReady(
    attributes,
    (its): nfsstat4 => (!isErrno(its) && its.type === "symlink" ? NFS4ERR_SYMLINK : NFS4ERR_NOTDIR),
  );
}

/** LOOKUPP: the directory above, out of an export too; NOENT above the top. */
export function above(context: CompoundContext, directory: NodeReference): Awaitable<NodeReference | nfsstat4> {
  const { exports } = context.services;
  const { export: exported, node } = directory;
  if (node instanceof PseudoDirectory) return node.parent ? intoPseudo(context, node.parent) : NFS4ERR_NOENT;
  return onAnswer(exported.fileSystem.root(), (root) => {
    if (exports.reference(exported, root).key === directory.key) {
      const parent = exports.mountPoint(exported)?.parent;
      return parent ? intoPseudo(context, parent) : NFS4ERR_NOENT;
    }
    return whenReady(
      exported.fileSystem.parent(node, context.caller(exported)),
      (found): Awaitable<NodeReference | nfsstat4> => {
        if (found === "ENOTDIR") return notDirectory(context, directory);
        return isErrno(found) ? statusOfErrno(found) : exports.reference(exported, found);
      },
    );
  });
}
