import { isMulticast, MAPPED } from "../address.ts";
import { updateChecksum } from "../checksum.ts";
import { CHECKSUM_PARTIAL, CHECKSUM_UNKNOWN, type InboundPacket } from "../packet.ts";
import { cutSegments } from "../segmentation.ts";
import type { Stack } from "../stack.ts";
import type { IpStatistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import type { Icmp } from "./icmp.ts";
import { ICMP_TIMXCEED, ICMP_UNREACH, TIMXCEED_INTRANS, UNREACH_HOST } from "./icmp-constants.ts";
import type { IpLayer } from "./ip-layer.ts";
import { IPV4_HEADER } from "./ipv4-output.ts";
import { checksumField, completeChecksum, sumPseudoHeaderOf } from "./outbound-checksum.ts";
import type { Route } from "./route.ts";

/** Longest IPv4 header that fits in front of an outbound packet with link and device headers. */
const LONGEST_HEADER = 52;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** Sends packets for others on to the next hop (RFC 1812 §5.2), if net.inet.ip.forwarding is set. */
export class Forwarding {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #icmp: Icmp;
  readonly #statistics: IpStatistics;
  readonly #enabled: Sysctl<boolean>;

  constructor(stack: Stack, ip: IpLayer, icmp: Icmp) {
    this.#stack = stack;
    this.#ip = ip;
    this.#icmp = icmp;
    this.#statistics = stack.statistics.ip;
    this.#enabled = stack.sysctl.boolean("net.inet.ip.forwarding", false, {
      description: "Enable IP forwarding between interfaces",
    });
  }

  forward(packet: InboundPacket): void {
    const headerLength = packet.transportOffset - packet.ipOffset;
    if (!this.#enabled.value || packet.multicast || !isForwardable(packet) || headerLength > LONGEST_HEADER) {
      this.#statistics.cantForward++;
      return;
    }
    if (packet.hopLimit <= 1) {
      this.#icmp.sendError(packet, ICMP_TIMXCEED, TIMXCEED_INTRANS);
      return;
    }
    const route = this.#ip.route(0, 0, MAPPED, packet.dst3);
    if (route === null || route.local || route.broadcast) {
      this.#statistics.cantForward++;
      if (route === null) this.#icmp.sendError(packet, ICMP_UNREACH, UNREACH_HOST);
      return;
    }
    this.#send(packet, route);
  }

  #send(packet: InboundPacket, route: Route): void {
    const { view, ipOffset } = packet;
    const total = packet.end - ipOffset;
    const { capabilities } = route.iface;
    const headerLength = packet.transportOffset - ipOffset;
    const mayFragment = (view.getUint16(ipOffset + 6) & DONT_FRAGMENT) === 0 && headerLength === IPV4_HEADER;
    if (packet.segmentSize !== 0) {
      const largest = headerLength + tcpHeaderLength(packet) + packet.segmentSize;
      if (largest > route.mtu && !mayFragment) this.#refuse(packet, route);
      else if (largest <= route.mtu && total <= capabilities.segmentation4) this.#passOn(packet, route);
      else this.#cut(packet, route);
      return;
    }
    if (total <= route.mtu) {
      this.#passOn(packet, route);
    } else if (mayFragment) {
      this.#fragment(packet, route);
    } else {
      this.#refuse(packet, route);
    }
  }

  #refuse(packet: InboundPacket, route: Route): void {
    this.#statistics.cantFrag++;
    this.#icmp.sendTooBig(packet, route.mtu);
  }

  /** As it is but for the time to live; the bytes behind the header go out from where they lie. */
  #passOn(packet: InboundPacket, route: Route): void {
    const { view, ipOffset, transportOffset } = packet;
    const field = checksumField(packet.protocol);
    const device = route.iface.capabilities.transmitChecksum;
    const isPartial = packet.checksum === CHECKSUM_PARTIAL;
    const leaveToDevice = field >= 0 && device && (isPartial || packet.segmentSize !== 0);
    if (leaveToDevice && !isPartial) view.setUint16(transportOffset + field, sumPseudoHeaderOf(packet));
    else if (isPartial && !leaveToDevice) completeChecksum(packet);
    const out = this.#stack.acquireOutbound();
    const headerLength = transportOffset - ipOffset;
    const to = out.transportOffset - headerLength;
    out.family = 4;
    out.protocol = packet.protocol;
    out.slab.set(packet.slab.subarray(ipOffset, transportOffset), to);
    const ttlWord = view.getUint16(ipOffset + 8);
    out.view.setUint16(to + 8, ttlWord - 0x100);
    out.view.setUint16(to + 10, updateChecksum(view.getUint16(ipOffset + 10), ttlWord, ttlWord - 0x100));
    out.headerOffset = to;
    out.headerLength = headerLength;
    out.addSlice(packet.slab, transportOffset, packet.end - transportOffset);
    out.segmentSize = packet.segmentSize;
    out.checksumOffset = leaveToDevice ? field : -1;
    this.#statistics.forward++;
    route.iface.link.output(out, route);
  }

  #fragment(packet: InboundPacket, route: Route): void {
    if (packet.checksum === CHECKSUM_PARTIAL) completeChecksum(packet);
    const { view, ipOffset, transportOffset } = packet;
    const out = this.#stack.acquireOutbound();
    out.family = 4;
    out.protocol = packet.protocol;
    out.trafficClass = packet.trafficClass;
    out.hopLimit = packet.hopLimit - 1;
    out.src3 = packet.src3;
    out.dst3 = packet.dst3;
    out.addSlice(packet.slab, transportOffset, packet.end - transportOffset);
    const field = view.getUint16(ipOffset + 6);
    this.#statistics.forward++;
    this.#ip.output4.fragment(out, route, view.getUint16(ipOffset + 4), field & 0x1fff, (field & MORE_FRAGMENTS) !== 0);
  }

  /** The way on does not take super-segments: what its device cannot cut is cut here. */
  #cut(packet: InboundPacket, route: Route): void {
    const { slab, view, checksum } = packet;
    for (const segment of cutSegments(slab, packet.ipOffset, packet.end - packet.ipOffset, packet.segmentSize)) {
      packet.slab = segment;
      packet.view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
      packet.transportOffset = packet.transportOffset - packet.ipOffset;
      packet.ipOffset = 0;
      packet.end = segment.length;
      packet.segmentSize = 0;
      packet.checksum = CHECKSUM_UNKNOWN;
      this.#send(packet, route);
    }
    packet.slab = slab;
    packet.view = view;
    packet.checksum = checksum;
  }
}

/** RFC 1812 §5.3.7, RFC 3927 §2.6.2. */
function isForwardable(packet: InboundPacket): boolean {
  const { src3, dst3 } = packet;
  if (isMulticast(0, 0, MAPPED, dst3) || dst3 >>> 28 === 15 || dst3 >>> 24 === 0 || src3 >>> 24 === 0) return false;
  return dst3 >>> 16 !== 0xa9fe && src3 >>> 16 !== 0xa9fe;
}

function tcpHeaderLength(packet: InboundPacket): number {
  return packet.end - packet.transportOffset > 12 ? (packet.view.getUint8(packet.transportOffset + 12) >>> 4) << 2 : 0;
}
