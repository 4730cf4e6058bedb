/** LOCKU (RFC 8881 §18.12). */
import { type LOCKU4args, type LOCKU4res, NFS4_OK, NFS4ERR_BAD_STATEID, NFS4ERR_INVAL, OP_LOCKU } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { rangeOf } from "../state/byte-range-locks.ts";
import { inSequence } from "../state/sequenced.ts";

export const locku: Handler<LOCKU4args, LOCKU4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { clients, states } = context.services;
  const stateid = context.resolveStateid(args.lock_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const owner = states.ownerOfLock(stateid, context.client);
  if (typeof owner === "number") return owner;
  return inSequence(context, { sequence: owner.sequence, seqid: args.seqid, operation: OP_LOCKU }, () => {
    const state = states.find(stateid, context.client);
    if (typeof state === "number") return state;
    if (state.kind !== "lock" || state.file.key !== current.key) return NFS4ERR_BAD_STATEID;
    const range = rangeOf(args.offset, args.length);
    if (!range) return NFS4ERR_INVAL;
    if (context.minorVersion === 0) clients.renew(owner.client);
    state.file.locks.unlock(owner, range);
    states.bump(state);
    states.tellWaiters(state.file);
    return { status: NFS4_OK, lock_stateid: context.returnStateid(states.stateid(state)) };
  });
};
