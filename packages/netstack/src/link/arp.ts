import { MAPPED } from "../address.ts";
import type { NetworkInterface } from "../interface.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { ArpStatistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import { AddressClaims } from "./address-claims.ts";
import type { EthernetLink } from "./ethernet.ts";
import { BROADCAST_HIGH, BROADCAST_LOW } from "./ethernet-constants.ts";
import type { HeldPacket } from "./held-packet.ts";
import { INCOMPLETE, type Neighbor } from "./neighbor.ts";
import { NeighborCache, type NeighborProtocol, type NeighborTiming } from "./neighbor-cache.ts";
import { reportUnreachable } from "./unreachable.ts";

const LENGTH = 28;
const REQUEST = 1;
const REPLY = 2;
const SECOND = 1e6;

/** Shared by the interfaces of a stack, which register them together. */
export interface ArpSettings {
  readonly maxAge: Sysctl<number>;
  readonly maxTries: Sysctl<number>;
  readonly maxHold: Sysctl<number>;
  readonly probes: Sysctl<number>;
  readonly announcements: Sysctl<number>;
}

export function registerArpSettings(stack: Stack): ArpSettings {
  const { sysctl } = stack;
  return {
    maxAge: sysctl.number("net.link.ether.inet.max_age", 1200, {
      description: "ARP entry lifetime in seconds",
      minimum: 1,
    }),
    maxTries: sysctl.number("net.link.ether.inet.maxtries", 5, {
      description: "ARP resolution attempts before returning error",
      minimum: 1,
    }),
    maxHold: sysctl.number("net.link.ether.inet.maxhold", 16, {
      description: "Number of packets to hold per ARP entry",
      minimum: 1,
    }),
    probes: sysctl.number("net.link.ether.inet.probes", 0, {
      description: "ARP probes before an address is used (RFC 5227: 3); FreeBSD only announces",
      minimum: 0,
      maximum: 10,
    }),
    announcements: sysctl.number("net.link.ether.inet.garp_count", 2, {
      description: "Gratuitous ARP announcements of a new address (RFC 5227: 2)",
      minimum: 0,
      maximum: 16,
    }),
  };
}

/** ARP (RFC 826) on one interface, with address conflict detection (RFC 5227). */
export class Arp implements NeighborProtocol {
  readonly cache: NeighborCache;
  readonly claims: AddressClaims;
  readonly timing: NeighborTiming;
  readonly maxEntries = 1024;
  readonly maxHeld: () => number;
  readonly statistics: ArpStatistics;
  readonly #stack: Stack;
  readonly #iface: NetworkInterface;
  readonly #link: EthernetLink;

  constructor(iface: NetworkInterface, link: EthernetLink) {
    const { stack } = iface;
    const settings = stack.arpSettings;
    this.#stack = stack;
    this.#iface = iface;
    this.#link = link;
    this.statistics = stack.statistics.arp;
    this.maxHeld = () => settings.maxHold.value;
    this.timing = {
      reachable: () => settings.maxAge.value * SECOND,
      retransmit: () => SECOND,
      delayFirstProbe: 5 * SECOND,
      multicastTries: () => settings.maxTries.value,
      unicastTries: 3,
      garbage: 600 * SECOND,
    };
    this.cache = new NeighborCache(stack, this);
    // Times of RFC 5227 §1.1.
    this.claims = new AddressClaims(stack, {
      probes: () => settings.probes.value,
      firstDelay: () => this.#upTo(SECOND),
      probeInterval: () => SECOND + this.#upTo(SECOND),
      verdictDelay: 2 * SECOND,
      announcements: () => settings.announcements.value,
      announceInterval: 2 * SECOND,
      probe: (address) => this.#request(0, address.address.w3),
      announce: (address) => this.#request(address.address.w3, address.address.w3),
    });
  }

  // ——— In ———

