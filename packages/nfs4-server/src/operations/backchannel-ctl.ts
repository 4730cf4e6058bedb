/** BACKCHANNEL_CTL (RFC 8881 §18.33): another number of the callback program, and another user for its calls. */
import { type BACKCHANNEL_CTL4args, NFS4_OK, NFS4ERR_NOENT, NFS4ERR_OP_NOT_IN_SESSION } from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";
import { credentialFor } from "../state/callback-credential.ts";

export const backchannelCtl: Handler<BACKCHANNEL_CTL4args, never> = (
  { session },
  { bca_cb_program, bca_sec_parms },
) => {
  if (!session) return NFS4ERR_OP_NOT_IN_SESSION;
  const credential = credentialFor(bca_sec_parms);
  if (!credential) return NFS4ERR_NOENT;
  session.callbackProgram = bca_cb_program;
  session.callbackCredential = credential;
  return NFS4_OK;
};
