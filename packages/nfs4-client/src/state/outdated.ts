import { NFS4ERR_ADMIN_REVOKED, NFS4ERR_BAD_STATEID, NFS4ERR_DELEG_REVOKED, NFS4ERR_EXPIRED } from "@nfs4/protocol";

/** Statuses that say that an open or a lock is gone. */
export const GONE: ReadonlySet<number> = new Set([
  NFS4ERR_BAD_STATEID,
  NFS4ERR_EXPIRED,
  NFS4ERR_ADMIN_REVOKED,
  NFS4ERR_DELEG_REVOKED,
]);

/** What ends the attempts at something that a loss of the server's state, or the recovery from it, has made needless. */
export class Outdated extends Error {
  constructor() {
    super("it is about state that the server does not hold any more");
  }
}
