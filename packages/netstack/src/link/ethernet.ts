import { isMapped } from "../address.ts";
import type { NetworkInterface } from "../interface.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import type { OutputResult } from "../ip/protocol.ts";
import type { Route } from "../ip/route.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import { Arp } from "./arp.ts";
import {
  BROADCAST_HIGH,
  BROADCAST_LOW,
  ETHERNET_HEADER,
  TYPE_ARP,
  TYPE_IPV4,
  TYPE_IPV6,
} from "./ethernet-constants.ts";
import type { LinkLayer } from "./link-layer.ts";
import { DEAD, INCOMPLETE, STALE } from "./neighbor.ts";
import type { NeighborCache } from "./neighbor-cache.ts";
import { NeighborDiscovery } from "./neighbor-discovery.ts";

/** Ethernet II (RFC 894, RFC 2464): frames by MAC address, with ARP and neighbour discovery to find them. */
export class EthernetLink implements LinkLayer {
  readonly headerLength: number = ETHERNET_HEADER;
  readonly arp: Arp;
  readonly neighborDiscovery: NeighborDiscovery;
  /** Our own MAC address. */
  readonly macHigh: number;
  readonly macLow: number;
  readonly #iface: NetworkInterface;

  constructor(iface: NetworkInterface) {
    const mac = iface.macAddress;
    if (mac === null || mac.length !== 6)
      throw new RangeError("an Ethernet interface needs a MAC address of six bytes");
    const view = new DataView(mac.buffer, mac.byteOffset, 6);
    this.#iface = iface;
    this.macHigh = view.getUint16(0);
    this.macLow = view.getUint32(2);
    this.arp = new Arp(iface, this);
    this.neighborDiscovery = new NeighborDiscovery(iface, this);
  }

  // ——— Out ———

  output(packet: OutboundPacket, route: Route): OutputResult {
    if (route.broadcast) return this.transmit(packet, BROADCAST_HIGH, BROADCAST_LOW);
    if (route.multicast) return this.#multicast(packet, route);
    let neighbor = route.neighbor;
    if (neighbor === null || neighbor.state === DEAD) {
      neighbor = this.#cacheOf(route).findOrMake(route.n0, route.n1, route.n2, route.n3);
      route.neighbor = neighbor;
    }
    if (neighbor.state === INCOMPLETE) {
      return this.#iface.up ? this.#cacheOf(route).hold(neighbor, packet) : this.#iface.enqueue(packet);
    }
    if (neighbor.state === STALE) this.#cacheOf(route).touch(neighbor);
    return this.transmit(packet, neighbor.macHigh, neighbor.macLow);
  }

  /** Sends an IP packet (owns it) to a MAC address. */
  transmit(packet: OutboundPacket, macHigh: number, macLow: number): OutputResult {
    return this.frame(packet, macHigh, macLow, packet.family === 4 ? TYPE_IPV4 : TYPE_IPV6);
  }

  /** Puts the header in front and queues the frame. */
  frame(packet: OutboundPacket, macHigh: number, macLow: number, type: number): OutputResult {
    const at = packet.headerOffset - ETHERNET_HEADER;
    const { view } = packet;
    view.setUint16(at, macHigh);
    view.setUint32(at + 2, macLow);
    view.setUint16(at + 6, this.macHigh);
    view.setUint32(at + 8, this.macLow);
    view.setUint16(at + 12, type);
    packet.headerOffset = at;
    packet.headerLength += ETHERNET_HEADER;
    return this.#iface.enqueue(packet);
  }

  /** Sends an ARP packet of 28 bytes that stands at `transportOffset`. */
  sendArp(packet: OutboundPacket, macHigh: number, macLow: number): void {
    packet.headerOffset = packet.transportOffset;
    packet.headerLength = packet.transportLength;
    this.frame(packet, macHigh, macLow, TYPE_ARP);
  }

  /** RFC 1112 §6.4 and RFC 2464 §7. */
  #multicast(packet: OutboundPacket, route: Route): OutputResult {
    if (packet.family === 4) return this.transmit(packet, 0x0100, (0x5e000000 | (route.d3 & 0x7fffff)) >>> 0);
    return this.transmit(packet, 0x3333, route.d3);
  }

  #cacheOf(route: Route): NeighborCache {
    return isMapped(route.n0, route.n1, route.n2) ? this.arp.cache : this.neighborDiscovery.cache;
  }

  // ——— In ———

  input(packet: InboundPacket): void {
    const { stack } = this.#iface;
    const { view, ipOffset } = packet;
    if (packet.end - ipOffset < ETHERNET_HEADER) {
      stack.statistics.link.tooShort++;
      this.#iface.statistics.iErrors++;
      return;
    }
    const high = view.getUint16(ipOffset);
    packet.multicast = (high & 0x0100) !== 0;
    if (!packet.multicast && (high !== this.macHigh || view.getUint32(ipOffset + 2) !== this.macLow)) {
      stack.statistics.link.notForUs++;
      return;
    }
    const sourceHigh = view.getUint16(ipOffset + 6);
    const isOwn = sourceHigh === this.macHigh && view.getUint32(ipOffset + 8) === this.macLow;
    if (isOwn || (sourceHigh & 0x0100) !== 0) {
      stack.statistics.link.badSource++;
      return;
    }
    packet.ipOffset = ipOffset + ETHERNET_HEADER;
    switch (view.getUint16(ipOffset + 12)) {
      case TYPE_IPV4:
        stack.ip.input4.receive(packet);
        break;
      case TYPE_IPV6:
        stack.ip.input6.receive(packet);
        break;
      case TYPE_ARP:
        this.arp.input(packet);
        break;
      default:
        stack.statistics.link.noProto++;
    }
  }

  // ——— Addresses ———

  claim(address: InterfaceAddress): void {
    if (address.address.family === 4) this.arp.claims.claim(address);
    else this.neighborDiscovery.claim(address);
  }

  release(address: InterfaceAddress): void {
    if (address.address.family === 4) this.arp.claims.release(address);
    else this.neighborDiscovery.release(address);
  }

  confirm(route: Route): void {
    const { neighbor } = route;
    if (neighbor !== null && neighbor.state >= STALE) this.#cacheOf(route).confirm(neighbor);
  }

  suspect(route: Route): void {
    const { neighbor } = route;
    if (neighbor !== null) this.#cacheOf(route).suspect(neighbor);
  }

  /** A link that comes back may be another one: what was learnt is asked for again, and our addresses are announced. */
  linkChanged(up: boolean): void {
    if (!up) {
      this.arp.cache.clear();
      this.neighborDiscovery.cache.clear();
      return;
    }
    for (const address of this.#iface.addresses) if (address.state !== "duplicated") this.claim(address);
  }

  close(): void {
    this.arp.close();
    this.neighborDiscovery.close();
  }
}
