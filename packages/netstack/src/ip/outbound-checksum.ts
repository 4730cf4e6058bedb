import { addSums, sumBytes, sumPseudoHeader, sumView, swapSum } from "../checksum.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import { CHECKSUM_PARTIAL, CHECKSUM_UNKNOWN } from "../packet.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./protocol.ts";

/** Sum of everything behind the IP header: what the transport wrote, then the slices. */
export function sumTransport(packet: OutboundPacket): number {
  let sum = sumView(packet.view, packet.transportOffset, packet.transportLength);
  let odd = (packet.transportLength & 1) === 1;
  for (let i = 0; i < packet.sliceCount; i++) {
    const length = packet.sliceLengths[i] as number;
    const piece = sumBytes(packet.slices[i] as Uint8Array, packet.sliceOffsets[i] as number, length);
    sum = addSums(sum, odd ? swapSum(piece) : piece);
    if ((length & 1) === 1) odd = !odd;
  }
  return sum;
}

/**
 * Fills the checksum field that `checksumOffset` names: in full, or, where the device finishes it, with the folded pseudo-header sum, not
 * inverted. Either way the field is done with afterwards; a device that finishes it is told by `checksumOffset`.
 */
export function fillTransportChecksum(packet: OutboundPacket, deviceFinishes: boolean): void {
  if (packet.checksumOffset < 0) return;
  const field = packet.transportOffset + packet.checksumOffset;
  const pseudo = sumPseudoHeader(
    packet.src0,
    packet.src1,
    packet.src2,
    packet.src3,
    packet.dst0,
    packet.dst1,
    packet.dst2,
    packet.dst3,
    packet.protocol,
    packet.transportLength + packet.payloadLength,
  );
  if (deviceFinishes) {
    packet.view.setUint16(field, pseudo);
    return;
  }
  packet.view.setUint16(field, 0);
  let checksum = ~addSums(sumTransport(packet), pseudo) & 0xffff;
  // RFC 768: zero means "no checksum" to UDP, so a sum of zero goes out as its other form.
  if (checksum === 0 && packet.protocol === PROTOCOL_UDP) checksum = 0xffff;
  packet.view.setUint16(field, checksum);
  packet.checksumOffset = -1;
}

/** Bytes of TCP header that the transport wrote: what each segment of a super-segment carries. */
export function tcpHeaderLength(packet: OutboundPacket): number {
  return (packet.view.getUint8(packet.transportOffset + 12) >>> 4) << 2;
}

/** Whether the checksum over pseudo-header and transport bytes holds, by what the driver knows or by computing it. */
export function transportChecksumGood(packet: InboundPacket): boolean {
  if (packet.checksum !== CHECKSUM_UNKNOWN) return true;
  const length = packet.end - packet.transportOffset;
  return addSums(sumView(packet.view, packet.transportOffset, length), sumPseudoHeaderOf(packet)) === 0xffff;
}

/**
 * Finishes, where it stands, a checksum that the packet's sender had left to a device: before the bytes go anywhere else. Does nothing for
 * packets that have theirs.
 */
export function completeChecksum(packet: InboundPacket): void {
  const field = checksumField(packet.protocol);
  const { view, transportOffset } = packet;
  if (packet.checksum !== CHECKSUM_PARTIAL || field < 0 || transportOffset + field + 2 > packet.end) return;
  view.setUint16(transportOffset + field, 0);
  const sum = addSums(sumView(view, transportOffset, packet.end - transportOffset), sumPseudoHeaderOf(packet));
  const checksum = ~sum & 0xffff;
  view.setUint16(transportOffset + field, checksum === 0 && packet.protocol === PROTOCOL_UDP ? 0xffff : checksum);
  packet.checksum = CHECKSUM_UNKNOWN;
}

/** Where a protocol's checksum stands in its header; −1 if it is none that a device finishes. */
export function checksumField(protocol: number): number {
  return protocol === PROTOCOL_TCP ? 16 : protocol === PROTOCOL_UDP ? 6 : -1;
}

export function sumPseudoHeaderOf(packet: InboundPacket): number {
  return sumPseudoHeader(
    packet.src0,
    packet.src1,
    packet.src2,
    packet.src3,
    packet.dst0,
    packet.dst1,
    packet.dst2,
    packet.dst3,
    packet.protocol,
    packet.end - packet.transportOffset,
  );
}
