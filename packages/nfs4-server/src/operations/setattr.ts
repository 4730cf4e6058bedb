/** SETATTR (RFC 8881 §18.30). Its result has the set attributes also when it fails. */
import {
  FATTR4_SIZE,
  hasBit,
  NFS4_OK,
  NFS4ERR_ROFS,
  type nfsstat4,
  type SETATTR4args,
  type SETATTR4res,
} from "@nfs4/protocol";
import { type RequestedChanges, requestedChanges } from "../attributes/changes.ts";
import { type CompoundContext, needWritable } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { after, whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import { type AttributeChanges, type Awaitable, OPEN_WRITE, type Result } from "../filesystem/types.ts";
import { fileForIo, wrongTypeFor } from "../state/io-file.ts";
import type { FileReference } from "../state/open-files.ts";
import { specialStateid } from "../state/stateid.ts";

const asItIs = (status: nfsstat4): nfsstat4 => status;

export const setattr: Handler<SETATTR4args, SETATTR4res> = (context, args) => {
  const current = needWritable(context);
  if (typeof current === "number") return current;
  const requested = requestedChanges(args.obj_attributes, context.minorVersion, false);
  if (typeof requested === "number") return requested;
  const failed = context.minorVersion === 0 ? asItIs : wrongTypeFor;
  return whenReady(fileForTruncation(context, current, args), (file) => {
    if (typeof file === "number") return failed(file);
    const release = (): void => file?.release();
    context.onFailure(release);
    const answer = change(context, current, requested, file?.file);
    return whenReady(answer, (done): SETATTR4res | nfsstat4 => {
      context.settled(release);
      release();
      return isErrno(done) ? failed(statusOfErrno(done)) : { status: NFS4_OK, attrsset: requested.set as number[] };
    });
  });
};

function change(
  context: CompoundContext,
  { export: exported, node, key }: NodeReference,
  { changes, modeBits }: RequestedChanges,
  file: unknown,
): Awaitable<Result<void>> {
  const { fileSystem } = exported;
  const caller = context.caller(exported);
  const set = (all: AttributeChanges): Awaitable<Result<void>> =>
    fileSystem.setattr ? fileSystem.setattr(node, all, caller, file) : "EROFS";
  if (!modeBits) return set(changes);
  const { bits, mask } = modeBits;
  // Two of these at once must not undo each other.
  return context.services.queue.run(key, () =>
    after(fileSystem.getattr(node, caller), ({ mode }) => set({ ...changes, mode: (mode & ~mask) | (bits & mask) })),
  );
}

/**
 * The open file by which a size is set, or null where permission is decided by the mode. Without a size the stateid means nothing: some clients send
 * uninitialised ones.
 */
function fileForTruncation(
  context: CompoundContext,
  node: NodeReference,
  { obj_attributes, stateid }: SETATTR4args,
): Awaitable<FileReference | null | nfsstat4> {
  if (!hasBit(obj_attributes.attrmask, FATTR4_SIZE)) return null;
  if (!node.export.fileSystem.setattr) return NFS4ERR_ROFS;
  const { grace, states } = context.services;
  const resolved = context.resolveStateid(stateid);
  const kind = resolved && specialStateid(resolved);
  const byMode = kind === "anonymous" || kind === "read-bypass";
  if (byMode && !grace.active && !states.shareConflict(node, OPEN_WRITE, 0)) return null;
  return fileForIo(context, node, stateid, OPEN_WRITE);
}