  /** `ipOffset` is at the ARP packet. */
  input(packet: InboundPacket): void {
    const { view, ipOffset: at } = packet;
    const statistics = this.statistics;
    statistics.received++;
    if (
      packet.end - at < LENGTH ||
      view.getUint32(at) !== 0x0001_0800 ||
      view.getUint16(at + 4) !== 0x0604 ||
      (view.getUint8(at + 8) & 1) !== 0
    ) {
      statistics.badPackets++;
      return;
    }
    const operation = view.getUint16(at + 6);
    const macHigh = view.getUint16(at + 8);
    const macLow = view.getUint32(at + 10);
    const sender = view.getUint32(at + 14);
    const target = view.getUint32(at + 24);
    if (operation === REQUEST) statistics.rxRequests++;
    else if (operation === REPLY) statistics.rxReplies++;
    else {
      statistics.badPackets++;
      return;
    }
    if (macHigh === this.#link.macHigh && macLow === this.#link.macLow) return;
    if (this.#isConflict(operation, sender, target)) return;
    const mine = this.#ownAddress(target);
    const isForUs = mine?.usable === true;
    this.#learn(sender, macHigh, macLow, operation === REPLY && !packet.multicast, isForUs);
    if (isForUs && operation === REQUEST) this.#reply(target, macHigh, macLow, sender);
  }

  /** RFC 5227 §2.1.1 and §2.4. */
  #isConflict(operation: number, sender: number, target: number): boolean {
    const owned = sender === 0 ? null : this.#ownAddress(sender);
    if (owned !== null) {
      this.statistics.dupIps++;
      this.claims.conflict(owned);
      return true;
    }
    if (sender !== 0 || operation !== REQUEST) return false;
    const wanted = this.#ownAddress(target);
    if (wanted?.state !== "tentative") return false;
    // Two hosts probe for the same address at once: neither gets it.
    this.statistics.dupIps++;
    this.claims.conflict(wanted);
    return true;
  }

  /** RFC 826: update whom we know; learn whoever talks to us. */
  #learn(sender: number, macHigh: number, macLow: number, solicited: boolean, isForUs: boolean): void {
    if (sender === 0 || sender >>> 28 >= 14 || sender >>> 24 === 127) return;
    const known = this.cache.find(0, 0, MAPPED, sender);
    if (known !== null) {
      const changed = known.macHigh !== macHigh || known.macLow !== macLow;
      const isAnswer = solicited && (known.state === INCOMPLETE || known.asked > 0);
      if (isAnswer || changed || known.state === INCOMPLETE) this.cache.update(known, macHigh, macLow, true);
      else if (isForUs) this.cache.confirm(known);
      return;
    }
    if (!isForUs || !this.#isOnLink(sender)) return;
    this.cache.update(this.cache.findOrMake(0, 0, MAPPED, sender), macHigh, macLow, true);
  }

  #isOnLink(address: number): boolean {
    return this.#iface.addresses.some((own) => own.prefix.containsWords(0, 0, MAPPED, address));
  }

  #ownAddress(address: number): InterfaceAddress | null {
    for (const own of this.#iface.addresses) if (own.address.is(0, 0, MAPPED, address)) return own;
    return null;
  }

  // ——— Out ———

  solicit(neighbor: Neighbor, unicast: boolean): void {
    const source = this.#sourceFor(neighbor.w3);
    if (source === null) return;
    const { macHigh, macLow } = neighbor;
    if (unicast) this.#request(source, neighbor.w3, macHigh, macLow);
    else this.#request(source, neighbor.w3);
  }

  unreachable(_neighbor: Neighbor, held: readonly HeldPacket[]): void {
    for (const packet of held) reportUnreachable(this.#stack, this.#iface, packet);
  }

  transmit(packet: OutboundPacket, neighbor: Neighbor): void {
    this.#link.transmit(packet, neighbor.macHigh, neighbor.macLow);
  }

  close(): void {
    this.claims.close();
    this.cache.clear();
  }

  /** An address of the target's subnet to ask from, else any. */
  #sourceFor(target: number): number | null {
    let source: number | null = null;
    for (const own of this.#iface.addresses) {
      if (own.address.family !== 4 || !own.usable) continue;
      if (own.prefix.containsWords(0, 0, MAPPED, target)) return own.address.w3;
      source ??= own.address.w3;
    }
    return source;
  }

  #request(sender: number, target: number, macHigh: number = BROADCAST_HIGH, macLow: number = BROADCAST_LOW): void {
    this.statistics.txRequests++;
    this.#send(REQUEST, sender, 0, 0, target, macHigh, macLow);
  }

  #reply(sender: number, macHigh: number, macLow: number, target: number): void {
    this.statistics.txReplies++;
    this.#send(REPLY, sender, macHigh, macLow, target, macHigh, macLow);
  }

  #send(
    operation: number,
    sender: number,
    targetHigh: number,
    targetLow: number,
    target: number,
    macHigh: number,
    macLow: number,
  ): void {
    const packet = this.#stack.acquireOutbound();
    const { view, transportOffset: at } = packet;
    view.setUint32(at, 0x0001_0800);
    view.setUint16(at + 4, 0x0604);
    view.setUint16(at + 6, operation);
    view.setUint16(at + 8, this.#link.macHigh);
    view.setUint32(at + 10, this.#link.macLow);
    view.setUint32(at + 14, sender);
    view.setUint16(at + 18, targetHigh);
    view.setUint32(at + 20, targetLow);
    view.setUint32(at + 24, target);
    packet.transportLength = LENGTH;
    this.#link.sendArp(packet, macHigh, macLow);
  }

  #upTo(us: number): number {
    return this.#stack.random.uint32() % us;
  }
}
