/** Which function runs which operation. What is not here is a legal operation that this server does not offer: NFS4ERR_NOTSUPP. */
import { NFS4ERR_NOTSUPP, OPERATIONS, type OperationName, type OperationTypes } from "@nfs4/protocol";
import { access } from "../operations/access.ts";
import { allocate, deallocate } from "../operations/allocate.ts";
import { backchannelCtl } from "../operations/backchannel-ctl.ts";
import { bindConnToSession } from "../operations/bind-conn-to-session.ts";
import { close } from "../operations/close.ts";
import { commit } from "../operations/commit.ts";
import { create } from "../operations/create.ts";
import { createSession } from "../operations/create-session.ts";
import { delegpurge, delegreturn } from "../operations/delegations.ts";
import { destroyClientid } from "../operations/destroy-clientid.ts";
import { destroySession } from "../operations/destroy-session.ts";
import { exchangeId } from "../operations/exchange-id.ts";
import { freeStateid } from "../operations/free-stateid.ts";
import { getattr } from "../operations/getattr.ts";
import { getfh } from "../operations/getfh.ts";
import { link } from "../operations/link.ts";
import { lock } from "../operations/lock.ts";
import { lockt } from "../operations/lockt.ts";
import { locku } from "../operations/locku.ts";
import { lookup } from "../operations/lookup.ts";
import { lookupp } from "../operations/lookupp.ts";
import { open } from "../operations/open.ts";
import { openConfirm } from "../operations/open-confirm.ts";
import { openDowngrade } from "../operations/open-downgrade.ts";
import { putfh } from "../operations/putfh.ts";
import { putrootfh } from "../operations/putrootfh.ts";
import { read } from "../operations/read.ts";
import { readdir } from "../operations/readdir.ts";
import { readlink } from "../operations/readlink.ts";
import { reclaimComplete } from "../operations/reclaim-complete.ts";
import { releaseLockowner } from "../operations/release-lockowner.ts";
import { remove } from "../operations/remove.ts";
import { rename } from "../operations/rename.ts";
import { renew } from "../operations/renew.ts";
import { restorefh } from "../operations/restorefh.ts";
import { savefh } from "../operations/savefh.ts";
import { secinfo, secinfoNoName } from "../operations/secinfo.ts";
import { seek } from "../operations/seek.ts";
import { sequence } from "../operations/sequence.ts";
import { setattr } from "../operations/setattr.ts";
import { setclientid, setclientidConfirm } from "../operations/setclientid.ts";
import { testStateid } from "../operations/test-stateid.ts";
import { nverify, verify } from "../operations/verify.ts";
import { write } from "../operations/write.ts";
import type { Handler } from "./handler.ts";

type Handlers = { readonly [Name in OperationName]?: Handler<OperationTypes[Name][0], OperationTypes[Name][1]> };

export const HANDLERS: Handlers = {
  ACCESS: access,
  CLOSE: close,
  COMMIT: commit,
  CREATE: create,
  DELEGPURGE: delegpurge,
  DELEGRETURN: delegreturn,
  GETATTR: getattr,
  GETFH: getfh,
  LINK: link,
  LOCK: lock,
  LOCKT: lockt,
  LOCKU: locku,
  LOOKUP: lookup,
  LOOKUPP: lookupp,
  NVERIFY: nverify,
  OPEN: open,
  OPEN_CONFIRM: openConfirm,
  OPEN_DOWNGRADE: openDowngrade,
  PUTFH: putfh,
  PUTPUBFH: putrootfh,
  PUTROOTFH: putrootfh,
  READ: read,
  READDIR: readdir,
  READLINK: readlink,
  REMOVE: remove,
  RENAME: rename,
  RENEW: renew,
  RESTOREFH: restorefh,
  SAVEFH: savefh,
  SECINFO: secinfo,
  SETATTR: setattr,
  SETCLIENTID: setclientid,
  SETCLIENTID_CONFIRM: setclientidConfirm,
  VERIFY: verify,
  WRITE: write,
  RELEASE_LOCKOWNER: releaseLockowner,
  BACKCHANNEL_CTL: backchannelCtl,
  BIND_CONN_TO_SESSION: bindConnToSession,
  EXCHANGE_ID: exchangeId,
  CREATE_SESSION: createSession,
  DESTROY_SESSION: destroySession,
  FREE_STATEID: freeStateid,
  SECINFO_NO_NAME: secinfoNoName,
  SEQUENCE: sequence,
  TEST_STATEID: testStateid,
  DESTROY_CLIENTID: destroyClientid,
  RECLAIM_COMPLETE: reclaimComplete,
  ALLOCATE: allocate,
  DEALLOCATE: deallocate,
  SEEK: seek,
};

const notSupported: Handler<unknown, never> = () => NFS4ERR_NOTSUPP;

const byNumber: Handler<never, unknown>[] = [];
for (const [name, operation] of Object.entries(OPERATIONS))
  byNumber[operation.number] = HANDLERS[name as OperationName] ?? notSupported;

/** Never undefined for an operation of the table. Its arguments must be those of the operation. */
export function handlerOf(operation: number): Handler<never, unknown> {
  return byNumber[operation] ?? notSupported;
}
