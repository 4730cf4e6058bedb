import type { Address } from "../address.ts";
import type { NetworkInterface } from "../interface.ts";
import type { Neighbor } from "../link/neighbor.ts";

/**
 * The way to one destination, as cached by whoever sends there (RFC 4861 §5.1, "destination cache"). It is good as long as its `generation`
 * is the routing table's; `mtu` moves in place when the path's MTU is learnt.
 */
export class Route {
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  readonly iface: NetworkInterface;
  /** Null: the destination itself is on the link. */
  readonly gateway: Address | null;
  /** Next hop on the link: the gateway's words or the destination's. */
  readonly n0: number;
  readonly n1: number;
  readonly n2: number;
  readonly n3: number;
  readonly generation: number;
  /** Source address that the table asks for. */
  readonly source: Address | null;
  /** The destination is one of our own addresses. */
  readonly local: boolean;
  /** The destination is a broadcast address of the link. */
  readonly broadcast: boolean;
  readonly multicast: boolean;
  /** Path MTU in bytes of IP packet. */
  mtu: number;
  /** The next hop's entry in the link's cache. */
  neighbor: Neighbor | null = null;
  /** Identification of the next packet that may be fragmented (RFC 6864). */
  nextId: number;

  constructor(init: RouteInit) {
    this.d0 = init.d0;
    this.d1 = init.d1;
    this.d2 = init.d2;
    this.d3 = init.d3;
    this.iface = init.iface;
    this.gateway = init.gateway;
    this.n0 = init.gateway?.w0 ?? init.d0;
    this.n1 = init.gateway?.w1 ?? init.d1;
    this.n2 = init.gateway?.w2 ?? init.d2;
    this.n3 = init.gateway?.w3 ?? init.d3;
    this.generation = init.generation;
    this.source = init.source;
    this.local = init.local;
    this.broadcast = init.broadcast;
    this.multicast = init.multicast;
    this.mtu = init.mtu;
    this.nextId = init.nextId;
  }
}

export interface RouteInit {
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  readonly iface: NetworkInterface;
  readonly gateway: Address | null;
  readonly generation: number;
  readonly source: Address | null;
  readonly local: boolean;
  readonly broadcast: boolean;
  readonly multicast: boolean;
  readonly mtu: number;
  readonly nextId: number;
}
