import { type Address, isMapped, isMulticast } from "../address.ts";
import { AddressMap } from "../address-map.ts";
import type { NetworkInterface } from "../interface.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { ControlError, TransportProtocol } from "../transport.ts";
import { HostCache } from "./host-cache.ts";
import { Icmp } from "./icmp.ts";
import { Icmp6 } from "./icmp6.ts";
import { Ipv4Input } from "./ipv4-input.ts";
import { Ipv4Output } from "./ipv4-output.ts";
import { Ipv6Input } from "./ipv6-input.ts";
import { Ipv6Output } from "./ipv6-output.ts";
import { NO_ROUTE, type OutputResult, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "./protocol.ts";
import { Route } from "./route.ts";
import { selectSource } from "./source-selection.ts";

/** Destinations cached at most; the oldest make room. */
const CACHED_ROUTES = 4096;

/** The IP layer of one stack, as transports see it. */
export class IpLayer {
  readonly hostCache: HostCache;
  readonly icmp: Icmp;
  readonly input4: Ipv4Input;
  readonly output4: Ipv4Output;
  readonly icmp6: Icmp6;
  readonly input6: Ipv6Input;
  readonly output6: Ipv6Output;
  readonly #stack: Stack;
  readonly #seed: number;
  /** Our unicast addresses. */
  readonly #local: AddressMap<InterfaceAddress>;
  /** Directed broadcast addresses of our subnets. */
  readonly #broadcast: AddressMap<InterfaceAddress>;
  readonly #cache: AddressMap<Route>;
  readonly #transports: (TransportProtocol | null)[] = new Array<TransportProtocol | null>(256).fill(null);

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#seed = stack.random.uint32();
    this.#local = new AddressMap(this.#seed);
    this.#broadcast = new AddressMap(this.#seed);
    this.#cache = new AddressMap(this.#seed);
    this.hostCache = new HostCache(stack, this.#seed);
    this.output4 = new Ipv4Output(stack);
    this.icmp = new Icmp(stack, this);
    this.input4 = new Ipv4Input(stack, this, this.icmp);
    this.registerTransport(PROTOCOL_ICMP, this.icmp);
    this.output6 = new Ipv6Output(stack);
    this.icmp6 = new Icmp6(stack, this);
    this.input6 = new Ipv6Input(stack, this, this.icmp6);
    this.registerTransport(PROTOCOL_ICMPV6, this.icmp6);
  }

  /** Throws if the protocol has a transport already. */
  registerTransport(protocol: number, transport: TransportProtocol): void {
    if (this.#transports[protocol] !== null) throw new RangeError(`protocol ${protocol} is registered already`);
    this.#transports[protocol] = transport;
  }

  transport(protocol: number): TransportProtocol | null {
    return this.#transports[protocol] ?? null;
  }

  // ——— Addresses ———

  /** Our own unicast address (tentative ones excepted), or null. */
  localAddress(w0: number, w1: number, w2: number, w3: number): InterfaceAddress | null {
    const found = this.#local.get(w0, w1, w2, w3);
    return found === undefined || !found.usable ? null : found;
  }

  isLocal(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.localAddress(w0, w1, w2, w3) !== null;
  }

  /** 255.255.255.255, 0.0.0.0 (BSD's old form) or the broadcast address of one of our subnets. */
  isBroadcast(w0: number, w1: number, w2: number, w3: number): boolean {
    if (!isMapped(w0, w1, w2)) return false;
    return w3 === 0xffffffff || w3 === 0 || this.#broadcast.get(w0, w1, w2, w3) !== undefined;
  }

  /** Called by the interface, which has made sure that no other one has it. */
  addLocal(address: InterfaceAddress): void {
    const { w0, w1, w2, w3 } = address.address;
    this.#local.set(w0, w1, w2, w3, address);
    const { broadcast } = address;
    if (broadcast !== null) this.#broadcast.set(broadcast.w0, broadcast.w1, broadcast.w2, broadcast.w3, address);
    this.#stack.routes.generation++;
  }

  removeLocal(address: InterfaceAddress): void {
    const { w0, w1, w2, w3 } = address.address;
    this.#local.delete(w0, w1, w2, w3);
    const { broadcast } = address;
    if (broadcast !== null) this.#broadcast.delete(broadcast.w0, broadcast.w1, broadcast.w2, broadcast.w3);
    this.#stack.routes.generation++;
  }

  /** Whether any interface has it, tentative or not. */
  hasAddress(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#local.get(w0, w1, w2, w3) !== undefined;
  }

  /** The local address to send from (RFC 1122 §3.3.4.3, RFC 6724 for IPv6), or null. */
  selectSource(route: Route): Address | null {
    return selectSource(this.#stack, route);
  }

  // ——— Routes ———

  /** The way to a destination, from the destination cache if it is there; null if there is none. */
  route(d0: number, d1: number, d2: number, d3: number): Route | null {
    const generation = this.#stack.routes.generation;
    const cached = this.#cache.get(d0, d1, d2, d3);
    if (cached !== undefined && cached.generation === generation) return cached;
    const made = this.#resolve(d0, d1, d2, d3, null);
    if (made === null) {
      if (cached !== undefined) this.#cache.delete(d0, d1, d2, d3);
      return null;
    }
    if (cached === undefined && this.#cache.size >= CACHED_ROUTES) this.#dropOldest();
    this.#cache.set(d0, d1, d2, d3, made);
    return made;
  }

  /** The way to a destination by one interface, not cached: for answers that must leave where the question came in. */
  routeThrough(iface: NetworkInterface, d0: number, d1: number, d2: number, d3: number): Route | null {
    return this.#resolve(d0, d1, d2, d3, iface);
  }

  /** Negative advice of a transport (RFC 9293 MUST-20): nothing comes back by this way. The next look takes the table's best anew. */
  suspect(route: Route): void {
    this.#cache.delete(route.d0, route.d1, route.d2, route.d3);
    route.iface.link.suspect(route);
  }

  #resolve(d0: number, d1: number, d2: number, d3: number, through: NetworkInterface | null): Route | null {
    const { routes, loopback } = this.#stack;
    const multicast = isMulticast(d0, d1, d2, d3);
    const limited = d3 === 0xffffffff && isMapped(d0, d1, d2);
    const scope = d0 >>> 24 === 0xff || d0 >>> 22 === 0x3fa ? this.#stack.interfaceByIndex(d0 & 0xffff) : null;
    const entry = routes.lookup(d0, d1, d2, d3, through ?? scope);
    let iface = through ?? scope ?? entry?.interface ?? null;
    if (entry === null) {
      // Groups and the limited broadcast need no route where the interface is known, or where there is but one.
      if (!multicast && !limited) return null;
      iface ??= this.#stack.interfaces.find((candidate) => candidate !== loopback && candidate.up) ?? null;
    } else if (entry.kind === "blackhole" || entry.kind === "reject") {
      return null;
    }
    if (iface === null) return null;
    const local = entry?.kind === "local";
    return new Route({
      d0,
      d1,
      d2,
      d3,
      iface: local ? loopback : iface,
      gateway: multicast || limited ? null : (entry?.gateway ?? null),
      generation: routes.generation,
      source: entry?.source ?? null,
      local,
      broadcast: limited || (!local && this.isBroadcast(d0, d1, d2, d3)),
      multicast,
      mtu: Math.min(local ? loopback.mtu : iface.mtu, this.hostCache.mtu(d0, d1, d2, d3)),
      nextId: this.#stack.random.uint32(),
    });
  }

  #dropOldest(): void {
    const oldest = this.#cache.oldest();
    if (oldest !== undefined) this.#cache.delete(oldest.d0, oldest.d1, oldest.d2, oldest.d3);
  }

  // ——— Path MTU ———

  /** The MTU of the path to a destination as far as we know; 0 if there is no route. */
  pathMtu(d0: number, d1: number, d2: number, d3: number): number {
    return this.route(d0, d1, d2, d3)?.mtu ?? 0;
  }

  /** A router (or black hole detection) said so. Only ever lowers; returns whether it did. */
  updatePathMtu(d0: number, d1: number, d2: number, d3: number, mtu: number): boolean {
    const route = this.route(d0, d1, d2, d3);
    if (route === null || route.local || mtu >= route.mtu) return false;
    const kept = this.hostCache.lower(d0, d1, d2, d3, mtu);
    route.mtu = Math.min(route.mtu, kept);
    return true;
  }

  /** Called by the host cache when what it knew of a destination has expired. */
  forgetPathMtu(d0: number, d1: number, d2: number, d3: number): void {
    const route = this.#cache.get(d0, d1, d2, d3);
    if (route !== undefined) route.mtu = route.iface.mtu;
  }

  // ——— Packets ———

  /**
   * Sends a packet that a transport filled and gives away, whatever the result. `route` may be a cached one; null, or one of an older
   * generation, is looked up. The packet leaves at the end of the current stack entry.
   */
  output(packet: OutboundPacket, route: Route | null): OutputResult {
    let way = route;
    if (way === null || way.generation !== this.#stack.routes.generation) {
      way = this.route(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
      if (way === null) {
        if (packet.family === 4) this.#stack.statistics.ip.noRoute++;
        else this.#stack.statistics.ip6.noRoute++;
        this.#stack.releaseOutbound(packet);
        return NO_ROUTE;
      }
    }
    return packet.family === 4 ? this.output4.send(packet, way) : this.output6.send(packet, way);
  }

  /** Gives a whole packet for this host to its protocol. Returns false if nobody handles it. */
  deliver(packet: InboundPacket): boolean {
    const transport = this.#transports[packet.protocol] as TransportProtocol | null;
    if (transport === null) return false;
    transport.input(packet);
    return true;
  }

  close(): void {
    this.hostCache.close();
    this.input4.close();
    this.input6.close();
    this.#cache.clear();
  }

  /** Tells the transport of the quoted packet. */
  controlInput(error: ControlError): void {
    this.#transports[error.protocol]?.controlInput(error);
  }
}
