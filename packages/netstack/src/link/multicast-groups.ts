import type { Callout } from "@nfs4/timecounter";
import type { Address } from "../address.ts";
import { addSums, sumPseudoHeader, sumView } from "../checksum.ts";
import type { NetworkInterface } from "../interface.ts";
import { MLD2_REPORT } from "../ip/icmp6-constants.ts";
import { PROTOCOL_HOP_BY_HOP, PROTOCOL_ICMPV6 } from "../ip/protocol.ts";
import type { InboundPacket } from "../packet.ts";
import type { EthernetLink } from "./ethernet.ts";

const MODE_IS_EXCLUDE = 2;
const CHANGE_TO_EXCLUDE = 4;
/** Group records in one report: what fits in a packet's header region. */
const RECORDS = 6;
const RECORD = 20;

/**
 * Reports the solicited-node groups that an interface listens to (MLDv2, RFC 3810), so that switches which watch for it send us solicitations.
 * Any-source memberships only; queries are answered after a random part of the time that they give.
 */
export class MulticastGroups {
  readonly #iface: NetworkInterface;
  readonly #link: EthernetLink;
  readonly #callout: Callout;

  constructor(iface: NetworkInterface, link: EthernetLink) {
    this.#iface = iface;
    this.#link = link;
    this.#callout = iface.stack.clock.callout(() => this.#answer());
  }

  /** We begin to listen to the address's solicited-node group. */
  join(address: Address): void {
    this.#report(CHANGE_TO_EXCLUDE, [address.w3 & 0xffffff]);
  }

  /** A querier wants to know (RFC 3810 §5.1.14, §6.2). Hop limit 1 and a link-local source show that it is on the link. */
  query(packet: InboundPacket): void {
    const { view, transportOffset: at } = packet;
    if (packet.hopLimit !== 1 || packet.src0 >>> 22 !== 0x3fa || packet.end - at < 24 || this.#callout.armed) return;
    const code = view.getUint16(at + 4);
    const milliseconds = code < 0x8000 ? code : ((code & 0x0fff) | 0x1000) << (((code >>> 12) & 7) + 3);
    this.#callout.scheduleAfter((milliseconds * 1000 * this.#iface.stack.random.uint32()) / 0x1_0000_0000);
  }

  close(): void {
    this.#callout.cancel();
  }

  #answer(): void {
    const { stack, addresses } = this.#iface;
    const groups = new Set<number>();
    for (const own of addresses) if (own.address.family === 6) groups.add(own.address.w3 & 0xffffff);
    const all = [...groups];
    stack.enter();
    for (let from = 0; from < all.length; from += RECORDS)
      this.#report(MODE_IS_EXCLUDE, all.slice(from, from + RECORDS));
    stack.leave();
  }

  /** A hop-by-hop header with the router alert, then the report, to ff02::16. */
  #report(mode: number, groups: readonly number[]): void {
    const { stack, addresses } = this.#iface;
    const source = addresses.find((own) => own.address.family === 6 && own.address.isLinkLocal && own.usable)?.address;
    const packet = stack.acquireOutbound();
    const { view, transportOffset: at } = packet;
    const length = 8 + groups.length * RECORD;
    packet.family = 6;
    packet.protocol = PROTOCOL_HOP_BY_HOP;
    packet.hopLimit = 1;
    // RFC 3810 §5.2.13: from nobody as long as there is no valid link-local address.
    packet.src0 = source?.w0 ?? 0;
    packet.src1 = source?.w1 ?? 0;
    packet.src2 = source?.w2 ?? 0;
    packet.src3 = source?.w3 ?? 0;
    packet.dst0 = 0xff020000;
    packet.dst1 = 0;
    packet.dst2 = 0;
    packet.dst3 = 0x16;
    view.setUint32(at, ((PROTOCOL_ICMPV6 << 24) | 0x0000_0502) >>> 0);
    view.setUint32(at + 4, 0x0000_0100);
    const icmp = at + 8;
    view.setUint32(icmp, (MLD2_REPORT << 24) >>> 0);
    view.setUint32(icmp + 4, groups.length);
    groups.forEach((group, index) => {
      const record = icmp + 8 + index * RECORD;
      view.setUint32(record, (mode << 24) >>> 0);
      view.setUint32(record + 4, 0xff020000);
      view.setUint32(record + 8, 0);
      view.setUint32(record + 12, 1);
      view.setUint32(record + 16, (0xff000000 | group) >>> 0);
    });
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const pseudo = sumPseudoHeader(src0, src1, src2, src3, dst0, dst1, dst2, dst3, PROTOCOL_ICMPV6, length);
    view.setUint16(icmp + 2, ~addSums(sumView(view, icmp, length), pseudo));
    packet.transportLength = 8 + length;
    stack.statistics.icmp6.outMldReport++;
    stack.ip.output6.prepare(packet);
    this.#link.transmit(packet, 0x3333, 0x16);
  }
}
