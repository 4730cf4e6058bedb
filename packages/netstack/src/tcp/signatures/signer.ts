import type { OutboundPacket } from "../../packet.ts";
import type { TcpSegment } from "../segment.ts";
import type { SignedMessage } from "./signed-message.ts";

export type SignatureKind = "md5" | "tcp-ao";

/** What a check of a signature comes to: it holds, it does not, or the key that it was made with is not there. */
export const SIGNATURE_GOOD = 0;
export const SIGNATURE_BAD = 1;
export const SIGNATURE_KEY_UNKNOWN = 2;
export type SignatureVerdict = typeof SIGNATURE_GOOD | typeof SIGNATURE_BAD | typeof SIGNATURE_KEY_UNKNOWN;

/** Judges the signatures of segments that come in. */
export interface Verifier {
  /** The option that it understands (RFC 2385: 19, RFC 5925: 29). */
  readonly optionKind: number;
  /** `segment` is as it was parsed: nothing trimmed, and exactly one signature of `optionKind` in it. `message` is scratch. */
  verify(segment: TcpSegment, message: SignedMessage): SignatureVerdict;
}

/** Signs what one connection sends, and judges what it receives. */
export interface Signer extends Verifier {
  readonly kind: SignatureKind;
  /** Bytes of its option, which is the last one in the header, without padding. */
  readonly optionLength: number;
  /**
   * Writes the option into the last `optionLength` bytes of a header that is finished but for its checksum. False: it cannot be signed, and must
   * not go out.
   */
  sign(packet: OutboundPacket, message: SignedMessage): boolean;
  /** An active open has learnt the peer's initial sequence number. */
  synchronize(irs: number): void;
  /** For `tcpInfo()`: nothing secret. */
  info(): SignatureInfo;
}

/** How a connection's segments are signed. */
export type SignatureInfo =
  | { readonly kind: "md5" }
  | {
      readonly kind: "tcp-ao";
      readonly algorithm: string;
      /** The key that we sign with, and the one that we ask the peer to sign with (RFC 5925 §6.1), by the ids in segments of ours; −1: none. */
      readonly keyId: number;
      readonly rnextKeyId: number;
      /** What the last genuine segment said; −1: none yet. */
      readonly receivedKeyId: number;
      readonly receivedRnextKeyId: number;
    };
