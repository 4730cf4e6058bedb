/** DESTROY_SESSION (RFC 8881 §18.37). */
import {
  type DESTROY_SESSION4args,
  NFS4_OK,
  NFS4ERR_BADSESSION,
  NFS4ERR_CONN_NOT_BOUND_TO_SESSION,
  NFS4ERR_DELAY,
  NFS4ERR_NOT_ONLY_OP,
} from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";

export const destroySession: Handler<DESTROY_SESSION4args, never> = (context, { dsa_sessionid }) => {
  const { clients } = context.services;
  const session = clients.findSession(dsa_sessionid);
  if (!session) return NFS4ERR_BADSESSION;
  if (!session.foreConnections.has(context.call.connection)) return NFS4ERR_CONN_NOT_BOUND_TO_SESSION;
  // What would come behind it had no session any more (RFC 8881 §18.37.3).
  if (context.session === session && context.index + 1 < context.operationCount) return NFS4ERR_NOT_ONLY_OP;
  // Its own SEQUENCE, if the COMPOUND began with one, is the only request that may run in it.
  const own = context.session === session ? context.slot : null;
  if (session.slots.busyBeside(own)) return NFS4ERR_DELAY;
  clients.removeSession(session);
  return NFS4_OK;
};
