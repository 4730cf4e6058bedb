import { isMapped, unscoped } from "../../address.ts";
import type { InboundPacket, OutboundPacket } from "../../packet.ts";
import { PROTOCOL_TCP } from "../constants.ts";

/** A full segment of Ethernet with its pseudo-header and a key. */
const SEGMENT_ROOM = 2048;
const CHECKSUM_OFFSET = 16;

/** What a signature is computed over, laid out in one piece. One scratch serves a stack: it holds one message at a time. */
export class SignedMessage {
  length = 0;
  #bytes: Uint8Array;
  #view: DataView;

  /** `room`: bytes to begin with. */
  constructor(room: number = SEGMENT_ROOM) {
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The message: lent until the next one is begun. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  begin(): void {
    this.length = 0;
  }

  addWord(word: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.length, word);
    this.length += 4;
  }

  add(bytes: Uint8Array, offset: number, length: number): void {
    this.#reserve(length);
    this.#bytes.set(bytes.subarray(offset, offset + length), this.length);
    this.length += length;
  }

  /** An address as on the wire: 4 bytes or 16, without the zone. */
  addAddress(w0: number, w1: number, w2: number, w3: number): void {
    if (!isMapped(w0, w1, w2)) {
      this.addWord(unscoped(w0));
      this.addWord(w1);
      this.addWord(w2);
    }
    this.addWord(w3);
  }

  /** The pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) of a packet that goes out. */
  addPseudoHeader(packet: OutboundPacket): void {
    this.addAddress(packet.src0, packet.src1, packet.src2, packet.src3);
    this.addAddress(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    this.#addLength(packet.family, packet.transportLength + packet.payloadLength);
  }

  /** The pseudo-header of a packet that came in. */
  addInboundPseudoHeader(packet: InboundPacket): void {
    this.addAddress(packet.src0, packet.src1, packet.src2, packet.src3);
    this.addAddress(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    this.#addLength(packet.family, packet.end - packet.transportOffset);
  }

  /** `length` bytes of the TCP header at `slab[offset]`, the checksum taken as zero. */
  addHeader(slab: Uint8Array, offset: number, length: number): void {
    const at = this.length;
    this.add(slab, offset, length);
    this.#view.setUint16(at + CHECKSUM_OFFSET, 0);
  }

  addPayload(packet: OutboundPacket): void {
    for (let i = 0; i < packet.sliceCount; i++) {
      this.add(packet.slices[i]!, packet.sliceOffsets[i]!, packet.sliceLengths[i]!);
    }
  }

  /** Zeros in place of `length` bytes at `offset`. */
  clear(offset: number, length: number): void {
    this.#bytes.fill(0, offset, offset + length);
  }

  #addLength(family: 4 | 6, length: number): void {
    if (family === 4) {
      this.addWord((PROTOCOL_TCP << 16) | length);
    } else {
      this.addWord(length);
      this.addWord(PROTOCOL_TCP);
    }
  }

  #reserve(length: number): void {
    const needed = this.length + length;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
