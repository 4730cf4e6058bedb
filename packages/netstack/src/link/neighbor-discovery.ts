import { type Address, scoped, unscoped } from "../address.ts";
import type { NetworkInterface } from "../interface.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import { ND_NEIGHBOR_ADVERT, ND_NEIGHBOR_SOLICIT } from "../ip/icmp6-constants.ts";
import { PROTOCOL_ICMPV6 } from "../ip/protocol.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { Icmp6Statistics, NdStatistics } from "../statistics.ts";
import { AddressClaims } from "./address-claims.ts";
import type { EthernetLink } from "./ethernet.ts";
import type { HeldPacket } from "./held-packet.ts";
import { MulticastGroups } from "./multicast-groups.ts";
import { INCOMPLETE, type Neighbor, REACHABLE } from "./neighbor.ts";
import { NeighborCache, type NeighborProtocol, type NeighborTiming } from "./neighbor-cache.ts";
import { reportUnreachable } from "./unreachable.ts";

const SECOND = 1e6;
/** Every message of neighbour discovery comes from the link itself. */
const HOP_LIMIT = 255;
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
const ROUTER = 0x80000000;
const SOLICITED = 0x40000000;
const OVERRIDE = 0x20000000;
const BODY = 24;

/** Neighbour discovery (RFC 4861 §7) and duplicate address detection (RFC 4862 §5.4) on one interface, as a host. */
export class NeighborDiscovery implements NeighborProtocol {
  readonly cache: NeighborCache;
  readonly groups: MulticastGroups;
  readonly timing: NeighborTiming;
  readonly maxEntries = 1024;
  readonly maxHeld: () => number;
  readonly statistics: NdStatistics;
  readonly #icmpStatistics: Icmp6Statistics;
  readonly #claims: AddressClaims;
  readonly #stack: Stack;
  readonly #iface: NetworkInterface;
  readonly #link: EthernetLink;

