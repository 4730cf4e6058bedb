import { existsSync, writeFileSync } from "node:fs";
import {
  exchange,
  hostWord,
  NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  wordOf,
} from "./netlink.ts";

// The host's side of an interface, without iproute2. Names of constants as in <linux/if_link.h>, <linux/if_addr.h>, <linux/rtnetlink.h>.
const IFINFOMSG = 16;
const IFADDRMSG = 8;
const RTMSG = 12;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_TXQLEN = 13;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const IFF_UP = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** 4 bytes of IPv4 or 16 of IPv6, in network byte order. */
export type AddressBytes = Uint8Array;

export interface InterfacePrefix {
  readonly address: AddressBytes;
  readonly prefixLength: number;
  /** The other end of a point-to-point link; the prefix is then its. */
  readonly peer?: AddressBytes;
}

export interface RouteOptions {
  /** All zero with prefix length 0 for the default route. */
  readonly destination: AddressBytes;
  readonly prefixLength: number;
  /** Without it the destination is on the link. */
  readonly gateway?: AddressBytes;
}

export interface InterfaceOptions {
  /** Added; one that is there is replaced. IPv6 addresses are usable at once (no duplicate address detection). */
  readonly addresses?: readonly InterfacePrefix[];
  readonly routes?: readonly RouteOptions[];
  /** Bytes of IP, 68 to 65,535. */
  readonly mtu?: number;
  /** The host side's Ethernet address (TAP), 6 bytes. */
  readonly hardwareAddress?: Uint8Array;
  /** Packets that the host keeps for us before it drops. */
  readonly queueLength?: number;
  /** A bridge to put the interface under. */
  readonly bridge?: string;
  readonly up?: boolean;
  /** No router solicitations, autoconfiguration or link-local address of the host on this interface. Default true: nobody but us is there. */
  readonly quietIpv6?: boolean;
}

/** Sets up the host's side of an interface, in the network namespace of the calling thread. Needs CAP_NET_ADMIN. Throws NativeError. */
export function configureInterface(name: string, options: InterfaceOptions): void {
  if (options.quietIpv6 ?? true) quietIpv6(name);
  const index = interfaceIndex(name);
  const link = new NetlinkMessage(RTM_NEWLINK, NLM_F_ACK, IFINFOMSG).word(4, index);
  if (options.up !== undefined) link.word(8, options.up ? IFF_UP : 0).word(12, IFF_UP);
  if (options.mtu !== undefined) link.wordAttribute(IFLA_MTU, options.mtu);
  if (options.queueLength !== undefined) link.wordAttribute(IFLA_TXQLEN, options.queueLength);
  if (options.hardwareAddress !== undefined) link.attribute(IFLA_ADDRESS, options.hardwareAddress);
  if (options.bridge !== undefined) link.wordAttribute(IFLA_MASTER, interfaceIndex(options.bridge));
  exchange(link, IFINFOMSG, name);
  for (const prefix of options.addresses ?? []) addAddress(index, prefix, name);
  for (const route of options.routes ?? []) addRoute(name, route);
}

/** Removes an interface that persists. Throws NativeError ENODEV if there is none. */
export function deleteInterface(name: string): void {
  exchange(new NetlinkMessage(RTM_DELLINK, NLM_F_ACK, IFINFOMSG).stringAttribute(IFLA_IFNAME, name), IFINFOMSG, name);
}

/** The kernel's number of an interface. Throws NativeError ENODEV if there is none of that name. */
export function interfaceIndex(name: string): number {
  const query = new NetlinkMessage(RTM_GETLINK, NLM_F_ACK, IFINFOMSG).stringAttribute(IFLA_IFNAME, name);
  return hostWord(exchange(query, IFINFOMSG, name)[0]!.fixed, 4);
}

function addAddress(index: number, prefix: InterfacePrefix, name: string): void {
  const message = new NetlinkMessage(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, IFADDRMSG)
    .byte(0, familyOf(prefix.address))
    .byte(1, prefix.prefixLength)
    .word(4, index)
    .attribute(IFA_LOCAL, prefix.address)
    .attribute(IFA_ADDRESS, prefix.peer ?? prefix.address);
  if (prefix.address.length === 16) message.wordAttribute(IFA_FLAGS, IFA_F_NODAD);
  exchange(message, IFADDRMSG, name);
}

