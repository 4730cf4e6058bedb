/** LOCK (RFC 8881 §18.10): never waits. A denied client that wants to wait keeps a place in the file's queue. */
import {
  type LOCK4args,
  type LOCK4denied,
  type LOCK4res,
  NFS4_OK,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_DELAY,
  NFS4ERR_DENIED,
  NFS4ERR_INVAL,
  NFS4ERR_OPENMODE,
  NFS4ERR_RECLAIM_CONFLICT,
  NFS4ERR_RESOURCE,
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
import type { OpenState } from "../state/file-state.ts";
import { graceStatus } from "../state/grace-status.ts";
import type { LockOwner } from "../state/owners.ts";
import { inSequence } from "../state/sequenced.ts";

export const lock: Handler<LOCK4args, LOCK4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { locker } = args;
  return locker.new_lock_owner
    ? byOpen(context, current.key, args, locker.open_owner)
    : byLock(context, current.key, args, locker.lock_owner);
};

type ByOpen = Extract<LOCK4args["locker"], { new_lock_owner: true }>["open_owner"];
type ByLock = Extract<LOCK4args["locker"], { new_lock_owner: false }>["lock_owner"];

/** The first lock of an owner on a file: it hangs on an open. */
function byOpen(
  context: CompoundContext,
  file: string,
  args: LOCK4args,
  locker: ByOpen,
): Awaitable<LOCK4res | nfsstat4> {
  const { states } = context.services;
  const stateid = context.resolveStateid(locker.open_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const openOwner = states.ownerOfOpen(stateid, context.client);
  if (typeof openOwner === "number") return openOwner;
  return inSequence(context, { sequence: openOwner.sequence, seqid: locker.open_seqid, operation: OP_LOCK }, () => {
    const open = states.find(stateid, context.client);
    if (typeof open === "number") return open;
    if (open.kind !== "open" || open.file.key !== file) return NFS4ERR_BAD_STATEID;
    const name = latin1(locker.lock_owner.owner);
    const owner = states.lockOwner(openOwner.client, name);
    // It has a lock stateid there, which it must use; a retry has been caught above (RFC 7530 §16.10.5).
    if (owner.sequence && owner.locks.has(open.file)) return NFS4ERR_BAD_SEQID;
    // The lock-owner's own sequence begins with its first lock, whatever LOCKs were denied before (Linux sends the same lock_seqid again); a retry is
    // the open-owner's affair.
    if (owner.locks.size === 0) owner.sequence?.beginAnew();
    return inSequence(context, { sequence: owner.sequence, seqid: locker.lock_seqid, operation: OP_LOCK }, () =>
      decide(context, args, () => {
        const state = states.find(stateid, context.client);
        if (typeof state === "number") return state;
        // An owner of 4.1 that holds nothing may have been forgotten, and another have come under its name.
        return state.kind === "open"
          ? { open: state, owner: states.lockOwner(openOwner.client, name) }
          : NFS4ERR_BAD_STATEID;
      }),
    );
  });
}

function byLock(
  context: CompoundContext,
  file: string,
  args: LOCK4args,
  locker: ByLock,
): Awaitable<LOCK4res | nfsstat4> {
  const { states } = context.services;
  const stateid = context.resolveStateid(locker.lock_stateid);
  if (!stateid) return NFS4ERR_BAD_STATEID;
  const owner = states.ownerOfLock(stateid, context.client);
  if (typeof owner === "number") return owner;
  return inSequence(context, { sequence: owner.sequence, seqid: locker.lock_seqid, operation: OP_LOCK }, () => {
    const state = states.find(stateid, context.client);
    if (typeof state === "number") return state;
    if (state.kind !== "lock" || state.file.key !== file) return NFS4ERR_BAD_STATEID;
    return decide(context, args, () => {
      const now = states.find(stateid, context.client);
      if (typeof now === "number") return now;
      return now.kind === "lock" ? { open: now.open, owner } : NFS4ERR_BAD_STATEID;
    });
  });
}

interface Parties {
  /** The open that the lock stands on. */
  readonly open: OpenState;
  readonly owner: LockOwner;
}

/** `partiesNow`: looked up anew after every wait. */
function decide(
  context: CompoundContext,
  args: LOCK4args,
  partiesNow: () => Parties | nfsstat4,
): Awaitable<LOCK4res | nfsstat4> {
  const { clients, journal, limits, states } = context.services;
  const parties = partiesNow();
  if (typeof parties === "number") return parties;
  const { open, owner } = parties;
  const range = rangeOf(args.offset, args.length);
  if (!range) return refuse(states, owner, NFS4ERR_INVAL);
  const exclusive = args.locktype === WRITE_LT || args.locktype === WRITEW_LT;
  if (!(open.access & (exclusive ? OPEN_WRITE : OPEN_READ))) return refuse(states, owner, NFS4ERR_OPENMODE);
  const refused = graceStatus(context, owner.client, args.reclaim);
  if (refused !== NFS4_OK) return refuse(states, owner, refused);
  if (owner.client.states.size >= limits.maxStatesPerClient || open.file.locks.held.length >= limits.maxLocksPerFile)
    return refuse(states, owner, context.minorVersion === 0 ? NFS4ERR_RESOURCE : NFS4ERR_DELAY);
  if (context.minorVersion === 0) context.renew(owner.client);
  // Clients whose leases have run out give way.
  let conflict = open.file.locks.conflict(owner, range, exclusive);
  while (conflict?.owner.client.expired) {
    clients.expireForConflict([conflict.owner.client]);
    conflict = open.file.locks.conflict(owner, range, exclusive);
  }
  const recorded = journal.settle();
  if (recorded) return recorded.then(() => decide(context, args, partiesNow));
  return grant(context, args, range, open, owner, conflict, exclusive);
}

/** An owner of 4.1 that has come to nothing is not kept. */
function refuse<Answer>(states: CompoundContext["services"]["states"], owner: LockOwner, answer: Answer): Answer {
  states.forgetIdle(owner);
  return answer;
}

function grant(
  context: CompoundContext,
  args: LOCK4args,
  range: LockRange,
  open: OpenState,
  owner: LockOwner,
  conflict: HeldLock<LockOwner> | null,
  exclusive: boolean,
): LOCK4res | nfsstat4 {
  const { clock, states } = context.services;
  const { locks } = open.file;
  const now = clock.coarse();
  if (conflict && args.reclaim) return refuse(states, owner, NFS4ERR_RECLAIM_CONFLICT);
  const waits = !args.reclaim && (args.locktype === READW_LT || args.locktype === WRITEW_LT);
  const inTheWay = conflict ?? (waits ? locks.waiterAhead(owner, range, exclusive, now) : null);
  if (inTheWay) {
    const denied = { status: NFS4ERR_DENIED, denied: deniedBy(inTheWay) } as const;
    if (!waits) return refuse(states, owner, denied);
    locks.enqueue(owner, range, exclusive, now);
    return denied;
  }
  const state = states.lockState(open, owner);
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
