import { Address } from "../address.ts";
import type { Stack } from "../stack.ts";
import type { Sysctl } from "../sysctl.ts";

/** Shared by the interfaces of a stack, which register them together. */
export interface NdSettings {
  readonly dadCount: Sysctl<number>;
  readonly multicastTries: Sysctl<number>;
  readonly unicastTries: Sysctl<number>;
  readonly maxHold: Sysctl<number>;
  readonly autoLinkLocal: Sysctl<boolean>;
}

export function registerNdSettings(stack: Stack): NdSettings {
  const { sysctl } = stack;
  return {
    dadCount: sysctl.number("net.inet6.ip6.dad_count", 1, {
      description: "Number of ICMPv6 NS messages sent during duplicate address detection",
      minimum: 0,
      maximum: 10,
    }),
    multicastTries: sysctl.number("net.inet6.icmp6.nd6_mmaxtries", 3, {
      description: "Number of ICMPv6 NS messages sent during address resolution",
      minimum: 1,
    }),
    unicastTries: sysctl.number("net.inet6.icmp6.nd6_umaxtries", 3, {
      description: "Number of ICMPv6 NS messages sent during reachability detection",
      minimum: 1,
    }),
    maxHold: sysctl.number("net.inet6.icmp6.nd6_maxqueuelen", 16, {
      description: "Number of packets to hold per neighbour",
      minimum: 1,
    }),
    autoLinkLocal: sysctl.boolean("net.inet6.ip6.auto_linklocal", true, {
      description: "Give an Ethernet interface a link-local address with its first IPv6 address",
    }),
  };
}

/** RFC 4291 appendix A: fe80::/64 and the modified EUI-64 of the MAC address. */
export function linkLocalAddress(mac: Uint8Array): Address {
  const [a, b, c, d, e, f] = mac as unknown as [number, number, number, number, number, number];
  const w2 = ((a ^ 2) << 24) | (b << 16) | (c << 8) | 0xff;
  const w3 = (0xfe << 24) | (d << 16) | (e << 8) | f;
  return Address.fromWords(0xfe800000, 0, w2, w3);
}