/** Adds or replaces a route through an interface in the main table. Throws NativeError. */
export function addRoute(name: string, route: RouteOptions): void {
  exchange(routeMessage(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, name, route), RTMSG, name);
}

/** Throws NativeError ESRCH if there is no such route. */
export function deleteRoute(name: string, route: RouteOptions): void {
  exchange(routeMessage(RTM_DELROUTE, 0, name, route), RTMSG, name);
}

function routeMessage(type: number, flags: number, name: string, route: RouteOptions): NetlinkMessage {
  const message = new NetlinkMessage(type, NLM_F_ACK | flags, RTMSG)
    .byte(0, familyOf(route.destination))
    .byte(1, route.prefixLength)
    .byte(4, RT_TABLE_MAIN)
    .byte(5, RTPROT_STATIC)
    .byte(6, route.gateway === undefined && route.destination.length === 4 ? RT_SCOPE_LINK : 0)
    .byte(7, RTN_UNICAST);
  if (route.prefixLength > 0) message.attribute(RTA_DST, route.destination);
  if (route.gateway !== undefined) message.attribute(RTA_GATEWAY, route.gateway);
  return message.wordAttribute(RTA_OIF, interfaceIndex(name));
}

export interface AddressInUse {
  readonly interfaceIndex: number;
  readonly address: AddressBytes;
  readonly prefixLength: number;
}

/** Every address of this network namespace. */
export function listAddresses(): AddressInUse[] {
  const replies = exchange(new NetlinkMessage(RTM_GETADDR, NLM_F_DUMP, IFADDRMSG), IFADDRMSG, "addresses");
  return replies.flatMap(({ fixed, attributes }) => {
    const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
    if (address === undefined) return [];
    return [{ interfaceIndex: hostWord(fixed, 4), address, prefixLength: fixed.getUint8(1) }];
  });
}

export interface RouteInUse {
  readonly destination: AddressBytes;
  readonly prefixLength: number;
  readonly gateway?: AddressBytes;
  /** 0 for a route with several hops or none. */
  readonly interfaceIndex: number;
  /** 254 is the main table, 255 the local one. */
  readonly table: number;
}

/** Every route of this network namespace, IPv4 and IPv6: what a free address plan must keep clear of. */
export function listRoutes(): RouteInUse[] {
  const replies = [AF_INET, AF_INET6].flatMap((family) =>
    exchange(new NetlinkMessage(RTM_GETROUTE, NLM_F_DUMP, RTMSG).byte(0, family), RTMSG, "routes"),
  );
  return replies.map(({ fixed, attributes }) => {
    const gateway = attributes.get(RTA_GATEWAY);
    return {
      destination: attributes.get(RTA_DST) ?? new Uint8Array(fixed.getUint8(0) === AF_INET6 ? 16 : 4),
      prefixLength: fixed.getUint8(1),
      interfaceIndex: wordOf(attributes.get(RTA_OIF)),
      table: wordOf(attributes.get(RTA_TABLE)) || fixed.getUint8(4),
      ...(gateway === undefined ? {} : { gateway }),
    };
  });
}

/**
 * Keeps the host from speaking IPv6 on its own on an interface: no link-local address, router solicitations, autoconfiguration or
 * duplicate address detection. Takes effect when written before the interface comes up. Nothing to do where IPv6 is off.
 */
export function quietIpv6(name: string): void {
  const directory = `/proc/sys/net/ipv6/conf/${name}`;
  if (!existsSync(directory)) return;
  const settings = {
    addr_gen_mode: 1,
    router_solicitations: 0,
    accept_ra: 0,
    autoconf: 0,
    accept_dad: 0,
    dad_transmits: 0,
  };
  for (const [setting, value] of Object.entries(settings)) {
    const path = `${directory}/${setting}`;
    if (existsSync(path)) writeFileSync(path, `${value}\n`);
  }
}

function familyOf(address: AddressBytes): number {
  if (address.length === 4) return AF_INET;
  if (address.length === 16) return AF_INET6;
  throw new TypeError("an address has 4 or 16 bytes");
}
