import { isMapped, scoped } from "../address.ts";
import type { InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { Ip6Statistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import type { Icmp6 } from "./icmp6.ts";
import { ICMP6_PARAM_PROBLEM, PARAM_HEADER, PARAM_NEXT_HEADER, PARAM_OPTION } from "./icmp6-constants.ts";
import type { IpLayer } from "./ip-layer.ts";
import { Ipv6Fragments } from "./ipv6-fragments.ts";
import {
  checkOptions6,
  EVEN_TO_GROUPS,
  isExtensionHeader,
  isKnownOption,
  lastNextHeaderAt,
  OPTIONS6_GOOD,
} from "./ipv6-headers.ts";
import { IPV6_HEADER } from "./ipv6-output.ts";
import {
  PROTOCOL_FRAGMENT,
  PROTOCOL_HOP_BY_HOP,
  PROTOCOL_ICMPV6,
  PROTOCOL_NO_NEXT,
  PROTOCOL_ROUTING,
} from "./protocol.ts";

/** ff02::1:ff00:0/104 (RFC 4291 §2.7.1). */
const SOLICITED_NODE = 0xff000000;

/** Takes IPv6 packets from the links: checks them, walks the extension headers, and hands them to their protocol (RFC 8200). */
export class Ipv6Input {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #icmp: Icmp6;
  readonly #statistics: Ip6Statistics;
  readonly #nestLimit: Sysctl<number>;
  readonly #fragments: Ipv6Fragments;

  constructor(stack: Stack, ip: IpLayer, icmp: Icmp6) {
    this.#stack = stack;
    this.#ip = ip;
    this.#icmp = icmp;
    this.#statistics = stack.statistics.ip6;
    this.#nestLimit = stack.sysctl.number("net.inet6.ip6.hdrnestlimit", 15, {
      description: "Default maximum number of IPv6 extension headers permitted on incoming IPv6 packets",
      minimum: 0,
    });
    this.#fragments = new Ipv6Fragments(stack, ip, icmp);
  }

  /** `packet` has its interface, slab, `ipOffset`, `end`, `checksum`, `segmentSize` and the link's `multicast` set. */
  receive(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const { view, ipOffset: at } = packet;
    statistics.total++;
    const available = packet.end - at;
    if (available < IPV6_HEADER) {
      statistics.tooShort++;
      this.#odd(packet, "IPv6 header cut off");
      return;
    }
    if (view.getUint8(at) >>> 4 !== 6) {
      statistics.badVers++;
      this.#odd(packet, "IP version that does not fit the link");
      return;
    }
    const payload = view.getUint16(at + 4);
    if (IPV6_HEADER + payload > available) {
      statistics.tooSmall++;
      this.#odd(packet, "IPv6 packet cut off");
      return;
    }
    const zone = packet.iface === this.#stack.loopback ? -1 : packet.iface.index;
    packet.end = at + IPV6_HEADER + payload;
    packet.family = 6;
    packet.trafficClass = (view.getUint16(at) >>> 4) & 0xff;
    packet.hopLimit = view.getUint8(at + 7);
    packet.src0 = inZone(view.getUint32(at + 8), zone);
    packet.src1 = view.getUint32(at + 12);
    packet.src2 = view.getUint32(at + 16);
    packet.src3 = view.getUint32(at + 20);
    packet.dst0 = inZone(view.getUint32(at + 24), zone);
    packet.dst1 = view.getUint32(at + 28);
    packet.dst2 = view.getUint32(at + 32);
    packet.dst3 = view.getUint32(at + 36);
    if (!this.#addressesGood(packet)) {
      statistics.badScope++;
      this.#odd(packet, "IPv6 address that cannot be");
      return;
    }
    if (!this.#isForUs(packet)) return;
    this.#walk(packet, at + IPV6_HEADER, view.getUint8(at + 6), at + 6);
  }

  #odd(packet: InboundPacket, reason: string): void {
    this.#stack.oddPackets.mark(packet, reason);
  }

  /** RFC 4291 §2.5.3, §2.7 and RFC 8200 §3; mapped IPv4 addresses have no business on the wire. */
  #addressesGood(packet: InboundPacket): boolean {
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    if (src0 >>> 24 === 0xff || isMapped(src0, src1, src2) || isMapped(dst0, dst1, dst2)) return false;
    if (dst0 === 0 && dst1 === 0 && dst2 === 0 && dst3 === 0) return false;
    // Interface-local groups (ff01::) and scope 0 do not cross a link.
    if (dst0 >>> 24 === 0xff && ((dst0 >>> 16) & 15) === 0) return false;
    if (packet.iface === this.#stack.loopback) return true;
    if (dst0 >>> 24 === 0xff && ((dst0 >>> 16) & 15) === 1) return false;
    if (isLoopback(src0, src1, src2, src3) || isLoopback(dst0, dst1, dst2, dst3)) return false;
    return !this.#ip.isLocal(src0, src1, src2, src3);
  }

  #isForUs(packet: InboundPacket): boolean {
    const { dst0, dst1, dst2, dst3 } = packet;
    if (dst0 >>> 24 === 0xff) {
      packet.multicast = true;
      if (isMember(packet)) return true;
      this.#statistics.notMember++;
      return false;
    }
    if (this.#ip.isLocal(dst0, dst1, dst2, dst3)) return true;
    this.#statistics.cantForward++;
    return false;
  }

  /** `field` is where the number of the header at `at` stands. */
  #walk(packet: InboundPacket, at: number, next: number, field: number): void {
    const { view } = packet;
    let position = at;
    let type = next;
    let nextField = field;
    for (let headers = 0; isExtensionHeader(type); headers++) {
      if (headers >= this.#nestLimit.value) {
        this.#statistics.tooManyHdr++;
        this.#odd(packet, "IPv6 extension headers without end");
        return;
      }
      if (type === PROTOCOL_FRAGMENT) {
        if (position + 8 > packet.end) {
          this.#statistics.tooShort++;
          return;
        }
        const whole = this.#fragments.accept(packet, position);
        if (!whole) return;
        if (packet.view !== view) {
          // Reassembled: go on in the new packet, behind the headers that stood before the fragment header.
          this.#walk(
            packet,
            packet.transportOffset,
            packet.protocol,
            lastNextHeaderAt(packet.view, packet.transportOffset),
          );
          return;
        }
        nextField = position;
        type = view.getUint8(position);
        position += 8;
        continue;
      }
      const end = this.#header(packet, position, type, nextField);
      if (end < 0) return;
      nextField = position;
      type = view.getUint8(position);
      position = end;
    }
    packet.transportOffset = position;
    packet.protocol = type;
    this.#deliver(packet, nextField);
  }

  /** Checks one extension header and returns where it ends, or −1 if the packet ends there. */
  #header(packet: InboundPacket, at: number, type: number, field: number): number {
    const { view } = packet;
    const end = at + 8 <= packet.end ? at + (view.getUint8(at + 1) + 1) * 8 : packet.end + 1;
    if (end > packet.end) {
      this.#statistics.tooShort++;
      this.#odd(packet, "IPv6 extension header cut off");
      return -1;
    }
    if (type === PROTOCOL_ROUTING) {
      // RFC 5095 for type 0, RFC 8200 §4.4 for those unknown: with segments left it is refused, else passed over.
      if (view.getUint8(at + 3) === 0) return end;
      return this.#problem(packet, PARAM_HEADER, at + 2);
    }
    if (type === PROTOCOL_HOP_BY_HOP && at !== packet.ipOffset + IPV6_HEADER) {
      return this.#problem(packet, PARAM_NEXT_HEADER, field);
    }
    const verdict = checkOptions6(view, at + 2, end, isKnownOption);
    if (verdict === OPTIONS6_GOOD) return end;
    this.#statistics.badOptions++;
    this.#odd(packet, "IPv6 options that are wrong or unknown");
    if (verdict >= 0) {
      const toGroups = (verdict & EVEN_TO_GROUPS) !== 0;
      this.#icmp.sendError(
        packet,
        ICMP6_PARAM_PROBLEM,
        PARAM_OPTION,
        (verdict & ~EVEN_TO_GROUPS) - packet.ipOffset,
        toGroups,
      );
    }
    return -1;
  }

  #problem(packet: InboundPacket, code: number, at: number): number {
    this.#statistics.badOptions++;
    this.#odd(packet, "IPv6 extension header that is refused");
    this.#icmp.sendError(packet, ICMP6_PARAM_PROBLEM, code, at - packet.ipOffset);
    return -1;
  }

  #deliver(packet: InboundPacket, field: number): void {
    if (packet.protocol === PROTOCOL_NO_NEXT) return;
    // Only neighbour discovery may come from nobody (RFC 4291 §2.5.2).
    const isFromNobody = packet.src0 === 0 && packet.src1 === 0 && packet.src2 === 0 && packet.src3 === 0;
    if (isFromNobody && packet.protocol !== PROTOCOL_ICMPV6) {
      this.#statistics.badScope++;
      return;
    }
    if (this.#ip.deliver(packet)) {
      this.#statistics.delivered++;
      return;
    }
    this.#statistics.noProto++;
    this.#icmp.sendError(packet, ICMP6_PARAM_PROBLEM, PARAM_NEXT_HEADER, field - packet.ipOffset);
  }

  close(): void {
    this.#fragments.close();
  }
}

/** Packets that never left the stack (zone −1) still carry theirs. */
function inZone(w0: number, zone: number): number {
  return zone < 0 ? w0 : scoped(w0, zone);
}

/** All nodes (ff01::1, ff02::1), and the solicited-node groups of the interface's addresses, tentative ones too. */
function isMember(packet: InboundPacket): boolean {
  const { dst0, dst1, dst2, dst3 } = packet;
  const group = dst0 >>> 16;
  if ((group !== 0xff02 && group !== 0xff01) || dst1 !== 0) return false;
  if (dst2 === 0 && dst3 === 1) return true;
  if (dst2 !== 1 || (dst3 & 0xff000000) >>> 0 !== SOLICITED_NODE) return false;
  for (const own of packet.iface.addresses) {
    if (own.address.family === 6 && ((own.address.w3 ^ dst3) & 0xffffff) === 0) return true;
  }
  return false;
}

/** ::1 */
function isLoopback(w0: number, w1: number, w2: number, w3: number): boolean {
  return w3 === 1 && w0 === 0 && w1 === 0 && w2 === 0;
}
