/** LINK (RFC 8881 §18.9): the saved node gets a further name in the current directory. */
import {
  type LINK4args,
  type LINK4res,
  NFS4_OK,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_ROFS,
  NFS4ERR_XDEV,
} from "@nfs4/protocol";
import { needWritable } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";

export const link: Handler<LINK4args, LINK4res> = (context, { newname }) => {
  const directory = needWritable(context);
  if (typeof directory === "number") return directory;
  const source = context.saved;
  if (!source) return NFS4ERR_NOFILEHANDLE;
  if (source.export !== directory.export) return NFS4ERR_XDEV;
  const name = nameOf(newname, directory.export);
  if (typeof name === "number") return name;
  const { fileSystem } = directory.export;
  const caller = context.caller(directory.export);
  return context.services.queue.run(directory.key, () => {
    if (!fileSystem.link) return NFS4ERR_ROFS;
    return onAnswer(
      fileSystem.link(source.node, directory.node, name, caller),
      (cinfo): LINK4res => ({ status: NFS4_OK, resok4: { cinfo } }),
    );
  });
};
