import { MAPPED } from "../address.ts";
import { sumView } from "../checksum.ts";
import type { InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { IpStatistics } from "../statistics.ts";
import type { IpLayer } from "./ip-layer.ts";
import { IPV4_HEADER } from "./ipv4-output.ts";

/** Takes IPv4 packets from the links: checks them, puts fragments together, and hands them to their protocol. */
export class Ipv4Input {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #statistics: IpStatistics;

  constructor(stack: Stack, ip: IpLayer) {
    this.#stack = stack;
    this.#ip = ip;
    this.#statistics = stack.statistics.ip;
  }

  /** `packet` has its interface, slab, `ipOffset`, `end`, `checksum`, `segmentSize` and the link's `multicast` set. */
  receive(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const { view, ipOffset } = packet;
    statistics.total++;
    const available = packet.end - ipOffset;
    if (available < IPV4_HEADER) {
      statistics.tooShort++;
      return;
    }
    const first = view.getUint8(ipOffset);
    if (first >>> 4 !== 4) {
      statistics.badVers++;
      return;
    }
    const headerLength = (first & 15) << 2;
    if (headerLength < IPV4_HEADER || headerLength > available) {
      statistics.badHlen++;
      return;
    }
    if (sumView(view, ipOffset, headerLength) !== 0xffff) {
      statistics.badSum++;
      return;
    }
    const total = view.getUint16(ipOffset + 2);
    if (total < headerLength) {
      statistics.badLen++;
      return;
    }
    if (total > available) {
      statistics.tooSmall++;
      return;
    }
    packet.end = ipOffset + total;
    packet.family = 4;
    packet.transportOffset = ipOffset + headerLength;
    packet.trafficClass = view.getUint8(ipOffset + 1);
    packet.hopLimit = view.getUint8(ipOffset + 8);
    packet.protocol = view.getUint8(ipOffset + 9);
    packet.src0 = 0;
    packet.src1 = 0;
    packet.src2 = MAPPED;
    packet.src3 = view.getUint32(ipOffset + 12);
    packet.dst0 = 0;
    packet.dst1 = 0;
    packet.dst2 = MAPPED;
    packet.dst3 = view.getUint32(ipOffset + 16);
    this.#accept(packet);
  }

  #accept(packet: InboundPacket): void {
    const { statistics } = this.#stack;
    if (packet.multicast || !this.#ip.isLocal(0, 0, MAPPED, packet.dst3)) {
      statistics.ip.cantForward++;
      return;
    }
    if (this.#ip.deliver(packet)) statistics.ip.delivered++;
    else statistics.ip.noProto++;
  }
}
