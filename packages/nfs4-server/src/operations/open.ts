/** OPEN (RFC 8881 §18.16, RFC 7530 §16.16). Which file it is stands in open-target.ts; the state that it makes, in StateManager. */
import {
  CLAIM_PREVIOUS,
  NFS4_OK,
  NFS4ERR_DELAY,
  NFS4ERR_EXPIRED,
  NFS4ERR_INVAL,
  NFS4ERR_RESOURCE,
  NFS4ERR_ROFS,
  NFS4ERR_STALE_CLIENTID,
  type nfsstat4,
  OP_OPEN,
  OPEN_DELEGATE_NONE,
  OPEN_DELEGATE_NONE_EXT,
  OPEN4_CREATE,
  OPEN4_RESULT_CONFIRM,
  OPEN4_RESULT_LOCKTYPE_POSIX,
  OPEN4_RESULT_MAY_NOTIFY_LOCK,
  OPEN4_RESULT_PRESERVE_UNLINKED,
  OPEN4_SHARE_ACCESS_WANT_DELEG_MASK,
  OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
  OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE,
  type OPEN4args,
  type OPEN4res,
  type open_delegation4,
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
import type { OpenState } from "../state/file-state.ts";
import { graceStatus } from "../state/grace-status.ts";
import { FileReference } from "../state/open-files.ts";
import type { OpenOwner } from "../state/owners.ts";
import { inSequence } from "../state/sequenced.ts";
import type { ShareBits } from "../state/share-reservations.ts";
import { findOrCreate, type OpenTarget } from "./open-target.ts";

/** The bits of share_access that say which delegation is wished (4.1). */
const WANT_BITS = 0x3_ff00;

export const open: Handler<OPEN4args, OPEN4res> = (context, args) => {
  const client = clientOf(context, args);
  if (typeof client === "number") return client;
  const { states } = context.services;
  const owner = states.openOwner(client, latin1(args.owner.owner));
  // An owner that never confirmed starts anew: what it had before was never granted (RFC 7530 §16.18.5).
  if (
    owner.sequence &&
    !owner.sequence.confirmed &&
    !owner.sequence.busy &&
    owner.sequence.seqid !== null &&
    owner.sequence.seqid !== args.seqid
  ) {
    for (const state of [...owner.opens.values()]) states.discard(state);
    owner.sequence.restart();
  }
  return inSequence(context, { sequence: owner.sequence, seqid: args.seqid, operation: OP_OPEN }, () =>
    checkAndOpen(context, args, owner),
  );
};

function clientOf(context: CompoundContext, args: OPEN4args): Client | nfsstat4 {
  if (context.client) return context.client;
  const { clients } = context.services;
  const client = clients.find(args.owner.clientid);
  if (!client?.confirmed) return clients.isOurs(args.owner.clientid) ? NFS4ERR_EXPIRED : NFS4ERR_STALE_CLIENTID;
  clients.renew(client);
  return client;
}

function checkAndOpen(context: CompoundContext, args: OPEN4args, owner: OpenOwner): ReturnType<typeof open> {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const access = (context.minorVersion === 0 ? args.share_access : args.share_access & ~WANT_BITS) as ShareBits;
  const deny = args.share_deny as ShareBits;
  if (access < 1 || access > 3 || deny > 3) return NFS4ERR_INVAL;
  const refused = graceStatus(context, owner.client, args.claim.claim === CLAIM_PREVIOUS);
  if (refused !== NFS4_OK) return refused;
  if (current.export.readOnly && (access & OPEN_WRITE || args.openhow.opentype === OPEN4_CREATE)) return NFS4ERR_ROFS;
  if (owner.client.states.size >= context.services.limits.maxStatesPerClient)
    return context.minorVersion === 0 ? NFS4ERR_RESOURCE : NFS4ERR_DELAY;
  // One at a time in a directory: what the name means and the change_info belong together.
  return context.services.queue.run(current.key, () => runOpen(context, current, args, owner, access, deny));
}

async function runOpen(
  context: CompoundContext,
  current: NodeReference,
  args: OPEN4args,
  owner: OpenOwner,
  access: ShareBits,
  deny: ShareBits,
): Promise<OPEN4res | nfsstat4> {
  const { journal, states } = context.services;
  const target = await findOrCreate(context, current, args, access as OpenAccess);
  if (typeof target === "number") return target;
  const file = await fileOf(context, target, access as OpenAccess);
  if (typeof file === "number") return file;
  try {
    await endCourtesy(context, target.node, owner, access, deny);
    // The client is on record before it holds anything, or a crash would lose what it was promised.
    if (!owner.client.journaled) await journal.remember(owner.client);
  } catch (error) {
    file.release();
    throw error;
  }
  const known = owner.opens.size;
  const state = states.open(owner, target.node, access, deny);
  if (typeof state === "number") {
    file.release();
    return state;
  }
  state.files.adopt(file);
  if (target.truncate) {
    const status = await truncate(context, target.node, state);
    if (status !== NFS4_OK) {
      if (owner.opens.size > known) states.discard(state);
      return status;
    }
  }
  context.setCurrent(target.node);
  const stateid = context.returnStateid(states.stateid(state));
  let rflags = OPEN4_RESULT_LOCKTYPE_POSIX;
  if (context.minorVersion > 0) rflags |= OPEN4_RESULT_MAY_NOTIFY_LOCK | OPEN4_RESULT_PRESERVE_UNLINKED;
  else if (!owner.sequence?.confirmed) rflags |= OPEN4_RESULT_CONFIRM;
  return {
    status: NFS4_OK,
    resok4: {
      stateid,
      cinfo: target.change,
      rflags,
      attrset: target.attrset,
      delegation: noDelegation(context, args.share_access),
    },
  };
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

/** Clients whose leases have run out give way to a conflicting OPEN. */
async function endCourtesy(
  context: CompoundContext,
  node: NodeReference,
  owner: OpenOwner,
  access: ShareBits,
  deny: ShareBits,
): Promise<void> {
  const { journal, clients, states } = context.services;
  if (!states.shareConflict(node, owner, access, deny)) return;
  for (const holder of states.expiredHolders(node)) {
    await journal.forget(holder);
    clients.expireForConflict(holder);
  }
}

async function truncate(context: CompoundContext, node: NodeReference, state: OpenState): Promise<nfsstat4> {
  const { fileSystem } = node.export;
  if (!fileSystem.setattr) return NFS4ERR_ROFS;
  const file = state.files.holdForWriting();
  try {
    const done = await fileSystem.setattr(node.node, { size: 0 }, context.caller(node.export), file?.file);
    return isErrno(done) ? statusOfErrno(done) : NFS4_OK;
  } finally {
    file?.release();
  }
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
