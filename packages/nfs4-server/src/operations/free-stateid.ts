/** FREE_STATEID (RFC 8881 §18.38): lock stateids without locks, and what was revoked. */
import {
  type FREE_STATEID4args,
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_LOCKS_HELD,
  NFS4ERR_OP_NOT_IN_SESSION,
} from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";

export const freeStateid: Handler<FREE_STATEID4args, never> = (context, { fsa_stateid }) => {
  const { client, services } = context;
  if (!client) return NFS4ERR_OP_NOT_IN_SESSION;
  const stateid = context.resolveStateid(fsa_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const state = services.states.find(stateid, client);
  if (typeof state === "number") return state;
  if (state.kind !== "lock" || state.file.locks.hasLocks(state.owner)) return NFS4ERR_LOCKS_HELD;
  services.states.endLock(state);
  return NFS4_OK;
};
