/** DELEGRETURN (RFC 8881 §18.6) and DELEGPURGE (§18.5) of a server that gives no delegations: every delegation stateid is a bad one. */
import { type DELEGRETURN4args, NFS4ERR_BAD_STATEID, NFS4ERR_NOTSUPP } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";

export const delegreturn: Handler<DELEGRETURN4args, never> = (context, { deleg_stateid }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const state = context.services.states.find(deleg_stateid, context.client);
  return typeof state === "number" ? state : NFS4ERR_BAD_STATEID;
};

/** Goes with CLAIM_DELEGATE_PREV, which is not offered: then it must not be either (RFC 8881 §18.5.3). */
export const delegpurge: Handler<unknown, never> = () => NFS4ERR_NOTSUPP;
