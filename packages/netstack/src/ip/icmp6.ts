import { isMulticast, scoped } from "../address.ts";
import { updateChecksum } from "../checksum.ts";
import { CHECKSUM_UNKNOWN, type InboundPacket, type OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { Icmp6Statistics } from "../statistics.ts";
import { ControlError, type ControlErrorKind, type TransportProtocol } from "../transport.ts";
import {
  ICMP6_ECHO,
  ICMP6_ECHO_REPLY,
  ICMP6_PACKET_TOO_BIG,
  ICMP6_PARAM_PROBLEM,
  ICMP6_TIME_EXCEEDED,
  ICMP6_UNREACH,
  MLD_QUERY,
  ND_NEIGHBOR_ADVERT,
  ND_NEIGHBOR_SOLICIT,
  ND_REDIRECT,
} from "./icmp6-constants.ts";
import type { IpLayer } from "./ip-layer.ts";
import { isExtensionHeader } from "./ipv6-headers.ts";
import { IPV6_HEADER } from "./ipv6-output.ts";
import { completeChecksum, transportChecksumGood } from "./outbound-checksum.ts";
import { IPV6_MINIMUM_MTU, PROTOCOL_FRAGMENT, PROTOCOL_ICMPV6 } from "./protocol.ts";
import { RateLimit } from "./rate-limit.ts";

const ICMP6_HEADER = 8;
const CHECKSUM_FIELD = 2;

/** Codes of "destination unreachable" (RFC 4443 §3.1) as transports see them. */
const UNREACHABLE: readonly ControlErrorKind[] = [
  "unreachable-net",
  "admin-prohibited",
  "unreachable-host", // beyond scope of source address
  "unreachable-host",
  "unreachable-port",
  "admin-prohibited", // source address failed policy
  "admin-prohibited", // reject route
];

/** ICMPv6 (RFC 4443). Neighbour discovery is handed to the link. */
export class Icmp6 implements TransportProtocol {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #statistics: Icmp6Statistics;
  readonly #errorLimit: RateLimit;
  readonly #echoLimit: RateLimit;
  readonly #error = new ControlError();

  constructor(stack: Stack, ip: IpLayer) {
    this.#stack = stack;
    this.#ip = ip;
    this.#statistics = stack.statistics.icmp6;
    this.#errorLimit = new RateLimit(
      stack.clock,
      stack.sysctl.number("net.inet6.icmp6.errppslimit", 100, {
        description: "Maximum number of ICMPv6 error messages per second; 0: no limit",
        minimum: 0,
      }),
    );
    this.#echoLimit = new RateLimit(
      stack.clock,
      stack.sysctl.number("net.inet6.icmp6.icmp6lim", 200, {
        description: "Maximum number of ICMPv6 echo replies per second; 0: no limit",
        minimum: 0,
      }),
    );
  }

  // ——— In ———

  input(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const { view, transportOffset: at } = packet;
    if (packet.end - at < 4) {
      statistics.tooShort++;
      this.#odd(packet, "ICMPv6 header cut off");
      return;
    }
    if (!transportChecksumGood(packet)) {
      statistics.checksum++;
      this.#odd(packet, "ICMPv6 checksum wrong");
      return;
    }
    const code = view.getUint8(at + 1);
    switch (view.getUint8(at)) {
      case ICMP6_ECHO:
        statistics.inEcho++;
        this.#reply(packet);
        break;
      case ICMP6_ECHO_REPLY:
        statistics.inEchoReply++;
        break;
      case ICMP6_UNREACH: {
        statistics.inUnreach++;
        const kind = UNREACHABLE[code];
        if (kind === undefined) statistics.badCode++;
        else this.#tell(packet, kind);
        break;
      }
      case ICMP6_PACKET_TOO_BIG:
        statistics.inPacketTooBig++;
        this.#tell(packet, "packet-too-big");
        break;
      case ICMP6_TIME_EXCEEDED:
        statistics.inTimeExceed++;
        if (code > 1) statistics.badCode++;
        else this.#tell(packet, "time-exceeded");
        break;
      case ICMP6_PARAM_PROBLEM:
        statistics.inParamProb++;
        if (code > 3) statistics.badCode++;
        else this.#tell(packet, "parameter-problem");
        break;
      case ND_NEIGHBOR_SOLICIT:
        statistics.inNeighborSolicit++;
        packet.iface.link.neighborDiscovery?.solicitation(packet);
        break;
      case ND_NEIGHBOR_ADVERT:
        statistics.inNeighborAdvert++;
        packet.iface.link.neighborDiscovery?.advertisement(packet);
        break;
      case MLD_QUERY:
        statistics.inOther++;
        packet.iface.link.neighborDiscovery?.groups.query(packet);
        break;
      default:
        // Router advertisements and redirects among them: routes and addresses here are configured, not learnt.
        statistics.inOther++;
    }
  }

  #odd(packet: InboundPacket, reason: string): void {
    this.#stack.oddPackets.mark(packet, reason);
  }

  /** Nobody but us sends ICMP: errors about it concern no one. */
  controlInput(_error: ControlError): void {}

  /** RFC 4443 §4.2. */
  #reply(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const at = packet.transportOffset;
    if (packet.end - at < ICMP6_HEADER) {
      statistics.tooShort++;
      return;
    }
    if (isUnspecified(packet)) {
      statistics.cantError++;
      return;
    }
    if (!this.#echoLimit.allows()) {
      statistics.tooFreq++;
      return;
    }
    const out = this.#begin(packet);
    if (out === null) return;
    const { view, transportOffset: to } = out;
    view.setUint32(to, (ICMP6_ECHO_REPLY << 24) >>> 0);
    view.setUint32(to + 4, packet.view.getUint32(at + 4));
    out.transportLength = ICMP6_HEADER;
    const data = packet.end - at - ICMP6_HEADER;
    if (data > 0) out.addSlice(packet.slab, at + ICMP6_HEADER, data);
    if (packet.checksum === CHECKSUM_UNKNOWN && !packet.multicast) {
      // Addresses change places, which the sum does not see: only the type differs.
      const sum = packet.view.getUint16(at + CHECKSUM_FIELD);
      view.setUint16(to + CHECKSUM_FIELD, updateChecksum(sum, ICMP6_ECHO << 8, ICMP6_ECHO_REPLY << 8));
    } else {
      out.checksumOffset = CHECKSUM_FIELD;
    }
    out.trafficClass = packet.trafficClass;
    statistics.reflect++;
    statistics.outEchoReply++;
    this.#ip.output(out, null);
  }

  /** Finds out which packet of ours an error quotes, and tells its transport. */
  #tell(packet: InboundPacket, kind: ControlErrorKind): void {
    const { view } = packet;
    const quoted = packet.transportOffset + ICMP6_HEADER;
    const error = this.#error;
    error.mtu = 0;
    if (quoted + IPV6_HEADER + 8 > packet.end || view.getUint8(quoted) >>> 4 !== 6) {
      this.#statistics.badLen++;
      return;
    }
    if (kind === "packet-too-big") {
      error.mtu = view.getUint32(packet.transportOffset + 4);
      // RFC 8201 §4: a smaller one must be discarded.
      if (error.mtu < IPV6_MINIMUM_MTU) {
        this.#statistics.badLen++;
        return;
      }
    }
    const { index } = packet.iface;
    error.l0 = scoped(view.getUint32(quoted + 8), index);
    error.l1 = view.getUint32(quoted + 12);
    error.l2 = view.getUint32(quoted + 16);
    error.l3 = view.getUint32(quoted + 20);
    if (!this.#ip.isLocal(error.l0, error.l1, error.l2, error.l3)) {
      this.#statistics.badCode++;
      return;
    }
    error.r0 = scoped(view.getUint32(quoted + 24), index);
    error.r1 = view.getUint32(quoted + 28);
    error.r2 = view.getUint32(quoted + 32);
    error.r3 = view.getUint32(quoted + 36);
    if (!findQuotedTransport(error, packet, quoted)) {
      this.#statistics.badLen++;
      return;
    }
    error.kind = kind;
    error.family = 6;
    error.slab = packet.slab;
    error.view = view;
    if (kind === "packet-too-big") this.#statistics.pmtuChg++;
    this.#ip.controlInput(error);
  }

  // ——— Out ———

  /**
   * Sends an error about a packet that came in, unless RFC 4443 §2.4 (e) forbids it or there were too many. `rest` is the second word: a pointer
   * or an MTU. `toGroups`: also where the packet went to a group (packet too big, and options that ask for it).
   */
  sendError(packet: InboundPacket, type: number, code: number, rest = 0, toGroups = false): void {
    const statistics = this.#statistics;
    statistics.error++;
    const isGroup = packet.multicast || isMulticast(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    if ((isGroup && !toGroups) || isUnspecified(packet) || isIcmpError(packet)) {
      statistics.cantError++;
      return;
    }
    if (!this.#errorLimit.allows()) {
      statistics.tooFreq++;
      return;
    }
    const out = this.#begin(packet);
    if (out === null) return;
    const { view, transportOffset: at } = out;
    view.setUint32(at, ((type << 24) | (code << 16)) >>> 0);
    view.setUint32(at + 4, rest);
    out.transportLength = ICMP6_HEADER;
    completeChecksum(packet);
    const quote = Math.min(packet.end - packet.ipOffset, IPV6_MINIMUM_MTU - IPV6_HEADER - ICMP6_HEADER);
    out.addSlice(packet.slab, packet.ipOffset, quote);
    out.checksumOffset = CHECKSUM_FIELD;
    if (type === ICMP6_UNREACH) statistics.outUnreach++;
    else if (type === ICMP6_PACKET_TOO_BIG) statistics.outPacketTooBig++;
    else if (type === ICMP6_TIME_EXCEEDED) statistics.outTimeExceed++;
    else statistics.outParamProb++;
    this.#ip.output(out, null);
  }

  /** An answer to a packet: from the address it was sent to if that is one, else by source selection (RFC 4443 §2.2). */
  #begin(packet: InboundPacket): OutboundPacket | null {
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    let source = this.#ip.localAddress(dst0, dst1, dst2, dst3)?.address ?? null;
    if (source === null) {
      const route = this.#ip.route(src0, src1, src2, src3);
      source = route === null ? null : this.#ip.selectSource(route);
    }
    if (source === null) {
      this.#statistics.noRoute++;
      return null;
    }
    const out = this.#stack.acquireOutbound();
    out.family = 6;
    out.protocol = PROTOCOL_ICMPV6;
    out.dontFragment = false;
    out.src0 = source.w0;
    out.src1 = source.w1;
    out.src2 = source.w2;
    out.src3 = source.w3;
    out.dst0 = src0;
    out.dst1 = src1;
    out.dst2 = src2;
    out.dst3 = src3;
    return out;
  }
}

