/** ICMP for IPv4: RFC 792, RFC 1122 §3.2.2, RFC 1812 §5.2.7. */
export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACH = 3;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO = 8;
export const ICMP_TIMXCEED = 11;
export const ICMP_PARAMPROB = 12;

export const UNREACH_NET = 0;
export const UNREACH_HOST = 1;
export const UNREACH_PROTOCOL = 2;
export const UNREACH_PORT = 3;
export const UNREACH_NEEDFRAG = 4;
export const UNREACH_SOURCE_ROUTE_FAILED = 5;

export const TIMXCEED_INTRANS = 0;
export const TIMXCEED_REASS = 1;
