import type { InterfaceAddress } from "../interface-address.ts";
import type { OutputResult } from "../ip/protocol.ts";
import type { Route } from "../ip/route.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import type { NeighborDiscovery } from "./neighbor-discovery.ts";

/** What stands between IP and one interface's driver. */
export interface LinkLayer {
  /** Bytes of link header. */
  readonly headerLength: number;
  /** Null where there is nobody to discover. */
  readonly neighborDiscovery: NeighborDiscovery | null;
  /** Takes a packet with its IP header in place (owns it), adds the link header and queues it on the interface. */
  output(packet: OutboundPacket, route: Route): OutputResult;
  /** A packet from the driver: `slab`, `ipOffset` (first byte of the link header), `end`, `checksum` and `segmentSize` are set. */
  input(packet: InboundPacket): void;
  /** The interface has a new address: make sure that nobody else has it, and let the link know. May set it tentative for a while. */
  claim(address: InterfaceAddress): void;
  /** The interface gives an address up. */
  release(address: InterfaceAddress): void;
  /** An upper layer makes progress with the route's next hop (RFC 4861 §7.3.1). */
  confirm(route: Route): void;
  /** An upper layer gets no answer by way of the route's next hop (RFC 1122 §3.3.1.4): finds out whether it is still there. */
  suspect(route: Route): void;
  linkChanged(up: boolean): void;
  close(): void;
}
