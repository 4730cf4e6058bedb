/** CREATE_SESSION (RFC 8881 §18.36): confirms a client and gives it slots. */
import {
  CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
  CREATE_SESSION4_FLAG_CONN_RDMA,
  CREATE_SESSION4_FLAG_PERSIST,
  type CREATE_SESSION4args,
  type CREATE_SESSION4res,
  type channel_attrs4,
  NFS4_OK,
  NFS4ERR_CLID_INUSE,
  NFS4ERR_DELAY,
  NFS4ERR_INVAL,
  NFS4ERR_NOENT,
  NFS4ERR_NOSPC,
  NFS4ERR_SEQ_MISORDERED,
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_TOOSMALL,
  type nfsstat4,
} from "@nfs4/protocol";
import { principalOf } from "../compound/caller.ts";
import type { CompoundContext } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import type { ServerLimits } from "../limits.ts";
import { BackchannelSlots } from "../state/backchannel-slots.ts";
import { credentialFor } from "../state/callback-credential.ts";
import type { Client } from "../state/client.ts";
import { Session } from "../state/session.ts";
import { KEPT_UNASKED } from "../state/slot-table.ts";

const KNOWN_FLAGS = CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN | CREATE_SESSION4_FLAG_CONN_RDMA;
/** SEQUENCE and one small operation must fit, each way. */
const SMALLEST_MESSAGE = 512;
const SMALLEST_CALLBACK_REPLY = 256;
const MAX_BACKCHANNEL_SLOTS = 16;

/** Finds the client and minds its sequence of CREATE_SESSIONs: a retry gets the last answer, whatever it was (RFC 8881 §18.36.4). */
export const createSession: Handler<CREATE_SESSION4args, CREATE_SESSION4res> = (context, args) => {
  const client = context.services.clients.find(args.csa_clientid);
  if (client?.identity.generation !== "4.1") return NFS4ERR_STALE_CLIENTID;
  if (client.createSessionReply !== null && args.csa_sequence === (client.createSessionSequence - 1) >>> 0)
    return client.createSessionReply;
  if (args.csa_sequence !== client.createSessionSequence) return NFS4ERR_SEQ_MISORDERED;
  const answer = create(context, args, client);
  if (answer === NFS4ERR_DELAY) return answer;
  client.createSessionSequence = (client.createSessionSequence + 1) >>> 0;
  client.createSessionReply = answer;
  return answer;
};

function create(context: CompoundContext, args: CREATE_SESSION4args, client: Client): CREATE_SESSION4res | nfsstat4 {
  const { callbacks, clients, limits, random } = context.services;
  if (args.csa_flags & ~KNOWN_FLAGS) return NFS4ERR_INVAL;
  // The first session confirms the client (phase 3 of §18.36.4).
  if (client.sessions.size === 0 && client.identity.principal !== principalOf(context.call.credential))
    return NFS4ERR_CLID_INUSE;
  const callbackCredential = credentialFor(args.csa_sec_parms);
  if (!callbackCredential) return NFS4ERR_NOENT;
  const asked = negotiate(args.csa_fore_chan_attrs, limits);
  if (asked.ca_maxrequestsize < SMALLEST_MESSAGE || asked.ca_maxresponsesize < SMALLEST_MESSAGE)
    return NFS4ERR_TOOSMALL;
  if (asked.ca_maxoperations < 2 || asked.ca_maxrequests < 1) return NFS4ERR_INVAL;
  const callsBack = (args.csa_flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN) !== 0;
  if (callsBack && !carriesCallbacks(args.csa_back_chan_attrs)) return NFS4ERR_TOOSMALL;
  if (client.sessions.size >= limits.maxSessionsPerClient) return NFS4ERR_NOSPC;
  const keptPerSlot = Math.max(asked.ca_maxresponsesize_cached, KEPT_UNASKED);
  const slots = clients.replyMemory.take(asked.ca_maxrequests, keptPerSlot);
  if (slots === 0) return NFS4ERR_DELAY;
  const fore = { ...asked, ca_maxrequests: slots };

  const back = {
    ...args.csa_back_chan_attrs,
    ca_maxrequests: Math.min(args.csa_back_chan_attrs.ca_maxrequests, MAX_BACKCHANNEL_SLOTS),
    ca_rdma_ird: [],
  };
  const backSlots = Math.max(1, back.ca_maxrequests);
  const session = new Session({
    client,
    id: sessionId(client.id, random.fill(new Uint8Array(8))),
    minorVersion: context.minorVersion,
    fore,
    back,
    callbackProgram: args.csa_cb_program,
    callbackCredential,
    backchannel: new BackchannelSlots(backSlots),
    wantsBackchannel: callsBack,
    replyBytes: slots * keptPerSlot,
  });
  if (!client.confirmed) {
    clients.confirm(client);
    // Without a reason to reclaim there is nothing to wait for, but the client says so itself (RECLAIM_COMPLETE).
    client.reclaimComplete = false;
  }
  clients.renew(client);
  clients.addSession(session);
  const { connection } = context.call;
  session.foreConnections.add(connection);
  if (callsBack) session.backConnections.add(connection);
  callbacks.bound(session, connection);

  return {
    csr_status: NFS4_OK,
    csr_resok4: {
      csr_sessionid: session.id,
      csr_sequence: args.csa_sequence,
      csr_flags: callsBack ? CREATE_SESSION4_FLAG_CONN_BACK_CHAN : 0,
      csr_fore_chan_attrs: fore,
      csr_back_chan_attrs: back,
    },
  };
}

/** CB_SEQUENCE and one operation must fit into a callback. */
function carriesCallbacks(back: channel_attrs4): boolean {
  const { ca_maxrequestsize, ca_maxresponsesize, ca_maxoperations, ca_maxrequests } = back;
  return (
    ca_maxrequestsize >= SMALLEST_MESSAGE &&
    ca_maxresponsesize >= SMALLEST_CALLBACK_REPLY &&
    ca_maxoperations >= 2 &&
    ca_maxrequests >= 1
  );
}

function negotiate(asked: channel_attrs4, limits: ServerLimits): channel_attrs4 {
  return {
    ca_headerpadsize: 0,
    ca_maxrequestsize: Math.min(asked.ca_maxrequestsize, limits.maxMessage),
    ca_maxresponsesize: Math.min(asked.ca_maxresponsesize, limits.maxMessage),
    ca_maxresponsesize_cached: Math.min(asked.ca_maxresponsesize_cached, limits.maxCachedReply),
    ca_maxoperations: Math.min(asked.ca_maxoperations, limits.maxOperations),
    ca_maxrequests: Math.min(asked.ca_maxrequests, limits.maxSlots),
    ca_rdma_ird: [],
  };
}

/** The clientid, by which people know it in a capture, and eight random bytes. */
function sessionId({ hi, lo }: { readonly hi: number; readonly lo: number }, secret: Uint8Array): Uint8Array {
  const id = new Uint8Array(16);
  const view = new DataView(id.buffer);
  view.setUint32(0, hi);
  view.setUint32(4, lo);
  id.set(secret, 8);
  return id;
}
