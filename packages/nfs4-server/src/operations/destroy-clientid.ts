/** DESTROY_CLIENTID (RFC 8881 §18.50): only a client without sessions and state. */
import {
  type DESTROY_CLIENTID4args,
  NFS4_OK,
  NFS4ERR_CLIENTID_BUSY,
  NFS4ERR_STALE_CLIENTID,
  type nfsstat4,
} from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";

export function destroyClientid(context: CompoundContext, { dca_clientid }: DESTROY_CLIENTID4args): nfsstat4 {
  const { clients } = context.services;
  const client = clients.find(dca_clientid);
  if (client?.identity.generation !== "4.1") return NFS4ERR_STALE_CLIENTID;
  if (client.hasState) return NFS4ERR_CLIENTID_BUSY;
  clients.remove(client, "destroyed");
  return NFS4_OK;
}
