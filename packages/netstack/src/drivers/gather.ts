import type { OutboundPacket } from "../packet.ts";

/** Copies a packet (link header first) to `slab[at …)` and returns its length. For drivers that cannot gather. */
export function gather(packet: OutboundPacket, slab: Uint8Array, at: number): number {
  let to = at;
  slab.set(packet.slab.subarray(packet.headerOffset, packet.headerOffset + packet.headerLength), to);
  to += packet.headerLength;
  for (let i = 0; i < packet.sliceCount; i++) {
    const from = packet.sliceOffsets[i] as number;
    const length = packet.sliceLengths[i] as number;
    slab.set((packet.slices[i] as Uint8Array).subarray(from, from + length), to);
    to += length;
  }
  return to - at;
}
