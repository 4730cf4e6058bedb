import { isMulticast, MAPPED } from "../address.ts";
import { sumView, updateChecksum } from "../checksum.ts";
import { CHECKSUM_UNKNOWN, type InboundPacket, type OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { IcmpStatistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import { ControlError, type ControlErrorKind, type TransportProtocol } from "../transport.ts";
import {
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_PARAMPROB,
  ICMP_REDIRECT,
  ICMP_TIMXCEED,
  ICMP_UNREACH,
  UNREACH_NEEDFRAG,
} from "./icmp-constants.ts";
import type { IpLayer } from "./ip-layer.ts";
import { completeChecksum, sumTransport } from "./outbound-checksum.ts";
import { PROTOCOL_ICMP } from "./protocol.ts";
import { RateLimit } from "./rate-limit.ts";

const ICMP_HEADER = 8;
const IPV4_HEADER = 20;

/** RFC 1191 §7.1: what to try next when a router does not say. */
const PLATEAUS = [32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/** Codes of "destination unreachable" (RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1) as transports see them. */
const UNREACHABLE: readonly ControlErrorKind[] = [
  "unreachable-net",
  "unreachable-host",
  "unreachable-protocol",
  "unreachable-port",
  "packet-too-big",
  "unreachable-host", // source route failed
  "unreachable-net", // network unknown
  "unreachable-host", // host unknown
  "unreachable-host", // isolated
  "admin-prohibited", // network
  "admin-prohibited", // host
  "unreachable-net", // for type of service
  "unreachable-host", // for type of service
  "admin-prohibited", // filtered
  "admin-prohibited", // precedence violation
  "admin-prohibited", // precedence cutoff
];

/** ICMP for IPv4. */
export class Icmp implements TransportProtocol {
  readonly #stack: Stack;
  readonly #ip: IpLayer;
  readonly #statistics: IcmpStatistics;
  readonly #answersBroadcast: Sysctl<boolean>;
  readonly #quoteLength: Sysctl<number>;
  readonly #errorLimit: RateLimit;
  readonly #echoLimit: RateLimit;
  readonly #error = new ControlError();

  constructor(stack: Stack, ip: IpLayer) {
    this.#stack = stack;
    this.#ip = ip;
    this.#statistics = stack.statistics.icmp;
    const limit = stack.sysctl.number("net.inet.icmp.icmplim", 200, {
      description: "Maximum number of ICMP errors, and of echo replies, per second; 0: no limit",
      minimum: 0,
    });
    this.#errorLimit = new RateLimit(stack.clock, limit);
    this.#echoLimit = new RateLimit(stack.clock, limit);
    this.#answersBroadcast = stack.sysctl.boolean("net.inet.icmp.bmcastecho", false, {
      description: "Reply to multicast ICMP Echo Request and Timestamp packets",
    });
    this.#quoteLength = stack.sysctl.number("net.inet.icmp.quotelen", 548, {
      description: "Number of bytes from original packet to quote in ICMP reply",
      minimum: 8,
      maximum: 548,
    });
  }

  // ——— In ———

  input(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const { view, transportOffset: at } = packet;
    const length = packet.end - at;
    if (length < ICMP_HEADER) {
      statistics.tooShort++;
      this.#odd(packet, "ICMP header cut off");
      return;
    }
    if (packet.checksum === CHECKSUM_UNKNOWN && sumView(view, at, length) !== 0xffff) {
      statistics.checksum++;
      this.#odd(packet, "ICMP checksum wrong");
      return;
    }
    const code = view.getUint8(at + 1);
    switch (view.getUint8(at)) {
      case ICMP_ECHO:
        statistics.inEcho++;
        this.#reply(packet);
        break;
      case ICMP_ECHO_REPLY:
        statistics.inEchoReply++;
        break;
      case ICMP_UNREACH: {
        statistics.inUnreach++;
        const kind = UNREACHABLE[code];
        if (kind === undefined) statistics.badCode++;
        else this.#tell(packet, kind);
        break;
      }
      case ICMP_TIMXCEED:
        statistics.inTimxceed++;
        if (code > 1) statistics.badCode++;
        else this.#tell(packet, "time-exceeded");
        break;
      case ICMP_PARAMPROB:
        statistics.inParamprob++;
        if (code > 1) statistics.badCode++;
        else this.#tell(packet, "parameter-problem");
        break;
      case ICMP_REDIRECT:
        // FreeBSD's net.inet.icmp.drop_redirect: our routes are configured, not learnt.
        statistics.inRedirect++;
        break;
      default:
        statistics.inOther++;
    }
  }

  #odd(packet: InboundPacket, reason: string): void {
    this.#stack.oddPackets.mark(packet, reason);
  }

  /** Nobody but us sends ICMP: errors about it concern no one. */
  controlInput(_error: ControlError): void {}

  /** RFC 1122 §3.2.2.6: the same data goes back, from the address that was asked. */
  #reply(packet: InboundPacket): void {
    const statistics = this.#statistics;
    if (packet.multicast && !this.#answersBroadcast.value) {
      statistics.bmcastEcho++;
      return;
    }
    if (!this.#isAnswerable(packet)) {
      statistics.badAddr++;
      return;
    }
    if (!this.#echoLimit.allows()) {
      statistics.tooFreq++;
      return;
    }
    const at = packet.transportOffset;
    const out = this.#begin(packet);
    if (out === null) return;
    const { view, transportOffset: to } = out;
    view.setUint32(to, 0);
    view.setUint32(to + 4, packet.view.getUint32(at + 4));
    out.transportLength = ICMP_HEADER;
    const data = packet.end - at - ICMP_HEADER;
    if (data > 0) out.addSlice(packet.slab, at + ICMP_HEADER, data);
    // A checksum that the sender has not finished is no ground to build on.
    view.setUint16(
      to + 2,
      packet.checksum === CHECKSUM_UNKNOWN
        ? updateChecksum(packet.view.getUint16(at + 2), ICMP_ECHO << 8, ICMP_ECHO_REPLY << 8)
        : ~sumTransport(out) & 0xffff,
    );
    out.trafficClass = packet.trafficClass;
    statistics.reflect++;
    statistics.outEchoReply++;
    this.#ip.output(out, null);
  }

  /** Finds out which packet of ours an error quotes, and tells its transport. */
  #tell(packet: InboundPacket, kind: ControlErrorKind): void {
    const { view } = packet;
    const quoted = packet.transportOffset + ICMP_HEADER;
    const available = packet.end - quoted;
    const headerLength = available >= IPV4_HEADER ? (view.getUint8(quoted) & 15) << 2 : 0;
    // RFC 792: header and 64 bits. Less cannot be matched to anything.
    if (headerLength < IPV4_HEADER || view.getUint8(quoted) >>> 4 !== 4 || available < headerLength + 8) {
      this.#statistics.badLen++;
      return;
    }
    const isFirstFragment = (view.getUint16(quoted + 6) & 0x1fff) === 0;
    const source = view.getUint32(quoted + 12);
    if (!isFirstFragment || !this.#ip.isLocal(0, 0, MAPPED, source)) {
      this.#statistics.badAddr++;
      return;
    }
    const error = this.#error;
    error.kind = kind;
    error.family = 4;
    error.protocol = view.getUint8(quoted + 9);
    error.l2 = MAPPED;
    error.l3 = source;
    error.r2 = MAPPED;
    error.r3 = view.getUint32(quoted + 16);
    error.mtu = 0;
    if (kind === "packet-too-big") {
      const said = view.getUint16(packet.transportOffset + 6);
      error.mtu = said !== 0 ? said : plateauBelow(view.getUint16(quoted + 2));
    }
    error.slab = packet.slab;
    error.view = view;
    error.quotedOffset = quoted + headerLength;
    error.quotedLength = available - headerLength;
    this.#ip.controlInput(error);
  }

  // ——— Out ———

  /**
   * Sends an error about a packet that came in, unless it is one that must not be answered with an error (RFC 1122 §3.2.2) or there were too many.
   * `rest` is the second word: the next hop's MTU or, in its first byte, a pointer.
   */
  sendError(packet: InboundPacket, type: number, code: number, rest = 0): void {
    const statistics = this.#statistics;
    const { view, ipOffset } = packet;
    statistics.error++;
    if (packet.multicast || !this.#isAnswerable(packet) || isMulticast(0, 0, MAPPED, packet.dst3)) {
      statistics.oldMcast++;
      return;
    }
    if ((view.getUint16(ipOffset + 6) & 0x1fff) !== 0) {
      statistics.oldFrag++;
      return;
    }
    if (packet.protocol === PROTOCOL_ICMP && !isQuery(packet)) {
      statistics.oldIcmp++;
      return;
    }
    if (!this.#errorLimit.allows()) {
      statistics.tooFreq++;
      return;
    }
    const out = this.#begin(packet);
    if (out === null) return;
    const { view: to, transportOffset: at } = out;
    to.setUint32(at, ((type << 24) | (code << 16)) >>> 0);
    to.setUint32(at + 4, rest);
    out.transportLength = ICMP_HEADER;
    const headerLength = (view.getUint8(ipOffset) & 15) << 2;
    completeChecksum(packet);
    const quote = Math.min(packet.end - ipOffset, headerLength + this.#quoteLength.value);
    out.addSlice(packet.slab, ipOffset, quote);
    to.setUint16(at + 2, ~sumTransport(out));
    if (type === ICMP_UNREACH) statistics.outUnreach++;
    else if (type === ICMP_TIMXCEED) statistics.outTimxceed++;
    else statistics.outParamprob++;
    this.#ip.output(out, null);
  }

  /** "Fragmentation needed and DF set" with the next hop's MTU (RFC 1191 §4). */
  sendTooBig(packet: InboundPacket, mtu: number): void {
    this.sendError(packet, ICMP_UNREACH, UNREACH_NEEDFRAG, mtu);
  }

  /** RFC 1122 §3.2.2: the source must name a single host. */
  #isAnswerable(packet: InboundPacket): boolean {
    const source = packet.src3;
    return source >>> 24 !== 0 && source >>> 28 < 14 && !this.#ip.isBroadcast(0, 0, MAPPED, source);
  }

  /** An answer to a packet: from the address it was sent to, or (RFC 1812 §4.3.2.4) one of the interface that it came in by. */
  #begin(packet: InboundPacket): OutboundPacket | null {
    let source = packet.dst3;
    if (packet.multicast || !this.#ip.isLocal(0, 0, MAPPED, source)) {
      const own = packet.iface.addresses.find((candidate) => candidate.address.family === 4 && candidate.usable);
      if (own === undefined) {
        this.#statistics.noRoute++;
        return null;
      }
      source = own.address.w3;
    }
    const out = this.#stack.acquireOutbound();
    out.family = 4;
    out.protocol = PROTOCOL_ICMP;
    out.dontFragment = false;
    out.src0 = 0;
    out.src1 = 0;
    out.src2 = MAPPED;
    out.src3 = source;
    out.dst0 = 0;
    out.dst1 = 0;
    out.dst2 = MAPPED;
    out.dst3 = packet.src3;
    return out;
  }
}

function isQuery(packet: InboundPacket): boolean {
  const { transportOffset: at } = packet;
  if (packet.end <= at) return false;
  const type = packet.view.getUint8(at);
  return type === ICMP_ECHO || type === ICMP_ECHO_REPLY || type > ICMP_PARAMPROB;
}

function plateauBelow(length: number): number {
  return PLATEAUS.find((plateau) => plateau < length) ?? 68;
}
