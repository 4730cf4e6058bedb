/** REMOVE (RFC 8881 §18.25): a name of a file or of an empty directory. */
import { NFS4_OK, NFS4ERR_ROFS, type REMOVE4args, type REMOVE4res } from "@nfs4/protocol";
import { needWritable } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";

export const remove: Handler<REMOVE4args, REMOVE4res> = (context, { target }) => {
  const directory = needWritable(context);
  if (typeof directory === "number") return directory;
  const name = nameOf(target, directory.export);
  if (typeof name === "number") return name;
  const { fileSystem } = directory.export;
  const caller = context.caller(directory.export);
  return context.services.queue.run(directory.key, () => {
    if (!fileSystem.remove) return NFS4ERR_ROFS;
    return onAnswer(
      fileSystem.remove(directory.node, name, caller),
      (cinfo): REMOVE4res => ({ status: NFS4_OK, resok4: { cinfo } }),
    );
  });
};
