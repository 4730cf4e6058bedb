/** ICMPv6: RFC 4443, RFC 4861, RFC 3810. */
export const ICMP6_UNREACH = 1;
export const ICMP6_PACKET_TOO_BIG = 2;
export const ICMP6_TIME_EXCEEDED = 3;
export const ICMP6_PARAM_PROBLEM = 4;
export const ICMP6_ECHO = 128;
export const ICMP6_ECHO_REPLY = 129;
export const MLD_QUERY = 130;
export const ND_ROUTER_SOLICIT = 133;
export const ND_ROUTER_ADVERT = 134;
export const ND_NEIGHBOR_SOLICIT = 135;
export const ND_NEIGHBOR_ADVERT = 136;
export const ND_REDIRECT = 137;
export const MLD2_REPORT = 143;

export const UNREACH6_NO_ROUTE = 0;
export const UNREACH6_ADDRESS = 3;
export const UNREACH6_PORT = 4;

export const TIME_EXCEEDED_REASSEMBLY = 1;

export const PARAM_HEADER = 0;
export const PARAM_NEXT_HEADER = 1;
export const PARAM_OPTION = 2;
/** RFC 7112: the first fragment lacks the whole header chain. */
export const PARAM_FIRST_FRAGMENT = 3;
