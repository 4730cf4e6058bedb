/** RELEASE_LOCKOWNER (RFC 7530 §16.37): 4.0 only. */
import { NFS4_OK, NFS4ERR_LOCKS_HELD, type RELEASE_LOCKOWNER4args } from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";
import { latin1 } from "../latin1.ts";
import { client40 } from "./client40.ts";

export const releaseLockowner: Handler<RELEASE_LOCKOWNER4args, never> = (context, { lock_owner }) => {
  const { states } = context.services;
  const client = client40(context, lock_owner.clientid);
  if (typeof client === "number") return client;
  const owner = client.lockOwners.get(latin1(lock_owner.owner));
  if (!owner) return NFS4_OK;
  for (const state of owner.locks.values()) if (state.file.locks.hasLocks(owner)) return NFS4ERR_LOCKS_HELD;
  for (const state of [...owner.locks.values()]) states.endLock(state);
  client.lockOwners.delete(owner.name);
  return NFS4_OK;
};
