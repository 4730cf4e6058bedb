import { addSums, sumPseudoHeader, sumView } from "../checksum.ts";
import { CHECKSUM_UNKNOWN, type InboundPacket } from "../packet.ts";
import { ACK, FIN, PROTOCOL_TCP, SYN, TCP_HEADER } from "./constants.ts";
import { TcpOptions } from "./options.ts";
import type { TcpStatistics } from "./statistics.ts";

/** The bits of the header that nobody has a use for yet (RFC 9293 §3.1; the fourth is AE, RFC 9768). */
const RESERVED = 0x0e00;

/**
 * One segment that came in, as the state machine sees it: trimmed as it goes (`seq`, `length` and `flags` change while `packet` stands). One object
 * is reused for every segment; its payload is lent for the length of the input call.
 */
export class TcpSegment {
  packet!: InboundPacket;
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  /** As on the wire: not scaled. */
  window = 0;
  urgentPointer = 0;
  /** Where the payload begins in the packet's slab, and its length. */
  payloadOffset = 0;
  length = 0;
  /** What is strange about it, as a constant phrase; null: nothing. */
  oddity: string | null = null;
  readonly options: TcpOptions = new TcpOptions();

  /** Reads the header and verifies the checksum (MUST-3). False: malformed or corrupt, and counted. */
  parse(packet: InboundPacket, statistics: TcpStatistics): boolean {
    const { view, transportOffset: at, end } = packet;
    const available = end - at;
    if (available < TCP_HEADER) {
      statistics.rcvShort++;
      this.oddity = "TCP header cut short";
      return false;
    }
    const offsetAndFlags = view.getUint16(at + 12);
    const headerLength = (offsetAndFlags >>> 12) * 4;
    if (headerLength < TCP_HEADER || headerLength > available) {
      statistics.rcvBadOff++;
      this.oddity = "TCP data offset that cannot be";
      return false;
    }
    if (packet.checksum === CHECKSUM_UNKNOWN && !checksumHolds(packet, available)) {
      statistics.rcvBadSum++;
      this.oddity = "TCP checksum wrong";
      return false;
    }
    this.oddity = (offsetAndFlags & RESERVED) === 0 ? null : "TCP reserved bits set";
    this.packet = packet;
    this.sourcePort = view.getUint16(at);
    this.destinationPort = view.getUint16(at + 2);
    this.seq = view.getUint32(at + 4);
    this.ack = view.getUint32(at + 8);
    this.flags = offsetAndFlags & 0xff;
    this.window = view.getUint16(at + 14);
    this.urgentPointer = view.getUint16(at + 18);
    this.payloadOffset = at + headerLength;
    this.length = available - headerLength;
    const options = this.options;
    if (headerLength === TCP_HEADER) options.reset();
    else options.parse(view, at + TCP_HEADER, at + headerLength, (this.flags & SYN) !== 0);
    if (options.malformed) {
      statistics.rcvBadOpt++;
      this.oddity = "TCP options malformed";
    }
    return true;
  }

  /** SEG.LEN: payload, and one for each of SYN and FIN. */
  get sequenceLength(): number {
    const flags = this.flags;
    return this.length + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1);
  }

  get hasAck(): boolean {
    return (this.flags & ACK) !== 0;
  }
}

function checksumHolds(packet: InboundPacket, length: number): boolean {
  const pseudo = sumPseudoHeader(
    packet.src0,
    packet.src1,
    packet.src2,
    packet.src3,
    packet.dst0,
    packet.dst1,
    packet.dst2,
    packet.dst3,
    PROTOCOL_TCP,
    length,
  );
  return addSums(pseudo, sumView(packet.view, packet.transportOffset, length)) === 0xffff;
}
