/** BIND_CONN_TO_SESSION (RFC 8881 §18.34): a further connection for a session, or the backchannel anew. */
import {
  type BIND_CONN_TO_SESSION4args,
  type BIND_CONN_TO_SESSION4res,
  CDFC4_BACK,
  CDFC4_BACK_OR_BOTH,
  CDFC4_FORE,
  CDFC4_FORE_OR_BOTH,
  CDFS4_BACK,
  CDFS4_BOTH,
  CDFS4_FORE,
  NFS4_OK,
  NFS4ERR_BADSESSION,
  NFS4ERR_INVAL,
} from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";

export const bindConnToSession: Handler<BIND_CONN_TO_SESSION4args, BIND_CONN_TO_SESSION4res> = (context, args) => {
  const { callbacks, clients } = context.services;
  const session = clients.findSession(args.bctsa_sessid);
  if (!session) return NFS4ERR_BADSESSION;
  const { connection } = context.call;
  const fore = session.foreConnections.has(connection);
  const back = session.backConnections.has(connection);
  const direction = directionFor(args.bctsa_dir);
  // A connection that belongs to it may gain a channel, but not lose one (RFC 8881 §18.34.3).
  if (direction === null || (fore && !(direction & CDFS4_FORE)) || (back && !(direction & CDFS4_BACK)))
    return NFS4ERR_INVAL;
  if (direction & CDFS4_FORE) session.foreConnections.add(connection);
  if (direction & CDFS4_BACK) {
    session.backConnections.add(connection);
    session.wantsBackchannel = true;
  }
  callbacks.bound(session, connection);
  return {
    bctsr_status: NFS4_OK,
    bctsr_resok4: { bctsr_sessid: session.id, bctsr_dir: direction, bctsr_use_conn_in_rdma_mode: false },
  };
};

function directionFor(
  asked: BIND_CONN_TO_SESSION4args["bctsa_dir"],
): typeof CDFS4_FORE | typeof CDFS4_BACK | typeof CDFS4_BOTH | null {
  switch (asked) {
    case CDFC4_FORE:
      return CDFS4_FORE;
    case CDFC4_BACK:
      return CDFS4_BACK;
    case CDFC4_FORE_OR_BOTH:
    case CDFC4_BACK_OR_BOTH:
      return CDFS4_BOTH;
    default:
      return null;
  }
}
