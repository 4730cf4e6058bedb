/** OPEN_DOWNGRADE (RFC 8881 §18.18). */
import {
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_INVAL,
  OP_OPEN_DOWNGRADE,
  type OPEN_DOWNGRADE4args,
  type OPEN_DOWNGRADE4res,
  OPEN4_SHARE_ACCESS_WANT_DELEG_MASK,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { inSequence } from "../state/sequenced.ts";
import type { ShareBits } from "../state/share-reservations.ts";

export const openDowngrade: Handler<OPEN_DOWNGRADE4args, OPEN_DOWNGRADE4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { clients, states } = context.services;
  const stateid = context.resolveStateid(args.open_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const owner = states.ownerOfOpen(stateid, context.client);
  if (typeof owner === "number") return owner;
  return inSequence(context, { sequence: owner.sequence, seqid: args.seqid, operation: OP_OPEN_DOWNGRADE }, () => {
    const state = states.find(stateid, context.client);
    if (typeof state === "number") return state;
    if (state.kind !== "open" || state.file.key !== current.key) return NFS4ERR_BAD_STATEID;
    const access =
      context.minorVersion === 0 ? args.share_access : args.share_access & ~OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
    if (access > 3 || args.share_deny > 3) return NFS4ERR_INVAL;
    const status = states.downgrade(state, access as ShareBits, args.share_deny as ShareBits);
    if (status !== NFS4_OK) return status;
    if (context.minorVersion === 0) clients.renew(owner.client);
    return { status: NFS4_OK, resok4: { open_stateid: context.returnStateid(states.stateid(state)) } };
  });
};
