import { isMulticast, MAPPED } from "../address.ts";
import { sumView } from "../checksum.ts";
import { CHECKSUM_UNKNOWN, type InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { IpStatistics } from "../statistics.ts";
import { Forwarding } from "./forwarding.ts";
import type { Icmp } from "./icmp.ts";
import {
  ICMP_PARAMPROB,
  ICMP_TIMXCEED,
  ICMP_UNREACH,
  TIMXCEED_REASS,
  UNREACH_PROTOCOL,
  UNREACH_SOURCE_ROUTE_FAILED,
} from "./icmp-constants.ts";
import type { IpLayer } from "./ip-layer.ts";
import { checkOptions, OPTIONS_GOOD, OPTIONS_SOURCE_ROUTE } from "./ipv4-options.ts";
import { IPV4_HEADER } from "./ipv4-output.ts";
import type { PartialDatagram } from "./partial-datagram.ts";
import { Reassembly } from "./reassembly.ts";

const ALL_HOSTS = 0xe0000001;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const SECOND = 1e6;

/** Takes IPv4 packets from the links: checks them, puts fragments together, and hands them to their protocol. */
export class Ipv4Input {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #icmp: Icmp;
  readonly #statistics: IpStatistics;
  readonly #forwarding: Forwarding;
  readonly #reassembly: Reassembly;

  constructor(stack: Stack, ip: IpLayer, icmp: Icmp) {
    this.#stack = stack;
    this.#ip = ip;
    this.#icmp = icmp;
    this.#statistics = stack.statistics.ip;
    this.#forwarding = new Forwarding(stack, ip, icmp);
    this.#reassembly = this.#makeReassembly();
  }

  /** `packet` has its interface, slab, `ipOffset`, `end`, `checksum`, `segmentSize` and the link's `multicast` set. */
  receive(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const { view, ipOffset } = packet;
    statistics.total++;
    const available = packet.end - ipOffset;
    if (available < IPV4_HEADER) {
      statistics.tooShort++;
      this.#odd(packet, "IPv4 header cut off");
      return;
    }
    const first = view.getUint8(ipOffset);
    if (first >>> 4 !== 4) {
      statistics.badVers++;
      this.#odd(packet, "IP version that does not fit the link");
      return;
    }
    const headerLength = (first & 15) << 2;
    if (headerLength < IPV4_HEADER || headerLength > available) {
      statistics.badHlen++;
      this.#odd(packet, "IPv4 header length impossible");
      return;
    }
    if (sumView(view, ipOffset, headerLength) !== 0xffff) {
      statistics.badSum++;
      this.#odd(packet, "IPv4 header checksum wrong");
      return;
    }
    const total = view.getUint16(ipOffset + 2);
    if (total < headerLength) {
      statistics.badLen++;
      this.#odd(packet, "IPv4 length impossible");
      return;
    }
    if (total > available) {
      statistics.tooSmall++;
      this.#odd(packet, "IPv4 packet cut off");
      return;
    }
    packet.end = ipOffset + total;
    packet.family = 4;
    packet.transportOffset = ipOffset + headerLength;
    packet.trafficClass = view.getUint8(ipOffset + 1);
    packet.hopLimit = view.getUint8(ipOffset + 8);
    packet.protocol = view.getUint8(ipOffset + 9);
    packet.src0 = 0;
    packet.src1 = 0;
    packet.src2 = MAPPED;
    packet.src3 = view.getUint32(ipOffset + 12);
    packet.dst0 = 0;
    packet.dst1 = 0;
    packet.dst2 = MAPPED;
    packet.dst3 = view.getUint32(ipOffset + 16);
    if (!this.#addressesGood(packet)) {
      statistics.badAddr++;
      this.#odd(packet, "IPv4 address that cannot be");
      return;
    }
    if (headerLength > IPV4_HEADER && !this.#optionsGood(packet, headerLength)) return;
    this.#accept(packet);
  }

  #odd(packet: InboundPacket, reason: string): void {
    this.#stack.oddPackets.mark(packet, reason);
  }

  /** RFC 1122 §3.2.1.3: who may be a source; 127/8 and our own addresses only within (net.inet.ip.source_address_validation). */
  #addressesGood(packet: InboundPacket): boolean {
    const source = packet.src3;
    if (source >>> 28 >= 14) return false;
    if (packet.iface === this.#stack.loopback) return true;
    return source >>> 24 !== 127 && packet.dst3 >>> 24 !== 127 && !this.#ip.isLocal(0, 0, MAPPED, source);
  }

  /** Options are skipped, but must be well-formed, and may not route by source. */
  #optionsGood(packet: InboundPacket, headerLength: number): boolean {
    const verdict = checkOptions(packet.view, packet.ipOffset + IPV4_HEADER, headerLength - IPV4_HEADER);
    if (verdict === OPTIONS_GOOD) return true;
    if (verdict === OPTIONS_SOURCE_ROUTE) {
      this.#statistics.sourceRouted++;
      this.#odd(packet, "IPv4 source route");
      this.#icmp.sendError(packet, ICMP_UNREACH, UNREACH_SOURCE_ROUTE_FAILED);
    } else {
      this.#statistics.badOptions++;
      this.#odd(packet, "IPv4 options that are wrong");
      this.#icmp.sendError(packet, ICMP_PARAMPROB, 0, ((IPV4_HEADER + verdict) << 24) >>> 0);
    }
    return false;
  }

  /** For us, for everybody, or for somebody else? */
  #accept(packet: InboundPacket): void {
    const destination = packet.dst3;
    if (!this.#ip.isLocal(0, 0, MAPPED, destination)) {
      if (isMulticast(0, 0, MAPPED, destination)) {
        packet.multicast = true;
        if (destination !== ALL_HOSTS) {
          this.#statistics.notMember++;
          return;
        }
      } else if (this.#ip.isBroadcast(0, 0, MAPPED, destination)) {
        packet.multicast = true;
      } else {
        this.#forwarding.forward(packet);
        return;
      }
    }
    const fragment = packet.view.getUint16(packet.ipOffset + 6);
    if ((fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0) this.#reassemble(packet, fragment);
    else this.#deliver(packet);
  }

  #deliver(packet: InboundPacket): void {
    if (this.#ip.deliver(packet)) {
      this.#statistics.delivered++;
      return;
    }
    this.#statistics.noProto++;
    this.#icmp.sendError(packet, ICMP_UNREACH, UNREACH_PROTOCOL);
  }

  // ——— Fragments ———

  #reassemble(packet: InboundPacket, field: number): void {
    const statistics = this.#statistics;
    const { view, ipOffset } = packet;
    const more = (field & MORE_FRAGMENTS) !== 0;
    const length = packet.end - packet.transportOffset;
    statistics.fragments++;
    // RFC 791 §3.2: all but the last carry a multiple of eight bytes.
    if (length === 0 || (more && length % 8 !== 0)) {
      statistics.tooShort++;
      statistics.fragDropped++;
      this.#odd(packet, "IPv4 fragment of impossible length");
      return;
    }
    const headerLength = packet.transportOffset - ipOffset;
    if (headerLength + (field & OFFSET_MASK) * 8 + length > 65535) {
      statistics.tooLong++;
      statistics.fragDropped++;
      this.#odd(packet, "IPv4 fragment beyond the longest packet");
      return;
    }
    const result = this.#reassembly.add(
      packet,
      view.getUint16(ipOffset + 4),
      (field & OFFSET_MASK) * 8,
      more,
      headerLength,
    );
    if (result === "kept") return;
    if (result !== "complete") {
      statistics.fragDropped++;
      if (result === "overlap") this.#odd(packet, "IPv4 fragment that contradicts others");
      return;
    }
    const datagram = this.#reassembly.completed as PartialDatagram;
    const whole = datagram.join();
    // The first fragment's header may be longer than that of the one that reached furthest.
    if (whole.length > 65535) {
      statistics.tooLong++;
      return;
    }
    statistics.reassembled++;
    this.#restore(packet, datagram, whole);
    this.#deliver(packet);
  }

  /** Makes `packet` the packet that was cut, or what there is of it, header included. */
  #restore(packet: InboundPacket, datagram: PartialDatagram, bytes: Uint8Array): void {
    const headerLength = (datagram.header as Uint8Array).length;
    const view = new DataView(bytes.buffer);
    view.setUint8(1, datagram.trafficClass);
    view.setUint16(2, bytes.length);
    view.setUint16(6, 0);
    view.setUint16(10, 0);
    view.setUint16(10, ~sumView(view, 0, headerLength));
    packet.slab = bytes;
    packet.view = view;
    packet.ipOffset = 0;
    packet.transportOffset = headerLength;
    packet.end = bytes.length;
    packet.trafficClass = datagram.trafficClass;
    packet.checksum = CHECKSUM_UNKNOWN;
    packet.segmentSize = 0;
  }

  /** RFC 1122 §3.3.2: "time exceeded" with what came first, if that is here. */
  #timedOut(datagram: PartialDatagram): void {
    this.#statistics.fragTimeout += datagram.arrived;
    const { header } = datagram;
    if (header === null || !this.#ip.isLocal(datagram.d0, datagram.d1, datagram.d2, datagram.d3)) return;
    const route = this.#ip.route(datagram.s0, datagram.s1, datagram.s2, datagram.s3);
    const first = datagram.fragments[0];
    if (route === null || first === undefined) return;
    const bytes = new Uint8Array(header.length + first.bytes.length);
    bytes.set(header);
    bytes.set(first.bytes, header.length);
    const packet = this.#stack.inbound;
    this.#restore(packet, datagram, bytes);
    packet.iface = route.iface;
    packet.family = 4;
    packet.protocol = datagram.protocol;
    packet.multicast = false;
    packet.src0 = 0;
    packet.src1 = 0;
    packet.src2 = MAPPED;
    packet.src3 = datagram.s3;
    packet.dst0 = 0;
    packet.dst1 = 0;
    packet.dst2 = MAPPED;
    packet.dst3 = datagram.d3;
    this.#icmp.sendError(packet, ICMP_TIMXCEED, TIMXCEED_REASS);
  }

  #makeReassembly(): Reassembly {
    const { sysctl } = this.#stack;
    const packets = sysctl.number("net.inet.ip.maxfragpackets", 1024, {
      description: "Maximum number of IPv4 fragment reassembly queue entries",
      minimum: 0,
    });
    const fragmentsPerPacket = sysctl.number("net.inet.ip.maxfragsperpacket", 64, {
      description: "Maximum number of IPv4 fragments allowed per packet",
      minimum: 2,
    });
    const packetsPerSource = sysctl.number("net.inet.ip.maxfragpacketspersource", 64, {
      description: "Maximum number of IPv4 packets under reassembly from one source",
      minimum: 1,
    });
    const bytes = sysctl.number("net.inet.ip.maxfragbytes", 4 << 20, {
      description: "Maximum number of bytes of IPv4 fragments held",
      minimum: 65536,
    });
    const lifetime = sysctl.number("net.inet.ip.fragttl", 30, {
      description: "IP fragment life time on reassembly queue (seconds)",
      minimum: 1,
      maximum: 255,
    });
    return new Reassembly(
      this.#stack,
      { packets, fragmentsPerPacket, packetsPerSource, bytes, lifetime: () => lifetime.value * SECOND },
      true,
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
