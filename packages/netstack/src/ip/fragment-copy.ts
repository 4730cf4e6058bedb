import type { OutboundPacket } from "../packet.ts";

/** Gives a fragment its packet's addresses and header fields. */
export function copyAddressing(from: OutboundPacket, to: OutboundPacket): void {
  to.family = from.family;
  to.protocol = from.protocol;
  to.trafficClass = from.trafficClass;
  to.hopLimit = from.hopLimit;
  to.dontFragment = from.dontFragment;
  to.src0 = from.src0;
  to.src1 = from.src1;
  to.src2 = from.src2;
  to.src3 = from.src3;
  to.dst0 = from.dst0;
  to.dst1 = from.dst1;
  to.dst2 = from.dst2;
  to.dst3 = from.dst3;
}

/**
 * Gives `piece` bytes `[from, to)` of what follows the packet's IP header: inline bytes copied, slices by reference. `lead` bytes are left free
 * in front of them for a fragment header.
 */
export function copyRange(packet: OutboundPacket, piece: OutboundPacket, from: number, to: number, lead = 0): void {
  const inline = packet.transportLength;
  let written = lead;
  if (from < inline) {
    const end = Math.min(to, inline);
    const start = packet.transportOffset;
    packet.slab.copyWithin(piece.transportOffset + lead, start + from, start + end);
    written += end - from;
  }
  piece.transportLength = written;
  let position = inline;
  for (let i = 0; i < packet.sliceCount && position < to; i++) {
    const length = packet.sliceLengths[i] as number;
    const start = Math.max(from, position);
    const end = Math.min(to, position + length);
    if (end > start) {
      const offset = (packet.sliceOffsets[i] as number) + start - position;
      piece.addSlice(packet.slices[i] as Uint8Array, offset, end - start);
    }
    position += length;
  }
}
