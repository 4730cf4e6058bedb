/** RENAME (RFC 8881 §18.26): from the saved directory to the current one. */
import {
  NFS4_OK,
  NFS4ERR_EXIST,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_NOTDIR,
  NFS4ERR_ROFS,
  NFS4ERR_XDEV,
  type nfsstat4,
  type RENAME4args,
  type RENAME4res,
} from "@nfs4/protocol";
import { type CompoundContext, needWritable } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable } from "../filesystem/types.ts";

export const rename: Handler<RENAME4args, RENAME4res> = (context, { oldname, newname }) => {
  const to = needWritable(context);
  if (typeof to === "number") return to;
  const from = context.saved;
  if (!from) return NFS4ERR_NOFILEHANDLE;
  if (from.export !== to.export) return NFS4ERR_XDEV;
  const fromName = nameOf(oldname, from.export);
  if (typeof fromName === "number") return fromName;
  const toName = nameOf(newname, to.export);
  if (typeof toName === "number") return toName;
  const { fileSystem } = to.export;
  const caller = context.caller(to.export);
  return context.services.queue.runBoth(from.key, to.key, () => {
    if (!fileSystem.rename) return NFS4ERR_ROFS;
    const answer = fileSystem.rename(from.node, fromName, to.node, toName, caller);
    return whenReady(answer, (changes): Awaitable<RENAME4res | nfsstat4> => {
      if (changes === "EISDIR" || changes === "ENOTDIR") return incompatible(context, from, to);
      if (isErrno(changes)) return statusOfErrno(changes);
      return { status: NFS4_OK, resok4: { source_cinfo: changes.from, target_cinfo: changes.to } };
    });
  });
};

/** A file in a directory's place or the other way round, or where the directories themselves should be: statuses of their own (RFC 8881 §18.26.3). */
function incompatible(context: CompoundContext, ...directories: NodeReference[]): Awaitable<nfsstat4> {
  const [first, ...others] = directories;
  if (!first) return NFS4ERR_EXIST;
  const { fileSystem } = first.export;
  return onAnswer(fileSystem.getattr(first.node, context.caller(first.export)), ({ type }) =>
    type === "directory" ? incompatible(context, ...others) : NFS4ERR_NOTDIR,
  );
}
