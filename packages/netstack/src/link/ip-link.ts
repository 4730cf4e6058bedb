import type { NetworkInterface } from "../interface.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import type { OutputResult } from "../ip/protocol.ts";
import type { Route } from "../ip/route.ts";
import type { InboundPacket, OutboundPacket } from "../packet.ts";
import type { LinkLayer } from "./link-layer.ts";

/** Bare IP packets: TUN and the loopback. Nobody to resolve, nothing to prepend. */
export class IpLink implements LinkLayer {
  readonly headerLength = 0;
  readonly neighborDiscovery = null;
  readonly #iface: NetworkInterface;

  constructor(iface: NetworkInterface) {
    this.#iface = iface;
  }

  output(packet: OutboundPacket, _route: Route): OutputResult {
    return this.#iface.enqueue(packet);
  }

  input(packet: InboundPacket): void {
    const { ip, statistics } = this.#iface.stack;
    packet.multicast = false;
    if (packet.end <= packet.ipOffset) {
      statistics.link.tooShort++;
      return;
    }
    const version = packet.view.getUint8(packet.ipOffset) >>> 4;
    if (version === 4) ip.input4.receive(packet);
    else if (version === 6) ip.input6.receive(packet);
    else statistics.link.noProto++;
  }

  claim(_address: InterfaceAddress): void {}
  release(_address: InterfaceAddress): void {}
  confirm(_route: Route): void {}
  suspect(_route: Route): void {}
  linkChanged(_up: boolean): void {}
  close(): void {}
}
