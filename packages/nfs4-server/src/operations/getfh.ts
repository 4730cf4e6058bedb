/** GETFH (RFC 8881 §18.8). */
import { type GETFH4res, NFS4_OK } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";

export const getfh: Handler<unknown, GETFH4res> = (context) => {
  const current = needCurrent(context);
  return typeof current === "number" ? current : { status: NFS4_OK, resok4: { object: current.handle } };
};
