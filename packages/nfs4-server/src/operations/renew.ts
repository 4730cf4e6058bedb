/** RENEW (RFC 7530 §16.29): 4.0's sign of life. */
import { NFS4_OK, NFS4ERR_EXPIRED, NFS4ERR_STALE_CLIENTID, type RENEW4args } from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";

export const renew: Handler<RENEW4args, never> = (context, { clientid }) => {
  const { clients } = context.services;
  const client = clients.find(clientid);
  if (!client?.confirmed) return !client && clients.isOurs(clientid) ? NFS4ERR_EXPIRED : NFS4ERR_STALE_CLIENTID;
  context.renew(client);
  return NFS4_OK;
};
