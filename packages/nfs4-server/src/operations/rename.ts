/** RENAME (RFC 8881 §18.26): from the saved directory to the current one. */
import {
  NFS4_OK,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_ROFS,
  NFS4ERR_XDEV,
  type RENAME4args,
  type RENAME4res,
} from "@nfs4/protocol";
import { needWritable } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";

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
    return onAnswer(
      fileSystem.rename(from.node, fromName, to.node, toName, caller),
      (changes): RENAME4res => ({
        status: NFS4_OK,
        resok4: { source_cinfo: changes.from, target_cinfo: changes.to },
      }),
    );
  });
};
