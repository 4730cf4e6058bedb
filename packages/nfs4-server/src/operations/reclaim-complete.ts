/** RECLAIM_COMPLETE (RFC 8881 §18.51): the client takes back nothing more. */
import {
  NFS4_OK,
  NFS4ERR_COMPLETE_ALREADY,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_OP_NOT_IN_SESSION,
  type nfsstat4,
  type RECLAIM_COMPLETE4args,
} from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import { whenReady } from "../filesystem/chain.ts";
import type { Awaitable } from "../filesystem/types.ts";
import { reclaimKey } from "../state/grace-status.ts";

export function reclaimComplete(context: CompoundContext, { rca_one_fs }: RECLAIM_COMPLETE4args): Awaitable<nfsstat4> {
  const { client, services } = context;
  if (!client) return NFS4ERR_OP_NOT_IN_SESSION;
  // For one file system: that is about migration, and there is none here.
  if (rca_one_fs) return context.current ? NFS4_OK : NFS4ERR_NOFILEHANDLE;
  if (client.reclaimComplete) return NFS4ERR_COMPLETE_ALREADY;
  client.reclaimComplete = true;
  services.grace.complete(reclaimKey(client));
  if (client.states.size === 0) return NFS4_OK;
  // If grace was over before, what it did take back was not on record any more. It may say so again if that cannot be written.
  const undo = (): void => {
    client.reclaimComplete = false;
  };
  context.onFailure(undo);
  return whenReady(services.journal.remember(client), () => {
    context.settled(undo);
    return NFS4_OK;
  });
}
