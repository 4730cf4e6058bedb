/** SEQUENCE (RFC 8881 §18.46): admits a request to its slot. The engine lets it run only at the start of a COMPOUND. */
import {
  NFS4_OK,
  NFS4ERR_BADSESSION,
  NFS4ERR_REP_TOO_BIG,
  NFS4ERR_REP_TOO_BIG_TO_CACHE,
  NFS4ERR_REQ_TOO_BIG,
  NFS4ERR_TOO_MANY_OPS,
  SEQ4_STATUS_CB_PATH_DOWN,
  SEQ4_STATUS_CB_PATH_DOWN_SESSION,
  type SEQUENCE4args,
  type SEQUENCE4res,
} from "@nfs4/protocol";
import { requestFingerprint } from "../compound/fingerprint.ts";
import type { Handler } from "../compound/handler.ts";
import type { Client } from "../state/client.ts";
import type { Session } from "../state/session.ts";

/** Of SEQUENCE4resok. */
const RESULT_BYTES = 16 + 5 * 4;

export const sequence: Handler<SEQUENCE4args, SEQUENCE4res> = (context, args) => {
  const { callbacks, clients } = context.services;
  const session = clients.findSession(args.sa_sessionid);
  if (!session) return NFS4ERR_BADSESSION;
  const { call, operationCount } = context;
  // An error of SEQUENCE leaves slot and lease as they are (RFC 8881 §18.46.3), so these come first.
  if (call.messageLength > session.fore.ca_maxrequestsize) return NFS4ERR_REQ_TOO_BIG;
  if (operationCount > session.fore.ca_maxoperations) return NFS4ERR_TOO_MANY_OPS;
  const replySize = context.replied + RESULT_BYTES;
  if (replySize > session.fore.ca_maxresponsesize) return NFS4ERR_REP_TOO_BIG;
  if (args.sa_cachethis && replySize > session.fore.ca_maxresponsesize_cached) return NFS4ERR_REP_TOO_BIG_TO_CACHE;
  const fingerprint = requestFingerprint(call.argsBytes, call.credential);
  const verdict = session.slots.admit(args.sa_slotid, args.sa_sequenceid, args.sa_highest_slotid, fingerprint);
  if (verdict.kind === "error") return verdict.status;
  const { connection } = call;
  // Without state protection any connection that shows the session's name is bound by that (RFC 8881 §2.10.3.1).
  if (!session.foreConnections.has(connection)) {
    session.foreConnections.add(connection);
    callbacks.bound(session, connection);
  }
  clients.renew(session.client);
  switch (verdict.kind) {
    case "replay":
      context.replay = verdict.reply;
      return NFS4_OK;
    case "uncached":
      context.uncachedRetry = true;
      break;
    case "new":
      context.session = session;
      context.client = session.client;
      context.slot = verdict.slot;
      context.cacheThis = args.sa_cachethis;
      break;
  }
  if (session.unproven.size > 0) callbacks.inUse(session);
  return {
    sr_status: NFS4_OK,
    sr_resok4: {
      sr_sessionid: session.id,
      sr_sequenceid: args.sa_sequenceid,
      sr_slotid: args.sa_slotid,
      sr_highest_slotid: session.slots.highest,
      sr_target_highest_slotid: session.slots.highest,
      sr_status_flags: statusFlags(session, session.client),
    },
  };
};

function statusFlags(session: Session, client: Client): number {
  let flags = 0;
  if (session.backConnections.size === 0 && session.wantsBackchannel) {
    flags |= SEQ4_STATUS_CB_PATH_DOWN_SESSION;
    if (![...client.sessions].some((other) => other.backConnections.size > 0)) flags |= SEQ4_STATUS_CB_PATH_DOWN;
  }
  return flags;
}
