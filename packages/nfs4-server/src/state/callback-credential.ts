import { AUTH_NONE, AUTH_SYS, type callback_sec_parms4 } from "@nfs4/protocol";
import { type AuthFlavorClient, authNone, authSys } from "@nfs4/rpc";

/**
 * As whom the server calls a client back: by the first flavor of the client's list that there is here (RFC 8881 §18.36.3). A client that names none gets
 * AUTH_NONE. Null: all of them are others.
 */
export function credentialFor(parameters: readonly callback_sec_parms4[]): AuthFlavorClient | null {
  if (parameters.length === 0) return authNone;
  for (const one of parameters) {
    if (one.cb_secflavor === AUTH_NONE) return authNone;
    if (one.cb_secflavor === AUTH_SYS) {
      const { uid, gid, gids, stamp, machinename } = one.cbsp_sys_cred;
      return authSys({ uid, gid, gids, stamp, machineName: machinename });
    }
  }
  return null;
}
