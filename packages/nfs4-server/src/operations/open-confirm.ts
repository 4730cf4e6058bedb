/** OPEN_CONFIRM (RFC 7530 §16.18): 4.0's proof that an owner's OPEN was no stray retransmission. */
import {
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  OP_OPEN_CONFIRM,
  type OPEN_CONFIRM4args,
  type OPEN_CONFIRM4res,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { inSequence } from "../state/sequenced.ts";

export const openConfirm: Handler<OPEN_CONFIRM4args, OPEN_CONFIRM4res> = (context, { open_stateid, seqid }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { clients, states } = context.services;
  const owner = states.ownerOfOpen(open_stateid, context.client);
  if (typeof owner === "number") return owner;
  return inSequence(context, { sequence: owner.sequence, seqid, operation: OP_OPEN_CONFIRM }, () => {
    const state = states.find(open_stateid, null);
    if (typeof state === "number") return state;
    if (state.kind !== "open" || state.file.key !== current.key || !owner.sequence || owner.sequence.confirmed)
      return NFS4ERR_BAD_STATEID;
    owner.sequence.confirmed = true;
    clients.renew(owner.client);
    states.bump(state);
    return { status: NFS4_OK, resok4: { open_stateid: states.stateid(state) } };
  });
};