function isUnspecified(packet: InboundPacket): boolean {
  return packet.src0 === 0 && packet.src1 === 0 && packet.src2 === 0 && packet.src3 === 0;
}

/** RFC 4443 §2.4 (e.1) and (e.2). A fragment that does not show its type counts as one. */
function isIcmpError(packet: InboundPacket): boolean {
  if (packet.protocol !== PROTOCOL_ICMPV6) return false;
  if (packet.transportOffset >= packet.end) return true;
  const type = packet.view.getUint8(packet.transportOffset);
  return type < 128 || type === ND_REDIRECT;
}

/** Walks the quoted packet's headers. False if its transport header is not there, or it is a later fragment. */
function findQuotedTransport(error: ControlError, packet: InboundPacket, quoted: number): boolean {
  const { view, end } = packet;
  let next = view.getUint8(quoted + 6);
  let at = quoted + IPV6_HEADER;
  while (isExtensionHeader(next)) {
    if (at + 8 > end) return false;
    if (next === PROTOCOL_FRAGMENT && (view.getUint16(at + 2) & 0xfff8) !== 0) return false;
    const length = next === PROTOCOL_FRAGMENT ? 8 : (view.getUint8(at + 1) + 1) * 8;
    next = view.getUint8(at);
    at += length;
  }
  if (at + 8 > end) return false;
  error.protocol = next;
  error.quotedOffset = at;
  error.quotedLength = end - at;
  return true;
}
