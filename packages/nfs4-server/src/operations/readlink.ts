/** READLINK (RFC 8881 §18.24). */
import {
  encodeName,
  NFS4_OK,
  NFS4ERR_INVAL,
  NFS4ERR_WRONG_TYPE,
  type nfsstat4,
  type READLINK4res,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";

export const readlink: Handler<unknown, READLINK4res> = (context) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { fileSystem } = current.export;
  const answer = fileSystem.readlink?.(current.node, context.caller(current.export)) ?? "EINVAL";
  return whenReady(answer, (link): READLINK4res | nfsstat4 => {
    // No symbolic link: 4.0 has no better status for it (RFC 7530 §16.25.4).
    if (link === "EINVAL") return context.minorVersion === 0 ? NFS4ERR_INVAL : NFS4ERR_WRONG_TYPE;
    if (isErrno(link)) return statusOfErrno(link);
    return { status: NFS4_OK, resok4: { link: encodeName(link.target) } };
  });
};
