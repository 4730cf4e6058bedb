import { OPTION_AO, OPTION_MD5 } from "../constants.ts";
import type { TcpContext } from "../context.ts";
import type { TcpSegment } from "../segment.ts";
import { SIGNATURE_GOOD, SIGNATURE_KEY_UNKNOWN, type Verifier } from "./signer.ts";

/**
 * Whether the segment is signed as it must be: by `verifier`, or not at all where that is null. Comes before anything else of the segment is believed; what
 * fails is counted, shown to whoever looks for odd packets, and dropped without an answer (RFC 2385 §2, RFC 5925 §7.3).
 */
export function isSignedAsExpected(context: TcpContext, verifier: Verifier | null, segment: TcpSegment): boolean {
  const { statistics, tunables } = context;
  const { signatureKind, signatureCount } = segment.options;
  if (verifier === null) {
    // RFC 5925 §7.3: what matches no key is accepted unless the user says otherwise, but not with two signatures (§2.2).
    const ignored = signatureKind === OPTION_AO && signatureCount === 1 && tunables.aoAcceptUnmatched.value;
    if (signatureCount === 0 || ignored) return true;
    statistics.sigErrSigOpt++;
    context.odd(segment, "TCP signature that nobody expects");
    return false;
  }
  if (signatureKind !== verifier.optionKind || signatureCount !== 1) {
    statistics.sigErrNoSigOpt++;
    context.odd(segment, "TCP segment not signed as its key asks");
    return false;
  }
  if (signatureKind === OPTION_MD5 && !tunables.signatureVerifyInput.value) return true;
  const verdict = verifier.verify(segment, context.signedMessage);
  if (verdict === SIGNATURE_GOOD) {
    statistics.sigRcvGoodSig++;
    return true;
  }
  if (verdict === SIGNATURE_KEY_UNKNOWN) {
    statistics.aoKeyNotFound++;
    context.odd(segment, "TCP signature by a key that is not there");
  } else {
    statistics.sigRcvBadSig++;
    context.odd(segment, "TCP signature that does not hold");
  }
  return false;
}