  constructor(iface: NetworkInterface, link: EthernetLink) {
    const { stack } = iface;
    const settings = stack.ndSettings;
    this.#stack = stack;
    this.#iface = iface;
    this.#link = link;
    this.statistics = stack.statistics.nd;
    this.#icmpStatistics = stack.statistics.icmp6;
    this.maxHeld = () => settings.maxHold.value;
    // Constants of RFC 4861 §10.
    this.timing = {
      reachable: () => 30 * SECOND * (0.5 + stack.random.uint32() / 0x1_0000_0000),
      retransmit: () => SECOND,
      delayFirstProbe: 5 * SECOND,
      multicastTries: () => settings.multicastTries.value,
      unicastTries: settings.unicastTries.value,
      garbage: 1200 * SECOND,
    };
    this.cache = new NeighborCache(stack, this);
    this.groups = new MulticastGroups(iface, link);
    this.#claims = new AddressClaims(stack, {
      probes: () => settings.dadCount.value,
      firstDelay: () => 0,
      probeInterval: () => SECOND,
      verdictDelay: SECOND,
      announcements: () => 1,
      announceInterval: SECOND,
      probe: (address) => this.#probe(address.address),
      announce: (address) => this.#advertise(address.address, 0xff020000, 0, 0, 1, OVERRIDE, 0x3333, 1),
    });
  }

  claim(address: InterfaceAddress): void {
    this.groups.join(address.address);
    this.#claims.claim(address);
  }

  release(address: InterfaceAddress): void {
    this.#claims.release(address);
  }

  // ——— In ———

  /** RFC 4861 §7.1.1, §7.2.3; RFC 4862 §5.4.3. */
  solicitation(packet: InboundPacket): void {
    const { view } = packet;
    const isProbe = packet.src0 === 0 && packet.src1 === 0 && packet.src2 === 0 && packet.src3 === 0;
    const option = this.#check(packet, SOURCE_LINK_ADDRESS);
    const isToSolicitedNode = packet.multicast && packet.dst2 === 1 && packet.dst3 >>> 24 === 0xff;
    if (option < 0 || (isProbe && (option > 0 || !isToSolicitedNode))) {
      this.#icmpStatistics.badNs++;
      return;
    }
    const own = this.#ownTarget(packet);
    if (own === null || own.state === "duplicated") return;
    if (own.state === "tentative") {
      // A probe of somebody else for our address; a solicitation of somebody who wants to talk to it is not for us yet.
      if (isProbe) this.#conflict(own);
      return;
    }
    const { src0, src1, src2, src3 } = packet;
    if (isProbe) {
      this.#advertise(own.address, 0xff020000, 0, 0, 1, OVERRIDE, 0x3333, 1);
      return;
    }
    if (option > 0) {
      const macHigh = view.getUint16(option);
      const macLow = view.getUint32(option + 2);
      this.#learn(this.cache.findOrMake(src0, src1, src2, src3), macHigh, macLow);
      this.#advertise(own.address, src0, src1, src2, src3, SOLICITED | OVERRIDE, macHigh, macLow);
      return;
    }
    const known = this.cache.find(src0, src1, src2, src3);
    if (known === null || known.state === INCOMPLETE) return;
    this.#advertise(own.address, src0, src1, src2, src3, SOLICITED | OVERRIDE, known.macHigh, known.macLow);
  }

  /** RFC 4861 §7.1.2, §7.2.5. */
  advertisement(packet: InboundPacket): void {
    const { view, transportOffset: at } = packet;
    const option = this.#check(packet, TARGET_LINK_ADDRESS);
    const flags = option < 0 ? 0 : view.getUint32(at + 4);
    const solicited = (flags & SOLICITED) !== 0;
    if (option < 0 || (packet.multicast && solicited)) {
      this.#icmpStatistics.badNa++;
      return;
    }
    const own = this.#ownTarget(packet);
    if (own !== null) {
      this.#conflict(own);
      return;
    }
    const neighbor = this.cache.find(
      scoped(view.getUint32(at + 8), this.#iface.index),
      view.getUint32(at + 12),
      view.getUint32(at + 16),
      view.getUint32(at + 20),
    );
    if (neighbor === null) return;
    const macHigh = option > 0 ? view.getUint16(option) : neighbor.macHigh;
    const macLow = option > 0 ? view.getUint32(option + 2) : neighbor.macLow;
    if (neighbor.state === INCOMPLETE) {
      if (option === 0) return;
      neighbor.isRouter = (flags & ROUTER) !== 0;
      this.cache.update(neighbor, macHigh, macLow, solicited);
      return;
    }
    const differs = macHigh !== neighbor.macHigh || macLow !== neighbor.macLow;
    if ((flags & OVERRIDE) === 0 && differs) {
      if (neighbor.state === REACHABLE) this.cache.update(neighbor, neighbor.macHigh, neighbor.macLow, false);
      return;
    }
    neighbor.isRouter = (flags & ROUTER) !== 0;
    if (solicited || differs) this.cache.update(neighbor, macHigh, macLow, solicited);
  }

  /** Common to both messages. Returns where the wanted link-layer address stands, 0 if it is not given, −1 if the message is not valid. */
  #check(packet: InboundPacket, wanted: number): number {
    const { view, transportOffset: at, end } = packet;
    if (
      packet.hopLimit !== HOP_LIMIT ||
      view.getUint8(at + 1) !== 0 ||
      end - at < BODY ||
      view.getUint8(at + 8) === 0xff
    ) {
      return -1;
    }
    let found = 0;
    for (let position = at + BODY, options = 0; position < end; options++) {
      if (position + 2 > end) return -1;
      const length = view.getUint8(position + 1) * 8;
      if (length === 0 || position + length > end) {
        this.#icmpStatistics.ndBadOpt++;
        return -1;
      }
      if (options >= 10) {
        this.#icmpStatistics.ndTooManyOpt++;
        return -1;
      }
      if (view.getUint8(position) === wanted && length === 8) found = position + 2;
      position += length;
    }
    if (found !== 0 && (view.getUint8(found) & 1) !== 0) return -1;
    return found;
  }

  #learn(neighbor: Neighbor, macHigh: number, macLow: number): void {
    const isNew = neighbor.state === INCOMPLETE || neighbor.macHigh !== macHigh || neighbor.macLow !== macLow;
    if (isNew) this.cache.update(neighbor, macHigh, macLow, false);
  }

  #ownTarget(packet: InboundPacket): InterfaceAddress | null {
    const { view, transportOffset: at } = packet;
    const w0 = scoped(view.getUint32(at + 8), this.#iface.index);
    for (const own of this.#iface.addresses) {
      if (own.address.is(w0, view.getUint32(at + 12), view.getUint32(at + 16), view.getUint32(at + 20))) return own;
    }
    return null;
  }

  #conflict(own: InterfaceAddress): void {
    this.statistics.dupIps++;
    this.#claims.conflict(own);
  }

  // ——— Out ———

  solicit(neighbor: Neighbor, unicast: boolean): void {
    const source = this.#sourceFor(neighbor);
    if (source === null) return;
    const { w0, w1, w2, w3, macHigh, macLow } = neighbor;
    const packet = this.#begin(source.w0, source.w1, source.w2, source.w3);
    this.#icmpStatistics.outNeighborSolicit++;
    this.#write(packet, ND_NEIGHBOR_SOLICIT, 0, w0, w1, w2, w3, SOURCE_LINK_ADDRESS);
    if (unicast) this.#send(packet, w0, w1, w2, w3, macHigh, macLow);
    else this.#sendToSolicitedNode(packet, w3);
  }

  /** RFC 4862 §5.4.2: from nobody, without a link-layer address. */
  #probe(address: Address): void {
    const packet = this.#begin(0, 0, 0, 0);
    this.#icmpStatistics.outNeighborSolicit++;
    this.#write(packet, ND_NEIGHBOR_SOLICIT, 0, address.w0, address.w1, address.w2, address.w3, 0);
    this.#sendToSolicitedNode(packet, address.w3);
  }

  #advertise(
    address: Address,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
    flags: number,
    macHigh: number,
    macLow: number,
  ): void {
    const { w0, w1, w2, w3 } = address;
    const packet = this.#begin(w0, w1, w2, w3);
    this.#icmpStatistics.outNeighborAdvert++;
    this.#write(packet, ND_NEIGHBOR_ADVERT, flags, w0, w1, w2, w3, TARGET_LINK_ADDRESS);
    this.#send(packet, d0, d1, d2, d3, macHigh, macLow);
  }

  #begin(s0: number, s1: number, s2: number, s3: number): OutboundPacket {
    const packet = this.#stack.acquireOutbound();
    packet.family = 6;
    packet.protocol = PROTOCOL_ICMPV6;
    packet.hopLimit = HOP_LIMIT;
    packet.checksumOffset = 2;
    packet.src0 = s0;
    packet.src1 = s1;
    packet.src2 = s2;
    packet.src3 = s3;
    return packet;
  }

  /** Type, flags, target, and our own address as an option (0: none). */
  #write(
    packet: OutboundPacket,
    type: number,
    flags: number,
    t0: number,
    t1: number,
    t2: number,
    t3: number,
    option: number,
  ): void {
    const { view, transportOffset: at } = packet;
    view.setUint32(at, (type << 24) >>> 0);
    view.setUint32(at + 4, flags);
    view.setUint32(at + 8, unscoped(t0));
    view.setUint32(at + 12, t1);
    view.setUint32(at + 16, t2);
    view.setUint32(at + 20, t3);
    packet.transportLength = BODY;
    if (option === 0) return;
    view.setUint16(at + BODY, (option << 8) | 1);
    view.setUint16(at + BODY + 2, this.#link.macHigh);
    view.setUint32(at + BODY + 4, this.#link.macLow);
    packet.transportLength = BODY + 8;
  }

  #sendToSolicitedNode(packet: OutboundPacket, target: number): void {
    const group = (0xff000000 | (target & 0xffffff)) >>> 0;
    this.#send(packet, 0xff020000, 0, 1, group, 0x3333, group);
  }

  #send(packet: OutboundPacket, d0: number, d1: number, d2: number, d3: number, macHigh: number, macLow: number): void {
    packet.dst0 = d0;
    packet.dst1 = d1;
    packet.dst2 = d2;
    packet.dst3 = d3;
    this.#stack.ip.output6.prepare(packet);
    this.#link.transmit(packet, macHigh, macLow);
  }

  /** An address of the neighbour's subnet, else the link-local one, else any. */
  #sourceFor(neighbor: Neighbor): Address | null {
    let source: Address | null = null;
    for (const own of this.#iface.addresses) {
      if (own.address.family !== 6 || !own.usable) continue;
      if (own.prefix.containsWords(neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3)) return own.address;
      if (source === null || own.address.isLinkLocal) source = own.address;
    }
    return source;
  }

  unreachable(_neighbor: Neighbor, held: readonly HeldPacket[]): void {
    for (const packet of held) reportUnreachable(this.#stack, this.#iface, packet);
  }

  transmit(packet: OutboundPacket, neighbor: Neighbor): void {
    this.#link.transmit(packet, neighbor.macHigh, neighbor.macLow);
  }

  close(): void {
    this.#claims.close();
    this.groups.close();
    this.cache.clear();
  }
}
