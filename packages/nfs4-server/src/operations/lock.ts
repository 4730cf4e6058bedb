/** LOCK (RFC 8881 §18.10): never waits. A denied client that wants to wait keeps a place in the file's queue. */
import {
  type LOCK4args,
  type LOCK4denied,
  type LOCK4res,
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_DENIED,
  NFS4ERR_INVAL,
  NFS4ERR_OPENMODE,
  type nfsstat4,
  OP_LOCK,
  READ_LT,
  READW_LT,
  WRITE_LT,
  WRITEW_LT,
} from "@nfs4/protocol";
import { type CompoundContext, needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { type Awaitable, OPEN_READ, OPEN_WRITE } from "../filesystem/types.ts";
import { fromLatin1, latin1 } from "../latin1.ts";
import { type HeldLock, type LockRange, lengthOf, rangeOf } from "../state/byte-range-locks.ts";
import type { LockState, OpenState } from "../state/file-state.ts";
import { graceStatus } from "../state/grace-status.ts";
import type { LockOwner } from "../state/owners.ts";
import { inSequence } from "../state/sequenced.ts";

export const lock: Handler<LOCK4args, LOCK4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const range = rangeOf(args.offset, args.length);
  if (!range) return NFS4ERR_INVAL;
  const { locker } = args;
  return locker.new_lock_owner
    ? byOpen(context, current.key, args, locker.open_owner, range)
    : byLock(context, current.key, args, locker.lock_owner, range);
};

type ByOpen = Extract<LOCK4args["locker"], { new_lock_owner: true }>["open_owner"];
type ByLock = Extract<LOCK4args["locker"], { new_lock_owner: false }>["lock_owner"];

/** The first lock of an owner on a file: it hangs on an open. */
function byOpen(
  context: CompoundContext,
  file: string,
  args: LOCK4args,
  locker: ByOpen,
  range: LockRange,
): Awaitable<LOCK4res | nfsstat4> {
  const { states } = context.services;
  const stateid = context.resolveStateid(locker.open_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const openOwner = states.ownerOfOpen(stateid);
  if (typeof openOwner === "number") return openOwner;
  return inSequence(context, { sequence: openOwner.sequence, seqid: locker.open_seqid, operation: OP_LOCK }, () => {
    const open = states.find(stateid, context.client);
    if (typeof open === "number") return open;
    if (open.kind !== "open" || open.file.key !== file) return NFS4ERR_BAD_STATEID;
    const owner = states.lockOwner(openOwner.client, latin1(locker.lock_owner.owner));
    // The lock-owner's own sequence begins here; a retry is the open-owner's affair.
    return inSequence(context, { sequence: owner.sequence, seqid: locker.lock_seqid, operation: OP_LOCK }, () =>
      decide(context, args, range, open, owner, null),
    );
  });
}

function byLock(
  context: CompoundContext,
  file: string,
  args: LOCK4args,
  locker: ByLock,
  range: LockRange,
): Awaitable<LOCK4res | nfsstat4> {
  const { states } = context.services;
  const stateid = context.resolveStateid(locker.lock_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const owner = states.ownerOfLock(stateid);
  if (typeof owner === "number") return owner;
  return inSequence(context, { sequence: owner.sequence, seqid: locker.lock_seqid, operation: OP_LOCK }, () => {
    const state = states.find(stateid, context.client);
    if (typeof state === "number") return state;
    if (state.kind !== "lock" || state.file.key !== file) return NFS4ERR_BAD_STATEID;
    return decide(context, args, range, state.open, owner, state);
  });
}

function decide(
  context: CompoundContext,
  args: LOCK4args,
  range: LockRange,
  open: OpenState,
  owner: LockOwner,
  known: LockState | null,
): Awaitable<LOCK4res | nfsstat4> {
  const exclusive = args.locktype === WRITE_LT || args.locktype === WRITEW_LT;
  if (!(open.access & (exclusive ? OPEN_WRITE : OPEN_READ))) return NFS4ERR_OPENMODE;
  const refused = graceStatus(context, owner.client, args.reclaim);
  if (refused !== NFS4_OK) return refused;
  const { clients, journal } = context.services;
  if (context.minorVersion === 0) clients.renew(owner.client);
  const conflict = open.file.locks.conflict(owner, range, exclusive);
  if (conflict?.owner.client.expired) {
    const holder = conflict.owner.client;
    return Promise.resolve(journal.forget(holder)).then(() => {
      clients.expireForConflict(holder);
      return decide(context, args, range, open, owner, known);
    });
  }
  return grant(context, args, range, open, owner, known, conflict, exclusive);
}

function grant(
  context: CompoundContext,
  args: LOCK4args,
  range: LockRange,
  open: OpenState,
  owner: LockOwner,
  known: LockState | null,
  conflict: HeldLock<LockOwner> | null,
  exclusive: boolean,
): LOCK4res | nfsstat4 {
  const { clock, states } = context.services;
  const { locks } = open.file;
  const now = clock.coarse();
  const blocking = args.locktype === READW_LT || args.locktype === WRITEW_LT;
  if (conflict) {
    if (blocking) locks.enqueue(owner, range, exclusive, now);
    return { status: NFS4ERR_DENIED, denied: deniedBy(conflict) };
  }
  const ahead = args.reclaim ? null : locks.waiterAhead(owner, range, exclusive, now);
  if (ahead) {
    if (blocking) locks.enqueue(owner, range, exclusive, now);
    return { status: NFS4ERR_DENIED, denied: deniedBy(ahead) };
  }
  const state = known ?? states.lockState(open, owner);
  locks.set(owner, range, exclusive);
  states.bump(state);
  // A downgrade may let others in.
  if (!exclusive) states.tellWaiters(open.file);
  return { status: NFS4_OK, resok4: { lock_stateid: context.returnStateid(states.stateid(state)) } };
}

/** What a denied client is told of the lock in its way. */
export function deniedBy(conflict: HeldLock<LockOwner>): LOCK4denied {
  return {
    offset: conflict.start,
    length: lengthOf(conflict),
    locktype: conflict.exclusive ? WRITE_LT : READ_LT,
    owner: { clientid: conflict.owner.client.id, owner: fromLatin1(conflict.owner.name) },
  };
}
