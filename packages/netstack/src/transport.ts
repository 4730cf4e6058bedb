import type { InboundPacket } from "./packet.ts";

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/** What an ICMP or ICMPv6 error says, without its numbers. */
export type ControlErrorKind =
  | "unreachable-net"
  | "unreachable-host"
  | "unreachable-port"
  | "unreachable-protocol"
  | "admin-prohibited"
  | "packet-too-big"
  | "time-exceeded"
  | "parameter-problem";

/**
 * An error that came back for a packet that we sent (or, with `quotedLength` 0, that the stack itself found: a neighbour that does not answer).
 * One object is reused: it is lent for the length of the call. The quoted transport header is not to be trusted before the transport has
 * found a connection and, for TCP, a sequence number in its window (RFC 5927 §4).
 */
export class ControlError {
  kind: ControlErrorKind = "unreachable-host";
  family: 4 | 6 = 4;
  /** `packet-too-big`: the next hop's MTU as the router gave it; else 0. */
  mtu = 0;
  /** IP protocol of the quoted packet. */
  protocol = 0;
  /** Our address: source of the quoted packet. */
  l0 = 0;
  l1 = 0;
  l2 = 0;
  l3 = 0;
  /** Where the quoted packet was going. */
  r0 = 0;
  r1 = 0;
  r2 = 0;
  r3 = 0;
  /** The quoted transport header: at least 8 bytes, or `quotedLength` 0 if there is none. */
  slab: Uint8Array = EMPTY;
  view: DataView = EMPTY_VIEW;
  quotedOffset = 0;
  quotedLength = 0;
}

/** What the IP layer needs of a transport. Both calls come within `stack.enter()` and `leave()`. */
export interface TransportProtocol {
  /** A whole packet for this host, reassembled if need be. Its transport checksum has not been verified: see `transportChecksumGood`. */
  input(packet: InboundPacket): void;
  /** An error about a packet that this transport may have sent. */
  controlInput(error: ControlError): void;
}
