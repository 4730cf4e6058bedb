import type { XdrWriter } from "@xdr-ts/xdr";
import { AuthFlavor } from "../constants.ts";
import { type Credential, NOBODY } from "./credential.ts";
import type { AuthFlavorClient, AuthFlavorServer, AuthVerdict, CallAuth, CallSecurity } from "./flavor.ts";

const nobody: Credential = { flavor: AuthFlavor.AUTH_NONE, uid: NOBODY, gid: NOBODY, gids: [], machineName: "" };
const accepted: CallSecurity = { credential: nobody, verifier: null };

/** AUTH_NONE on a server (RFC 5531 §10.1): everybody is nobody. */
export const authNoneServer: AuthFlavorServer = {
  flavor: AuthFlavor.AUTH_NONE,
  authenticator: () => ({ authenticate: (): AuthVerdict => accepted }),
};

/** Writes AUTH_NONE with an empty body: the verifier of most flavors. */
export function writeNoneAuth(writer: XdrWriter): void {
  writer.uint32(AuthFlavor.AUTH_NONE);
  writer.uint32(0);
}

const noneCall: CallAuth = {
  writeCredential: writeNoneAuth,
  writeVerifier: writeNoneAuth,
  checkVerifier: () => true,
};

/** AUTH_NONE on a client. */
export const authNone: AuthFlavorClient = {
  flavor: AuthFlavor.AUTH_NONE,
  begin: () => noneCall,
};
