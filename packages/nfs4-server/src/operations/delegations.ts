/** DELEGRETURN (RFC 8881 §18.6) and DELEGPURGE (§18.5) of a server that gives no delegations: every delegation stateid is a bad one. */
import {
  type DELEGPURGE4args,
  type DELEGRETURN4args,
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_STALE_CLIENTID,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { client40 } from "./client40.ts";

export const delegreturn: Handler<DELEGRETURN4args, never> = (context, { deleg_stateid }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const state = context.services.states.find(deleg_stateid, context.client);
  return typeof state === "number" ? state : NFS4ERR_BAD_STATEID;
};

/** Of the delegations of the client's last incarnation none is left to be purged. 4.1: the client is the session's. */
export const delegpurge: Handler<DELEGPURGE4args, never> = (context, { clientid }) => {
  const client = context.client ?? client40(context, clientid);
  // It has no EXPIRED (RFC 7530 §13.2).
  return typeof client === "number" ? NFS4ERR_STALE_CLIENTID : NFS4_OK;
};
