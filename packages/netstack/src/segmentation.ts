import { addSums, sumView } from "./checksum.ts";

/** FIN and PSH belong to the last segment, CWR to the first (RFC 3168 §6.1.2). */
const FIN_PSH = 0x09;
const CWR = 0x80;

/**
 * Cuts a TCP super-segment (an IP packet of either family, `length` bytes at `offset`) into packets of `segmentSize` payload bytes, as a device
 * with TSO does: sequence numbers, lengths, identifications and checksums set. Each result is a new array. What is no TCP packet comes back whole.
 */
export function cutSegments(slab: Uint8Array, offset: number, length: number, segmentSize: number): Uint8Array[] {
  const whole = slab.slice(offset, offset + length);
  const view = new DataView(whole.buffer);
  const isIpv4 = whole.length > 0 && (whole[0] as number) >>> 4 === 4;
  const ipLength = isIpv4 ? ((whole[0] as number) & 15) << 2 : 40;
  if (segmentSize <= 0 || whole.length < ipLength + 20 || view.getUint8(isIpv4 ? 9 : 6) !== 6) return [whole];
  const headers = ipLength + (view.getUint8(ipLength + 12) >>> 4) * 4;
  if (headers >= whole.length) return [whole];
  const segments: Uint8Array[] = [];
  for (let from = headers, index = 0; from < whole.length; from += segmentSize, index++) {
    const to = Math.min(from + segmentSize, whole.length);
    const segment = new Uint8Array(headers + to - from);
    segment.set(whole.subarray(0, headers));
    segment.set(whole.subarray(from, to), headers);
    finish(segment, ipLength, from - headers, index, to === whole.length);
    segments.push(segment);
  }
  return segments;
}

function finish(segment: Uint8Array, ipLength: number, sequence: number, index: number, last: boolean): void {
  const view = new DataView(segment.buffer);
  view.setUint32(ipLength + 4, view.getUint32(ipLength + 4) + sequence);
  let flags = view.getUint8(ipLength + 13);
  if (!last) flags &= ~FIN_PSH;
  if (index > 0) flags &= ~CWR;
  view.setUint8(ipLength + 13, flags);
  if (segment[0] !== undefined && segment[0] >>> 4 === 4) {
    view.setUint16(2, segment.length);
    view.setUint16(4, view.getUint16(4) + index);
    view.setUint16(10, 0);
    view.setUint16(10, ~sumView(view, 0, ipLength));
  } else {
    view.setUint16(4, segment.length - ipLength);
  }
  finishTransportChecksum(segment, ipLength);
}

/**
 * Computes the TCP, UDP or ICMPv6 checksum of a whole IP packet in place: what a device would have done with a partial one. `transportOffset`
 * is where the transport header begins. Does nothing for other protocols or if the field lies outside.
 */
export function finishTransportChecksum(packet: Uint8Array, transportOffset: number, protocol?: number): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const isIpv4 = (packet[0] as number) >>> 4 === 4;
  const next = protocol ?? view.getUint8(isIpv4 ? 9 : 6);
  const field = transportOffset + (next === 6 ? 16 : next === 17 ? 6 : 2);
  if ((next !== 6 && next !== 17 && next !== 58) || field + 2 > packet.length) return;
  const length = packet.length - transportOffset;
  const pseudo = foldOnce(
    (isIpv4 ? sumView(view, 12, 8) : sumView(view, 8, 32)) + next + (length & 0xffff) + (length >>> 16),
  );
  view.setUint16(field, 0);
  const checksum = ~addSums(sumView(view, transportOffset, length), pseudo) & 0xffff;
  view.setUint16(field, checksum === 0 && next === 17 ? 0xffff : checksum);
}

function foldOnce(sum: number): number {
  return (sum & 0xffff) + (sum >>> 16);
}
