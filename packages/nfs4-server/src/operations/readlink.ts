/** READLINK (RFC 8881 §18.24). */
import { encodeName, NFS4_OK, NFS4ERR_INVAL, type READLINK4res } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";

export const readlink: Handler<unknown, READLINK4res> = (context) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { fileSystem } = current.export;
  if (!fileSystem.readlink) return NFS4ERR_INVAL;
  return onAnswer(
    fileSystem.readlink(current.node, context.caller(current.export)),
    ({ target }): READLINK4res => ({
      status: NFS4_OK,
      resok4: { link: encodeName(target) },
    }),
  );
};
