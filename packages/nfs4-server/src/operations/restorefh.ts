/** RESTOREFH (RFC 8881 §18.27). */
import { NFS4_OK, NFS4ERR_NOFILEHANDLE, NFS4ERR_RESTOREFH } from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";

export const restorefh: Handler<unknown, never> = (context) => {
  // 4.0 has a status of its own for it (RFC 7530 §16.28.4).
  if (!context.saved) return context.minorVersion === 0 ? NFS4ERR_RESTOREFH : NFS4ERR_NOFILEHANDLE;
  context.current = context.saved;
  context.currentStateid = context.savedStateid;
  return NFS4_OK;
};
