import { expect } from "vitest";
import { Address } from "../../src/address.ts";
import { CHECKSUM_GOOD, HEADER_REGION, InboundPacket, OutboundPacket } from "../../src/packet.ts";
import { endsOfSegment } from "../../src/tcp/ends.ts";
import type { FlowKey } from "../../src/tcp/flow.ts";
import { TcpSegment } from "../../src/tcp/segment.ts";
import { TcpStatistics } from "../../src/tcp/statistics.ts";

/** A whole IP packet as TCP gets it, its checksum taken for good. */
export function parsePacket(bytes: Uint8Array): TcpSegment {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const packet = new InboundPacket();
  const isIpv4 = bytes[0]! >>> 4 === 4;
  const [source, destination, at] = isIpv4 ? [12, 16, 20] : [8, 24, 40];
  const length = isIpv4 ? 4 : 16;
  const from = Address.fromBytes(bytes.subarray(source, source + length));
  const to = Address.fromBytes(bytes.subarray(destination, destination + length));
  Object.assign(packet, { slab: bytes, view, family: isIpv4 ? 4 : 6, transportOffset: at, end: bytes.length });
  Object.assign(packet, { src0: from.w0, src1: from.w1, src2: from.w2, src3: from.w3 });
  Object.assign(packet, { dst0: to.w0, dst1: to.w1, dst2: to.w2, dst3: to.w3, checksum: CHECKSUM_GOOD });
  const segment = new TcpSegment();
  expect(segment.parse(packet, new TcpStatistics())).toBe(true);
  return segment;
}

/** The ends as its receiver sees them. */
export function endsOf(segment: TcpSegment): FlowKey {
  return endsOfSegment(segment);
}

/** The same segment on its way out, header and options included, its payload in pieces. */
export function outbound(segment: TcpSegment): OutboundPacket {
  const { packet, payloadOffset } = segment;
  const slab = new Uint8Array(HEADER_REGION);
  const out = new OutboundPacket(slab, new DataView(slab.buffer), 0);
  const { family, src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
  Object.assign(out, { family, src0, src1, src2, src3, dst0, dst1, dst2, dst3 });
  slab.set(packet.slab.subarray(packet.transportOffset, payloadOffset), out.transportOffset);
  out.transportLength = payloadOffset - packet.transportOffset;
  for (let at = payloadOffset; at < packet.end; at += 333) {
    out.addSlice(packet.slab, at, Math.min(333, packet.end - at));
  }
  return out;
}

/** The TCP header of an outbound packet. */
export function sentBytes(out: OutboundPacket): Buffer {
  return Buffer.from(out.slab.subarray(out.transportOffset, out.transportOffset + out.transportLength));
}
