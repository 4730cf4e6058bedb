/** CLOSE (RFC 8881 §18.2). */
import { type CLOSE4args, type CLOSE4res, NFS4_OK, NFS4ERR_BAD_STATEID, OP_CLOSE } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { inSequence } from "../state/sequenced.ts";

/** What CLOSE returns since 4.1: a stateid that can never be used (RFC 8881 §18.2.4). */
const CLOSED = { seqid: 0xffff_ffff, other: new Uint8Array(12) };

export const close: Handler<CLOSE4args, CLOSE4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { clients, states } = context.services;
  const stateid = context.resolveStateid(args.open_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const owner = states.ownerOfOpen(stateid, context.client);
  if (typeof owner === "number") return owner;
  return inSequence(context, { sequence: owner.sequence, seqid: args.seqid, operation: OP_CLOSE }, () => {
    const state = states.find(stateid, context.client);
    if (typeof state === "number") return state;
    if (state.kind !== "open" || state.file.key !== current.key) return NFS4ERR_BAD_STATEID;
    const status = states.close(state);
    if (status !== NFS4_OK) return status;
    if (context.minorVersion === 0) clients.renew(owner.client);
    const closed = context.minorVersion === 0 ? { seqid: (state.seqid + 1) >>> 0, other: state.other } : CLOSED;
    context.currentStateid = null;
    return { status: NFS4_OK, open_stateid: closed };
  });
};
