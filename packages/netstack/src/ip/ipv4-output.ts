import { sumView } from "../checksum.ts";
import type { OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { IpStatistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import { copyAddressing, copyRange } from "./fragment-copy.ts";
import { fillTransportChecksum, tcpHeaderLength } from "./outbound-checksum.ts";
import { BAD_ADDRESS, OUTPUT_OK, type OutputResult, PROTOCOL_TCP, TOO_BIG } from "./protocol.ts";
import type { Route } from "./route.ts";

export const IPV4_HEADER = 20;
const MORE_FRAGMENTS = 0x2000;
const DONT_FRAGMENT = 0x4000;
/** The total length field has 16 bits. */
const LONGEST = 65535;

/** Puts IPv4 headers in front of packets, cuts those that are longer than the path allows, and hands them to the link. */
export class Ipv4Output {
  readonly #stack: Stack;
  readonly #statistics: IpStatistics;
  readonly #ttl: Sysctl<number>;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#statistics = stack.statistics.ip;
    this.#ttl = stack.sysctl.number("net.inet.ip.ttl", 64, {
      description: "Maximum TTL on IP packets",
      minimum: 1,
      maximum: 255,
    });
  }

  /** Owns the packet. */
  send(packet: OutboundPacket, route: Route): OutputResult {
    const { iface } = route;
    const { capabilities } = iface;
    const total = IPV4_HEADER + packet.transportLength + packet.payloadLength;
    this.#statistics.localOut++;
    if (total > LONGEST) {
      this.#statistics.tooLong++;
      this.#stack.releaseOutbound(packet);
      return TOO_BIG;
    }
    if ((route.broadcast || route.multicast) && packet.protocol === PROTOCOL_TCP) {
      this.#statistics.badAddr++;
      this.#stack.releaseOutbound(packet);
      return BAD_ADDRESS;
    }
    if (packet.segmentSize !== 0) {
      const segment = IPV4_HEADER + tcpHeaderLength(packet) + packet.segmentSize;
      if (total > capabilities.segmentation4 || segment > route.mtu) return this.#refuse(packet);
    } else if (total > route.mtu) {
      if (packet.dontFragment) return this.#refuse(packet);
      return this.fragment(packet, route, route.nextId++ & 0xffff, 0, false);
    }
    fillTransportChecksum(
      packet,
      packet.segmentSize !== 0 || (capabilities.transmitChecksum && packet.checksumOffset >= 0),
    );
    writeHeader(
      packet,
      total,
      packet.dontFragment ? 0 : route.nextId++ & 0xffff,
      packet.dontFragment ? DONT_FRAGMENT : 0,
      this.#ttl.value,
    );
    const result = iface.link.output(packet, route);
    if (result !== OUTPUT_OK) this.#statistics.oDropped++;
    return result;
  }

  #refuse(packet: OutboundPacket): OutputResult {
    this.#statistics.cantFrag++;
    this.#stack.releaseOutbound(packet);
    return TOO_BIG;
  }

  /**
   * Cuts a packet and sends the pieces (RFC 791 §3.2: all but the last carry a multiple of eight bytes). It may be a fragment itself: `base` is
   * its offset in units of eight bytes, `more` whether others follow it. Owns the packet.
   */
  fragment(packet: OutboundPacket, route: Route, id: number, base: number, more: boolean): OutputResult {
    fillTransportChecksum(packet, false);
    const length = packet.transportLength + packet.payloadLength;
    const step = (route.mtu - IPV4_HEADER) & ~7;
    let result: OutputResult = OUTPUT_OK;
    for (let from = 0; from < length; from += step) {
      const to = Math.min(from + step, length);
      const piece = this.#stack.acquireOutbound();
      copyAddressing(packet, piece);
      copyRange(packet, piece, from, to);
      const flags = to < length || more ? MORE_FRAGMENTS : 0;
      writeHeader(piece, IPV4_HEADER + to - from, id, (base + (from >>> 3)) | flags, this.#ttl.value);
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
}

function writeHeader(packet: OutboundPacket, total: number, id: number, fragment: number, defaultTtl: number): void {
  const { view } = packet;
  const at = packet.transportOffset - IPV4_HEADER;
  view.setUint16(at, 0x4500 | packet.trafficClass);
  view.setUint16(at + 2, total);
  view.setUint16(at + 4, id);
  view.setUint16(at + 6, fragment);
  view.setUint16(at + 8, ((packet.hopLimit || defaultTtl) << 8) | packet.protocol);
  view.setUint16(at + 10, 0);
  view.setUint32(at + 12, packet.src3);
  view.setUint32(at + 16, packet.dst3);
  view.setUint16(at + 10, ~sumView(view, at, IPV4_HEADER));
  packet.headerOffset = at;
  packet.headerLength = IPV4_HEADER + packet.transportLength;
}
