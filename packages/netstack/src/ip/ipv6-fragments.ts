import { CHECKSUM_UNKNOWN, type InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { Ip6Statistics } from "../statistics.ts";
import type { Icmp6 } from "./icmp6.ts";
import {
  ICMP6_PARAM_PROBLEM,
  ICMP6_TIME_EXCEEDED,
  PARAM_FIRST_FRAGMENT,
  PARAM_HEADER,
  TIME_EXCEEDED_REASSEMBLY,
} from "./icmp6-constants.ts";
import type { IpLayer } from "./ip-layer.ts";
import { holdsHeaderChain, lastNextHeaderAt } from "./ipv6-headers.ts";
import { IPV6_HEADER } from "./ipv6-output.ts";
import type { PartialDatagram } from "./partial-datagram.ts";
import { Reassembly } from "./reassembly.ts";

const SECOND = 1e6;

/** The fragment header (RFC 8200 §4.5): checks it, and makes whole packets of pieces. */
export class Ipv6Fragments {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #icmp: Icmp6;
  readonly #statistics: Ip6Statistics;
  readonly #reassembly: Reassembly;

  constructor(stack: Stack, ip: IpLayer, icmp: Icmp6) {
    this.#stack = stack;
    this.#ip = ip;
    this.#icmp = icmp;
    this.#statistics = stack.statistics.ip6;
    this.#reassembly = this.#makeReassembly();
  }

  /** Handles the fragment header at `at`. True if the packet may go on: it is whole by itself, or has become so. */
  accept(packet: InboundPacket, at: number): boolean {
    const statistics = this.#statistics;
    const { view, ipOffset } = packet;
    const field = view.getUint16(at + 2);
    const from = field & 0xfff8;
    const more = (field & 1) === 1;
    const length = packet.end - at - 8;
    statistics.fragments++;
    if (from === 0 && !more) {
      statistics.atomicFrags++;
      return true;
    }
    packet.transportOffset = at + 8;
    packet.protocol = view.getUint8(at);
    if (length === 0 || (more && length % 8 !== 0)) {
      statistics.fragDropped++;
      this.#odd(packet, "IPv6 fragment of impossible length");
      this.#icmp.sendError(packet, ICMP6_PARAM_PROBLEM, PARAM_HEADER, 4);
      return false;
    }
    if (from === 0 && !holdsHeaderChain(view, at + 8, packet.end, packet.protocol)) {
      statistics.fragDropped++;
      this.#odd(packet, "IPv6 first fragment without its headers");
      this.#icmp.sendError(packet, ICMP6_PARAM_PROBLEM, PARAM_FIRST_FRAGMENT, 0);
      return false;
    }
    const headerLength = at - ipOffset;
    if (headerLength - IPV6_HEADER + from + length > 65535) {
      statistics.fragDropped++;
      this.#odd(packet, "IPv6 fragment beyond the longest packet");
      this.#icmp.sendError(packet, ICMP6_PARAM_PROBLEM, PARAM_HEADER, at + 2 - ipOffset);
      return false;
    }
    const result = this.#reassembly.add(packet, view.getUint32(at + 4), from, more, headerLength);
    if (result === "complete") {
      const datagram = this.#reassembly.completed as PartialDatagram;
      this.#restore(packet, datagram, datagram.join());
      statistics.reassembled++;
      return true;
    }
    if (result === "overlap") this.#odd(packet, "IPv6 fragment that contradicts others");
    if (result === "limit") statistics.fragOverflow++;
    if (result !== "kept") statistics.fragDropped++;
    return false;
  }

  #odd(packet: InboundPacket, reason: string): void {
    this.#stack.oddPackets.mark(packet, reason);
  }

  /** Makes `packet` the packet that was cut, or what there is of it, header included. */
  #restore(packet: InboundPacket, datagram: PartialDatagram, bytes: Uint8Array): void {
    const headerLength = (datagram.header as Uint8Array).length;
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ((view.getUint32(0) & 0xf00fffff) | (datagram.trafficClass << 20)) >>> 0);
    view.setUint16(4, bytes.length - IPV6_HEADER);
    view.setUint8(lastNextHeaderAt(view, headerLength), datagram.protocol);
    packet.slab = bytes;
    packet.view = view;
    packet.ipOffset = 0;
    packet.transportOffset = headerLength;
    packet.protocol = datagram.protocol;
    packet.end = bytes.length;
    packet.trafficClass = datagram.trafficClass;
    packet.checksum = CHECKSUM_UNKNOWN;
    packet.segmentSize = 0;
  }

  /** RFC 8200 §4.5: "time exceeded" with the first fragment, if that is here. */
  #timedOut(datagram: PartialDatagram): void {
    this.#statistics.fragTimeout += datagram.arrived;
    const { header, s0, s1, s2, s3, d0, d1, d2, d3 } = datagram;
    const first = datagram.fragments[0];
    if (header === null || first === undefined || !this.#ip.isLocal(d0, d1, d2, d3)) return;
    const route = this.#ip.route(s0, s1, s2, s3);
    if (route === null) return;
    const bytes = new Uint8Array(header.length + first.bytes.length);
    bytes.set(header);
    bytes.set(first.bytes, header.length);
    const packet = this.#stack.inbound;
    this.#restore(packet, datagram, bytes);
    packet.iface = route.iface;
    packet.family = 6;
    packet.multicast = false;
    packet.src0 = s0;
    packet.src1 = s1;
    packet.src2 = s2;
    packet.src3 = s3;
    packet.dst0 = d0;
    packet.dst1 = d1;
    packet.dst2 = d2;
    packet.dst3 = d3;
    this.#icmp.sendError(packet, ICMP6_TIME_EXCEEDED, TIME_EXCEEDED_REASSEMBLY);
  }

  #makeReassembly(): Reassembly {
    const { sysctl } = this.#stack;
    const packets = sysctl.number("net.inet6.ip6.maxfragpackets", 1024, {
      description: "Default maximum number of outstanding fragmented IPv6 packets",
      minimum: 0,
    });
    const fragmentsPerPacket = sysctl.number("net.inet6.ip6.maxfragsperpacket", 64, {
      description: "Maximum allowed number of fragments per packet",
      minimum: 2,
    });
    const packetsPerSource = sysctl.number("net.inet6.ip6.maxfragpacketspersource", 64, {
      description: "Maximum number of IPv6 packets under reassembly from one source",
      minimum: 1,
    });
    const bytes = sysctl.number("net.inet6.ip6.maxfragbytes", 4 << 20, {
      description: "Maximum number of bytes of IPv6 fragments held",
      minimum: 65536,
    });
    const lifetime = sysctl.number("net.inet6.ip6.fraglifetime_ms", 60_000, {
      description: "Fragment lifetime, in milliseconds",
      minimum: 1,
    });
    return new Reassembly(
      this.#stack,
      { packets, fragmentsPerPacket, packetsPerSource, bytes, lifetime: () => (lifetime.value * SECOND) / 1000 },
      false,
      (datagram) => this.#timedOut(datagram),
      (fragments) => {
        this.#statistics.fragDropped += fragments;
      },
    );
  }

  close(): void {
    this.#reassembly.close();
  }
}
