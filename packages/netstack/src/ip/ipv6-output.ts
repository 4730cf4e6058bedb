import { unscoped } from "../address.ts";
import type { OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { Ip6Statistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import { copyAddressing, copyRange } from "./fragment-copy.ts";
import { fillTransportChecksum, tcpHeaderLength } from "./outbound-checksum.ts";
import {
  BAD_ADDRESS,
  OUTPUT_OK,
  type OutputResult,
  PROTOCOL_FRAGMENT,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TOO_BIG,
} from "./protocol.ts";
import type { Route } from "./route.ts";

export const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
/** The payload length field has 16 bits. */
const LONGEST_PAYLOAD = 65535;

/** Puts IPv6 headers in front of packets, cuts those that are longer than the path allows, and hands them to the link. */
export class Ipv6Output {
  readonly #stack: Stack;
  readonly #statistics: Ip6Statistics;
  readonly #hopLimit: Sysctl<number>;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#statistics = stack.statistics.ip6;
    this.#hopLimit = stack.sysctl.number("net.inet6.ip6.hlim", 64, {
      description: "Default hop limit to use for outgoing IPv6 packets",
      minimum: 1,
      maximum: 255,
    });
  }

  /** Owns the packet. */
  send(packet: OutboundPacket, route: Route): OutputResult {
    const { capabilities, link } = route.iface;
    const payload = packet.transportLength + packet.payloadLength;
    const total = IPV6_HEADER + payload;
    this.#statistics.localOut++;
    if (payload > LONGEST_PAYLOAD) return this.#refuse(packet);
    if (route.multicast && packet.protocol === PROTOCOL_TCP) {
      this.#statistics.badScope++;
      this.#stack.releaseOutbound(packet);
      return BAD_ADDRESS;
    }
    if (packet.segmentSize !== 0) {
      const segment = IPV6_HEADER + tcpHeaderLength(packet) + packet.segmentSize;
      if (total > capabilities.segmentation6 || segment > route.mtu) return this.#refuse(packet);
    } else if (total > route.mtu) {
      if (packet.dontFragment) return this.#refuse(packet);
      return this.#fragment(packet, route);
    }
    const isFinishable = packet.protocol === PROTOCOL_TCP || packet.protocol === PROTOCOL_UDP;
    fillTransportChecksum(packet, packet.segmentSize !== 0 || (capabilities.transmitChecksum && isFinishable));
    this.#writeHeader(packet, payload, packet.protocol, route.local);
    const result = link.output(packet, route);
    if (result !== OUTPUT_OK) this.#statistics.oDropped++;
    return result;
  }

  /** Writes header and checksum of a packet that does not go by a route: neighbour discovery. */
  prepare(packet: OutboundPacket): void {
    this.#statistics.localOut++;
    fillTransportChecksum(packet, false);
    this.#writeHeader(packet, packet.transportLength + packet.payloadLength, packet.protocol, false);
  }

  #refuse(packet: OutboundPacket): OutputResult {
    this.#statistics.cantFrag++;
    this.#stack.releaseOutbound(packet);
    return TOO_BIG;
  }

  /** RFC 8200 §4.5; the identification is not to be guessed (RFC 7739). Owns the packet. */
  #fragment(packet: OutboundPacket, route: Route): OutputResult {
    fillTransportChecksum(packet, false);
    const id = this.#stack.random.uint32();
    const length = packet.transportLength + packet.payloadLength;
    const step = (route.mtu - IPV6_HEADER - FRAGMENT_HEADER) & ~7;
    let result: OutputResult = OUTPUT_OK;
    for (let from = 0; from < length; from += step) {
      const to = Math.min(from + step, length);
      const piece = this.#stack.acquireOutbound();
      copyAddressing(packet, piece);
      copyRange(packet, piece, from, to, FRAGMENT_HEADER);
      const { view, transportOffset: at } = piece;
      view.setUint16(at, packet.protocol << 8);
      view.setUint16(at + 2, from | (to < length ? 1 : 0));
      view.setUint32(at + 4, id);
      this.#writeHeader(piece, FRAGMENT_HEADER + to - from, PROTOCOL_FRAGMENT, route.local);
      this.#statistics.oFragments++;
      const sent = route.iface.link.output(piece, route);
      if (sent === OUTPUT_OK) continue;
      this.#statistics.oDropped++;
      result = sent;
    }
    this.#statistics.fragmented++;
    this.#stack.releaseOutbound(packet);
    return result;
  }

  /** Zones stay in addresses that never leave the stack (`local`), so that they are still ours when they come back. */
  #writeHeader(packet: OutboundPacket, payload: number, next: number, local: boolean): void {
    const { view } = packet;
    const at = packet.transportOffset - IPV6_HEADER;
    view.setUint32(at, (0x60000000 | (packet.trafficClass << 20)) >>> 0);
    view.setUint16(at + 4, payload);
    view.setUint16(at + 6, (next << 8) | (packet.hopLimit || this.#hopLimit.value));
    view.setUint32(at + 8, local ? packet.src0 : unscoped(packet.src0));
    view.setUint32(at + 12, packet.src1);
    view.setUint32(at + 16, packet.src2);
    view.setUint32(at + 20, packet.src3);
    view.setUint32(at + 24, local ? packet.dst0 : unscoped(packet.dst0));
    view.setUint32(at + 28, packet.dst1);
    view.setUint32(at + 32, packet.dst2);
    view.setUint32(at + 36, packet.dst3);
    packet.headerOffset = at;
    packet.headerLength = IPV6_HEADER + packet.transportLength;
  }
}
