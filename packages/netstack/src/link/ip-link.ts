import type { NetworkInterface } from "../interface.ts";
import type { OutputResult } from "../ip/protocol.ts";
import type { Route } from "../ip/route.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import type { LinkLayer } from "./link-layer.ts";

/** Bare IP packets: TUN and the loopback. Nobody to resolve, nothing to prepend. */
export class IpLink implements LinkLayer {
  readonly headerLength = 0;
  readonly #iface: NetworkInterface;

  constructor(iface: NetworkInterface) {
    this.#iface = iface;
  }

  output(packet: OutboundPacket, _route: Route): OutputResult {
    return this.#iface.enqueue(packet);
  }

  input(packet: InboundPacket): void {
    packet.multicast = false;
    if (packet.end <= packet.ipOffset) {
      this.#iface.stack.statistics.link.tooShort++;
      return;
    }
    const version = packet.view.getUint8(packet.ipOffset) >>> 4;
    if (version === 4) this.#iface.stack.ip.input4.receive(packet);
    else this.#iface.stack.statistics.link.noProto++;
  }

  close(): void {}
}
