import { NFS4ERR_EXPIRED, NFS4ERR_STALE_CLIENTID, type nfsstat4 } from "@nfs4/protocol";
import type { Uint64Pair } from "@xdr-ts/xdr";
import type { CompoundContext } from "../compound/context.ts";
import type { Client } from "../state/client.ts";

/** The 4.0 client that an operation names, whose lease goes on with that (RFC 7530 §9.5); or why there is none. */
export function client40(context: CompoundContext, id: Uint64Pair): Client | nfsstat4 {
  const { clients } = context.services;
  const client = clients.find(id);
  // A 4.1 client's id means nothing here, nor does one that was never confirmed.
  if (client?.identity.generation !== "4.0" || !client.confirmed)
    return !client && clients.isOurs(id) ? NFS4ERR_EXPIRED : NFS4ERR_STALE_CLIENTID;
  context.renew(client);
  return client;
}
