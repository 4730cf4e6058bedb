/** RENEW (RFC 7530 §16.29): 4.0's sign of life. */
import { NFS4_OK, type RENEW4args } from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";
import { client40 } from "./client40.ts";

export const renew: Handler<RENEW4args, never> = (context, { clientid }) => {
  const client = client40(context, clientid);
  return typeof client === "number" ? client : NFS4_OK;
};
