/** BACKCHANNEL_CTL (RFC 8881 §18.33): the callback program's number may change; AUTH_SYS and AUTH_NONE need no more than that. */
import {
  AUTH_NONE,
  AUTH_SYS,
  type BACKCHANNEL_CTL4args,
  NFS4_OK,
  NFS4ERR_NOENT,
  NFS4ERR_OP_NOT_IN_SESSION,
} from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";

export const backchannelCtl: Handler<BACKCHANNEL_CTL4args, never> = (
  { session },
  { bca_cb_program, bca_sec_parms },
) => {
  if (!session) return NFS4ERR_OP_NOT_IN_SESSION;
  if (!bca_sec_parms.some(({ cb_secflavor }) => cb_secflavor === AUTH_SYS || cb_secflavor === AUTH_NONE))
    return NFS4ERR_NOENT;
  session.callbackProgram = bca_cb_program;
  return NFS4_OK;
};
