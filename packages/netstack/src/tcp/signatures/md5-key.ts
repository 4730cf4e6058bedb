import { hash } from "node:crypto";
import type { OutboundPacket } from "../../packet.ts";
import { OPTION_MD5, TCP_HEADER } from "../constants.ts";
import { TcpError } from "../errors.ts";
import type { TcpSegment } from "../segment.ts";
import { secretBytes } from "./secret.ts";
import type { SignatureKey } from "./signature-key.ts";
import type { SignedMessage } from "./signed-message.ts";
import { SIGNATURE_BAD, SIGNATURE_GOOD, type SignatureInfo, type SignatureVerdict, type Signer } from "./signer.ts";

const OPTION_LENGTH = 18;
const DIGEST_LENGTH = 16;
const INFO: SignatureInfo = { kind: "md5" };

/**
 * A key for the TCP MD5 Signature option (RFC 2385). The signature does not depend on the connection but by what its segments say, so one object is key
 * and signer of every connection that uses it. RFC 5925 obsoletes it; BGP still asks for it.
 */
export class Md5Key implements SignatureKey, Signer {
  readonly kind = "md5";
  readonly optionKind: number = OPTION_MD5;
  readonly optionLength: number = OPTION_LENGTH;
  readonly #secret: Uint8Array;

  /**
   * `secret`: 1 to 80 bytes, or text that is that in UTF-8; it is copied. Throws a RangeError for another length, and a `TcpError` (ENOTSUP) where
   * this process has no MD5 (FIPS mode).
   */
  constructor(secret: string | Uint8Array) {
    this.#secret = secretBytes(secret);
    try {
      hash("md5", this.#secret);
    } catch {
      throw new TcpError(
        "ENOTSUP",
        "RFC 2385 needs MD5, which the cryptography library of this process does not offer",
      );
    }
  }

  signer(): Signer {
    return this;
  }

  resetSigner(): Signer {
    return this;
  }

  sign(packet: OutboundPacket, message: SignedMessage): boolean {
    const { view, slab } = packet;
    message.begin();
    message.addPseudoHeader(packet);
    message.addHeader(slab, packet.transportOffset, TCP_HEADER);
    message.addPayload(packet);
    const at = packet.transportOffset + packet.transportLength - OPTION_LENGTH;
    view.setUint16(at, (OPTION_MD5 << 8) | OPTION_LENGTH);
    const digest = this.#digest(message);
    for (let i = 0; i < DIGEST_LENGTH; i++) slab[at + 2 + i] = byteOf(digest, i);
    return true;
  }

  /** Takes as long wherever the first difference is. */
  verify(segment: TcpSegment, message: SignedMessage): SignatureVerdict {
    const { packet, options } = segment;
    if (options.signatureLength !== OPTION_LENGTH) return SIGNATURE_BAD;
    const { slab } = packet;
    message.begin();
    message.addInboundPseudoHeader(packet);
    message.addHeader(slab, packet.transportOffset, TCP_HEADER);
    message.add(slab, segment.payloadOffset, segment.length);
    const digest = this.#digest(message);
    const at = options.signatureOffset + 2;
    let difference = 0;
    for (let i = 0; i < DIGEST_LENGTH; i++) difference |= slab[at + i]! ^ byteOf(digest, i);
    return difference === 0 ? SIGNATURE_GOOD : SIGNATURE_BAD;
  }

  synchronize(): void {}

  info(): SignatureInfo {
    return INFO;
  }

  /** RFC 2385 §2: pseudo-header, header without options and checksum, payload, key. As hexadecimal digits: node:crypto is five times faster so. */
  #digest(message: SignedMessage): string {
    message.add(this.#secret, 0, this.#secret.length);
    return hash("md5", message.bytes);
  }
}

/** Byte `index` of lower-case hexadecimal digits. */
function byteOf(digits: string, index: number): number {
  return (nibble(digits.charCodeAt(2 * index)) << 4) | nibble(digits.charCodeAt(2 * index + 1));
}

/** "0" … "9" are 0x30 …, "a" … "f" are 0x61 …: no branch. */
function nibble(digit: number): number {
  return (digit & 15) + 9 * (digit >>> 6);
}
