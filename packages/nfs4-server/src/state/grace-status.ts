import { NFS4_OK, NFS4ERR_GRACE, NFS4ERR_NO_GRACE, type nfsstat4 } from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import type { Client } from "./client.ts";

/** What the grace period, or its absence, has against an OPEN or LOCK (RFC 8881 §8.4.2.1, §9.6.3.1). */
export function graceStatus(context: CompoundContext, client: Client, reclaim: boolean): nfsstat4 {
  const { grace } = context.services;
  if (!reclaim) {
    // Since 4.1 nothing new before the client has said that it reclaims no more, be there a grace period or not.
    if (context.minorVersion > 0 && !client.reclaimComplete) return NFS4ERR_GRACE;
    return grace.active ? NFS4ERR_GRACE : NFS4_OK;
  }
  if (client.reclaimComplete || !grace.mayReclaim(reclaimKey(client))) return NFS4ERR_NO_GRACE;
  grace.extend();
  return NFS4_OK;
}

/** The name under which the recovery journal knows a client. */
export function reclaimKey(client: Client): string {
  return `${client.identity.generation}:${client.identity.ownerId}`;
}
