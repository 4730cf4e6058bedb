import { requestOutput } from "../context.ts";
import { TcpError } from "../errors.ts";
import { updateMaxSegment } from "../mss.ts";
import type { Tcb } from "../tcb.ts";
import { AoSigner } from "./ao-signer.ts";
import type { SignatureKey } from "./signature-key.ts";

/**
 * Signs an open connection with another MD5 key, or no longer (null). What is on its way under the old key will be dropped and sent again. Throws a
 * `TcpError` (EINVAL) for TCP-AO, which a connection has from its first segment to its last, and whose keys change within their chain.
 */
export function rekey(tcb: Tcb, key: SignatureKey | null): void {
  if (key?.kind === "tcp-ao" || tcb.signer?.kind === "tcp-ao") {
    throw new TcpError("EINVAL", "TCP-AO begins and ends with the connection; its key chain can be changed");
  }
  tcb.signer = key?.signer(tcb, tcb.iss, tcb.irs, null) ?? null;
  updateMaxSegment(tcb);
}

/** Which keys of its chain a connection with TCP-AO signs with (send id) and asks for (receive id). */
export interface KeySelection {
  readonly current?: number;
  readonly rnext?: number;
}

/** Tells the peer at once. Throws a `TcpError` (EINVAL) where there is no TCP-AO, a RangeError where the chain has no such key. */
export function selectKeys(tcb: Tcb, { current, rnext }: KeySelection): void {
  if (!(tcb.signer instanceof AoSigner)) throw new TcpError("EINVAL", "the connection has no TCP-AO");
  tcb.signer.select(current, rnext);
  tcb.ackNow = true;
  requestOutput(tcb);
}
