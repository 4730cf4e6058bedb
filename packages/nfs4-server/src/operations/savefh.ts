/** SAVEFH (RFC 8881 §18.29): filehandle and stateid are saved together. */
import { NFS4_OK } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";

export const savefh: Handler<unknown, never> = (context) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  context.saved = current;
  context.savedStateid = context.currentStateid;
  return NFS4_OK;
};
