import type { OutputResult } from "../ip/protocol.ts";
import type { Route } from "../ip/route.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";

/** What stands between IP and one interface's driver. */
export interface LinkLayer {
  /** Bytes of link header. */
  readonly headerLength: number;
  /** Takes a packet with its IP header in place (owns it), adds the link header and queues it on the interface. */
  output(packet: OutboundPacket, route: Route): OutputResult;
  /** A packet from the driver: `slab`, `ipOffset` (first byte of the link header), `end`, `checksum` and `segmentSize` are set. */
  input(packet: InboundPacket): void;
  close(): void;
}
