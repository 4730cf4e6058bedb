/** OPEN (RFC 8881 §18.16, RFC 7530 §16.16). Which file it is stands in open-target.ts; the state that it makes, in StateManager. */
import {
  CLAIM_PREVIOUS,
  NFS4_OK,
  NFS4ERR_DELAY,
  NFS4ERR_EXPIRED,
  NFS4ERR_INVAL,
  NFS4ERR_RECLAIM_CONFLICT,
  NFS4ERR_RESOURCE,
  NFS4ERR_ROFS,
  NFS4ERR_SHARE_DENIED,
  type nfsstat4,
  OP_OPEN,
  OPEN_DELEGATE_NONE,
  OPEN_DELEGATE_NONE_EXT,
  OPEN4_RESULT_CONFIRM,
  OPEN4_RESULT_LOCKTYPE_POSIX,
  OPEN4_RESULT_MAY_NOTIFY_LOCK,
  OPEN4_SHARE_ACCESS_WANT_CANCEL,
  OPEN4_SHARE_ACCESS_WANT_DELEG_MASK,
  OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
  OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE,
  type OPEN4args,
  type OPEN4res,
  type open_delegation4,
  type stateid4,
  WND4_NOT_WANTED,
  WND4_RESOURCE,
} from "@nfs4/protocol";
import { type CompoundContext, needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import { OPEN_WRITE, type OpenAccess } from "../filesystem/types.ts";
import { latin1 } from "../latin1.ts";
import type { Client } from "../state/client.ts";
import { graceStatus } from "../state/grace-status.ts";
import { FileReference } from "../state/open-files.ts";
import type { OwnerSequence } from "../state/owner-sequence.ts";
import { inSequence } from "../state/sequenced.ts";
import type { ShareBits } from "../state/share-reservations.ts";
import { client40 } from "./client40.ts";
import { findOrCreate, type OpenTarget } from "./open-target.ts";

/** The bits of share_access that say which delegation is wished (4.1). */
const WANT_BITS = 0x3_ff00;

export const open: Handler<OPEN4args, OPEN4res> = (context, args) => {
  const client = context.client ?? client40(context, args.owner.clientid);
  if (typeof client === "number") return client;
  const ownerName = latin1(args.owner.owner);
  const run = () => checkAndOpen(context, args, client, ownerName);
  if (context.minorVersion > 0) return run();
  const owner = context.services.states.openOwner(client, ownerName);
  return inSequence(context, { sequence: owner.sequence, seqid: args.seqid, operation: OP_OPEN }, () => {
    // What an owner that never confirmed had before was never granted (RFC 7530 §16.18.5).
    if (!owner.sequence?.confirmed)
      for (const state of [...owner.opens.values()]) context.services.states.discard(state);
    return run();
  });
};

function checkAndOpen(
  context: CompoundContext,
  args: OPEN4args,
  client: Client,
  ownerName: string,
): ReturnType<typeof open> {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  if (context.minorVersion > 0 && !isWish(args.share_access)) return NFS4ERR_INVAL;
  const access = (context.minorVersion === 0 ? args.share_access : args.share_access & ~WANT_BITS) as ShareBits;
  const deny = args.share_deny as ShareBits;
  if (access < 1 || access > 3 || deny > 3) return NFS4ERR_INVAL;
  const refused = graceStatus(context, client, args.claim.claim === CLAIM_PREVIOUS);
  if (refused !== NFS4_OK) return refused;
  if (current.export.readOnly && access & OPEN_WRITE) return NFS4ERR_ROFS;
  if (client.states.size >= context.services.limits.maxStatesPerClient)
    return context.minorVersion === 0 ? NFS4ERR_RESOURCE : NFS4ERR_DELAY;
  // One at a time in a directory: what the name means and the change_info belong together.
  return context.services.queue.run(current.key, () =>
    runOpen(context, current, args, { client, ownerName, access, deny }),
  );
}

/** True if at most one delegation is wished for, and one that there is. */
function isWish(shareAccess: number): boolean {
  return (shareAccess & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK) <= OPEN4_SHARE_ACCESS_WANT_CANCEL;
}

interface Request {
  readonly client: Client;
  readonly ownerName: string;
  readonly access: ShareBits;
  readonly deny: ShareBits;
}

async function runOpen(
  context: CompoundContext,
  current: NodeReference,
  args: OPEN4args,
  request: Request,
): Promise<OPEN4res | nfsstat4> {
  const target = await findOrCreate(context, current, args, request.access as OpenAccess);
  if (typeof target === "number") return target;
  const file = await fileOf(context, target, request.access as OpenAccess);
  if (typeof file === "number") return file;
  const reclaim = args.claim.claim === CLAIM_PREVIOUS;
  let granted: Granted | nfsstat4;
  try {
    granted = await grant(context, target, file, request, reclaim);
  } catch (error) {
    file.release();
    throw error;
  }
  if (typeof granted === "number") {
    file.release();
    return granted;
  }
  context.setCurrent(target.node);
  const { sequence } = granted;
  // A reclaim can be no stray retransmission (RFC 7530 §9.1.11).
  if (reclaim && sequence) sequence.confirmed = true;
  // Not PRESERVE_UNLINKED: a file without a name is kept until its last close, but not over a restart, which that flag promises (RFC 8881 §18.16.4).
  let rflags = OPEN4_RESULT_LOCKTYPE_POSIX;
  if (context.minorVersion > 0) rflags |= OPEN4_RESULT_MAY_NOTIFY_LOCK;
  else if (!sequence?.confirmed) rflags |= OPEN4_RESULT_CONFIRM;
  return {
    status: NFS4_OK,
    resok4: {
      stateid: context.returnStateid(granted.stateid),
      cinfo: target.change,
      rflags,
      attrset: target.attrset,
      delegation: noDelegation(context, args.share_access),
    },
  };
}

interface Granted {
  readonly stateid: stateid4;
  readonly sequence: OwnerSequence | null;
}

/** Decides; nothing is awaited between the last check and the state that it makes, which then has the file. */
async function grant(
  context: CompoundContext,
  { node, truncate: truncates }: OpenTarget,
  file: FileReference,
  { client, ownerName, access, deny }: Request,
  reclaim: boolean,
): Promise<Granted | nfsstat4> {
  const { journal, clients, states } = context.services;
  const denied = reclaim ? NFS4ERR_RECLAIM_CONFLICT : NFS4ERR_SHARE_DENIED;
  let truncated = !truncates;
  for (;;) {
    if (client.removed) return NFS4ERR_EXPIRED;
    // Grace may have ended meanwhile, and somebody else have had the file since.
    const refused = graceStatus(context, client, reclaim);
    if (refused !== NFS4_OK) return refused;
    if (states.shareConflict(node, access, deny)) {
      // Clients whose leases have run out give way.
      clients.expireForConflict(states.expiredHolders(node));
      if (states.shareConflict(node, access, deny)) return denied;
    }
    if (!truncated) {
      // The state comes after it, so that an OPEN that fails changes none.
      const status = await truncate(context, node, file);
      if (status !== NFS4_OK) return status;
      truncated = true;
      continue;
    }
    // The client is on record before it holds anything, and those who lost their state to it no more, or a crash would break a promise.
    const recorded = journal.remember(client);
    if (!recorded) break;
    await recorded;
  }
  const state = states.open(states.openOwner(client, ownerName), node, access, deny);
  if (typeof state === "number") return denied;
  state.files.adopt(file);
  return { stateid: states.stateid(state), sequence: state.owner.sequence };
}

/** What the file system opened when it made the file, or opens now, with the caller's permission. */
async function fileOf(
  context: CompoundContext,
  { node, file }: OpenTarget,
  access: OpenAccess,
): Promise<FileReference | nfsstat4> {
  const { fileSystem } = node.export;
  if (file !== undefined) return new FileReference(fileSystem, file, access);
  if (!fileSystem.open) return new FileReference(fileSystem, node.node, access);
  const opened = await fileSystem.open(node.node, access, context.caller(node.export));
  return isErrno(opened) ? statusOfErrno(opened) : new FileReference(fileSystem, opened, access);
}

async function truncate(context: CompoundContext, node: NodeReference, file: FileReference): Promise<nfsstat4> {
  const { fileSystem } = node.export;
  if (!fileSystem.setattr) return NFS4ERR_ROFS;
  const byFile = file.access & OPEN_WRITE ? file.file : undefined;
  const done = await fileSystem.setattr(node.node, { size: 0 }, context.caller(node.export), byFile);
  return isErrno(done) ? statusOfErrno(done) : NFS4_OK;
}

/** No delegation, and to a 4.1 client that asked for one, why (RFC 8881 §18.16.3). */
function noDelegation({ minorVersion }: CompoundContext, shareAccess: number): open_delegation4 {
  const want = shareAccess & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
  if (minorVersion === 0 || want === OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE)
    return { delegation_type: OPEN_DELEGATE_NONE };
  if (want === OPEN4_SHARE_ACCESS_WANT_NO_DELEG)
    return { delegation_type: OPEN_DELEGATE_NONE_EXT, od_whynone: { ond_why: WND4_NOT_WANTED } };
  return {
    delegation_type: OPEN_DELEGATE_NONE_EXT,
    od_whynone: { ond_why: WND4_RESOURCE, ond_server_will_signal_avail: false },
  };
}
