import type { FlowKey } from "../flow.ts";
import type { TcpSegment } from "../segment.ts";
import type { SignatureKind, Signer, Verifier } from "./signer.ts";

/**
 * What two ends share to sign the segments between them: an `Md5Key` (RFC 2385) or a `KeyChain` (RFC 5925). It never gives its secrets away, by no
 * property, message or inspection.
 */
export interface SignatureKey extends Verifier {
  readonly kind: SignatureKind;
  /**
   * The signer of a connection. `irs` −1: the peer's initial sequence number is not known yet. `opening`: the peer's segment that begins it, already
   * verified; null where we begin.
   */
  signer(ends: FlowKey, iss: number, irs: number, opening: TcpSegment | null): Signer;
  /** The signer of the reset that answers a segment without a connection, or null where none can be made. */
  resetSigner(segment: TcpSegment): Signer | null;
}
