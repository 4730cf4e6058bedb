export { Address, Prefix } from "./address.ts";
export type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "./driver.ts";
export { type Impairments, MemoryLink, MemoryLinkEnd, type MemoryLinkOptions } from "./drivers/memory-link.ts";
export { type InjectOptions, ScriptDriver, type SentPacket } from "./drivers/script-driver.ts";
export {
  type AddressState,
  InterfaceAddress,
  type InterfaceOptions,
  NetworkInterface,
  type PacketTap,
} from "./interface.ts";
export type { InterfaceStatistics } from "./interface-statistics.ts";
export { Route } from "./ip/route.ts";
export { InboundPacket, OutboundPacket } from "./packet.ts";
export { type RouteKind, type RouteSpecification, RoutingEntry, RoutingTable } from "./routing-table.ts";
export { Stack, type StackOptions } from "./stack.ts";
export type { Statistics } from "./statistics.ts";
export type { Sysctl, SysctlDescription, SysctlOptions, SysctlTree, SysctlValue } from "./sysctl.ts";
export type { ControlError, ControlErrorKind, TransportProtocol } from "./transport.ts";
