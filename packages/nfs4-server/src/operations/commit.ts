/** COMMIT (RFC 8881 §18.3): on stable storage, or the verifier changes and every client writes again. */

import type { nfsstat4 } from "@nfs4/protocol";
import { type COMMIT4args, type COMMIT4res, NFS4_OK } from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import { needCurrent } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable } from "../filesystem/types.ts";
import { OPEN_WRITE } from "../filesystem/types.ts";
import { statusOfWrongType } from "../state/io-file.ts";
import { FileReference } from "../state/open-files.ts";

export const commit: Handler<COMMIT4args, COMMIT4res> = (context, { offset, count }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { writeVerifier } = context.services;
  const { fileSystem } = current.export;
  const caller = context.caller(current.export);
  return whenReady(openedForWriting(context, current), (file) => {
    if (typeof file === "number") return file;
    // Nobody has written here.
    if (file === null) return { status: NFS4_OK, resok4: { writeverf: writeVerifier.bytes.slice() } };
    const failed = (): void => {
      file.release();
      writeVerifier.change();
    };
    context.onFailure(failed);
    return whenReady(fileSystem.commit?.(file.file, offset, count, caller), (answer) => {
      context.settled(failed);
      if (isErrno(answer)) {
        failed();
        return statusOfErrno(answer);
      }
      file.release();
      // As it is now: should another sync have failed meanwhile, it may have been about this data, and told only there.
      return { status: NFS4_OK, resok4: { writeverf: writeVerifier.bytes.slice() } };
    });
  });
};

/** COMMIT has no stateid: any open of the file will do; without one the file is opened by the caller. Null on a read-only export. */
function openedForWriting(context: CompoundContext, node: NodeReference): Awaitable<FileReference | null | nfsstat4> {
  for (const open of context.services.states.file(node.key)?.opens ?? []) {
    const held = open.files.holdForWriting();
    if (held) return held;
  }
  const { fileSystem } = node.export;
  const caller = context.caller(node.export);
  return onAnswer(fileSystem.getattr(node.node, caller), ({ type }): Awaitable<FileReference | null | nfsstat4> => {
    if (type !== "file") return statusOfWrongType(context, type);
    if (node.export.readOnly) return null;
    if (!fileSystem.open) return new FileReference(fileSystem, node.node, OPEN_WRITE);
    return onAnswer(
      fileSystem.open(node.node, OPEN_WRITE, caller),
      (file) => new FileReference(fileSystem, file, OPEN_WRITE),
    );
  });
}
