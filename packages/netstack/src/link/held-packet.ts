import { gather } from "../drivers/gather.ts";
import type { OutboundPacket } from "../packet.ts";

/** A copy of a packet (IP header first) that waits until its next hop's address is known. */
export class HeldPacket {
  readonly bytes: Uint8Array;
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly headerLength: number;
  /** From the IP header to the transport's. */
  readonly transportAt: number;
  readonly checksumOffset: number;
  readonly segmentSize: number;

  constructor(packet: OutboundPacket) {
    this.bytes = new Uint8Array(packet.headerLength + packet.payloadLength);
    gather(packet, this.bytes, 0);
    this.family = packet.family;
    this.protocol = packet.protocol;
    this.headerLength = packet.headerLength;
    this.transportAt = packet.transportOffset - packet.headerOffset;
    this.checksumOffset = packet.checksumOffset;
    this.segmentSize = packet.segmentSize;
  }

  /** Makes `packet`, freshly acquired, what was copied. */
  restore(packet: OutboundPacket): void {
    packet.family = this.family;
    packet.protocol = this.protocol;
    packet.checksumOffset = this.checksumOffset;
    packet.segmentSize = this.segmentSize;
    packet.headerOffset = packet.transportOffset - this.transportAt;
    packet.headerLength = this.headerLength;
    packet.transportLength = this.headerLength - this.transportAt;
    packet.slab.set(this.bytes.subarray(0, this.headerLength), packet.headerOffset);
    const payload = this.bytes.length - this.headerLength;
    if (payload > 0) packet.addSlice(this.bytes, this.headerLength, payload);
  }
}
