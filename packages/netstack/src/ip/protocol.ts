/** IP protocol numbers and next headers (IANA). */
export const PROTOCOL_HOP_BY_HOP = 0;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ROUTING = 43;
export const PROTOCOL_FRAGMENT = 44;
export const PROTOCOL_ESP = 50;
export const PROTOCOL_AH = 51;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_NO_NEXT = 59;
export const PROTOCOL_DESTINATION_OPTIONS = 60;

/** RFC 791: every internet module forwards 68; RFC 8200 §5: every link carries 1280. */
export const IPV4_MINIMUM_MTU = 68;
export const IPV6_MINIMUM_MTU = 1280;

/** What `ip.output` returns. */
export const OUTPUT_OK = 0;
/** No route, or one that rejects. */
export const NO_ROUTE = 1;
/** Longer than the path MTU and not to be fragmented; the route knows the MTU. */
export const TOO_BIG = 2;
/** A queue is full. */
export const NO_BUFFERS = 3;
/** The interface is down. */
export const LINK_DOWN = 4;
/** The packet cannot be sent as it is (no source address, a broadcast that was not asked for). */
export const BAD_ADDRESS = 5;
export type OutputResult =
  | typeof OUTPUT_OK
  | typeof NO_ROUTE
  | typeof TOO_BIG
  | typeof NO_BUFFERS
  | typeof LINK_DOWN
  | typeof BAD_ADDRESS;
