import { TcpError } from "../errors.ts";
import { updateMaxSegment } from "../mss.ts";
import type { Tcb } from "../tcb.ts";
import type { SignatureKey } from "./signature-key.ts";

/**
 * Signs an open connection with another MD5 key, or no longer (null). What is on its way under the old key will be dropped and sent again. Throws a
 * `TcpError` (EINVAL) for TCP-AO, which a connection has from its first segment to its last, and whose keys change within their chain.
 */
export function rekey(tcb: Tcb, key: SignatureKey | null): void {
  if (key?.kind === "tcp-ao" || tcb.signer?.kind === "tcp-ao") {
    throw new TcpError("EINVAL", "TCP-AO begins and ends with the connection; its key chain can be changed");
  }
  tcb.signer = key?.signer(tcb, tcb.iss, tcb.irs) ?? null;
  updateMaxSegment(tcb);
}
