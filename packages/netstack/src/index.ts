export { Address, Prefix } from "./address.ts";
export { Capture, type CaptureOptions, captureInterface } from "./capture.ts";
export { type CapturedPacket, CaptureError, readCapture } from "./capture-reader.ts";
export { createStack, HostStack, type HostStackOptions } from "./create-stack.ts";
export type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "./driver.ts";
export { emptyDriverStatistics } from "./drivers/driver-statistics.ts";
export { FrameSwitch, type FrameSwitchOptions } from "./drivers/frame-switch.ts";
export { gather } from "./drivers/gather.ts";
export { ImpairedDriver, type ImpairedDriverOptions } from "./drivers/impaired.ts";
export { type Impairments, MemoryLink, MemoryLinkEnd, type MemoryLinkOptions } from "./drivers/memory-link.ts";
export { PacketRing } from "./drivers/packet-ring.ts";
export { PortDriver, type PortDriverOptions } from "./drivers/port-driver.ts";
export { connectQemu, listenQemu } from "./drivers/qemu-stream.ts";
export { ReplayDriver, type ReplayOptions } from "./drivers/replay.ts";
export { type InjectOptions, ScriptDriver, type SentPacket } from "./drivers/script-driver.ts";
export { openTunTap, type TunTapOptions } from "./drivers/tun-tap.ts";
export { connectUml, frameSocket, listenUml } from "./drivers/uml-socket.ts";
export { type InterfaceOptions, NetworkInterface, type PacketTap } from "./interface.ts";
export { type AddressState, InterfaceAddress } from "./interface-address.ts";
export type { InterfaceStatistics } from "./interface-statistics.ts";
export { Route } from "./ip/route.ts";
export type { OddPackets } from "./odd-packets.ts";
export type { OddCaptureSink, OddRing } from "./odd-ring.ts";
export {
  CHECKSUM_GOOD,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNKNOWN,
  type ChecksumState,
  InboundPacket,
  OutboundPacket,
} from "./packet.ts";
export { type CaptureInterface, type CaptureSink, PcapngWriter } from "./pcapng.ts";
export { type RouteKind, type RouteSpecification, RoutingEntry, RoutingTable } from "./routing-table.ts";
export { Stack, type StackOptions } from "./stack.ts";
export type { Statistics } from "./statistics.ts";
export type { Sysctl, SysctlDescription, SysctlOptions, SysctlTree, SysctlValue } from "./sysctl.ts";
export type { TcpConnection } from "./tcp/connection.ts";
export { TcpError } from "./tcp/errors.ts";
export type { Histogram, HistogramBucket } from "./tcp/histogram.ts";
export type { TcpHistograms } from "./tcp/histograms.ts";
export type { TcpInfo } from "./tcp/info.ts";
export type { KeepAliveOptions } from "./tcp/keep-alive.ts";
export { type TcpConnectionSummary, type TcpConnectOptions, TcpLayer } from "./tcp/layer.ts";
export type { TcpListener } from "./tcp/listener.ts";
export type { TcpListenOptions } from "./tcp/listeners.ts";
export type { AoAlgorithm } from "./tcp/signatures/ao-algorithms.ts";
export { KeyChain } from "./tcp/signatures/key-chain.ts";
export { MasterKey, type MasterKeyOptions } from "./tcp/signatures/master-key.ts";
export { Md5Key } from "./tcp/signatures/md5-key.ts";
export type { KeySelection } from "./tcp/signatures/rekey.ts";
export type { SignatureKey } from "./tcp/signatures/signature-key.ts";
export { type SignatureKeyEntry, SignatureKeys, type SignaturePeer } from "./tcp/signatures/signature-keys.ts";
export type { SignatureInfo, SignatureKind } from "./tcp/signatures/signer.ts";
export type { StateChange } from "./tcp/state.ts";
export type { TcpStatistics } from "./tcp/statistics.ts";
export type { ControlError, ControlErrorKind, TransportProtocol } from "./transport.ts";
export { type UdpBindOptions, UdpLayer } from "./udp/udp-layer.ts";
export type { UdpMessage, UdpSocket, UdpSocketHandlers } from "./udp/udp-socket.ts";
