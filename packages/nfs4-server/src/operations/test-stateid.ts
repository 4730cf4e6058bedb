/** TEST_STATEID (RFC 8881 §18.48). */
import {
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_OP_NOT_IN_SESSION,
  type TEST_STATEID4args,
  type TEST_STATEID4res,
} from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";
import { specialStateid } from "../state/stateid.ts";

export const testStateid: Handler<TEST_STATEID4args, TEST_STATEID4res> = ({ client, services }, { ts_stateids }) => {
  if (!client) return NFS4ERR_OP_NOT_IN_SESSION;
  const codes = ts_stateids.map((stateid) => {
    if (specialStateid(stateid) !== null) return NFS4ERR_BAD_STATEID;
    const state = services.states.find(stateid, client);
    return typeof state === "number" ? state : NFS4_OK;
  });
  return { tsr_status: NFS4_OK, tsr_resok4: { tsr_status_codes: codes } };
};
