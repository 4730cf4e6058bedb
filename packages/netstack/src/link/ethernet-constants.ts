/** Ethernet II: two MAC addresses and a type (RFC 894). */
export const ETHERNET_HEADER = 14;
export const TYPE_IPV4 = 0x0800;
export const TYPE_ARP = 0x0806;
export const TYPE_IPV6 = 0x86dd;

/** ff:ff:ff:ff:ff:ff, split as MAC addresses are here: two bytes and four. */
export const BROADCAST_HIGH = 0xffff;
export const BROADCAST_LOW = 0xffffffff;
