export { type Availability, nativeAvailable } from "./addon.ts";
export { inetChecksum, registerSlab, unregisterSlab } from "./checksum.ts";
export { monotonicMicros, rdtsc, threadCpuMicros, tscFrequency } from "./clock.ts";
export { DirentReader } from "./dirents.ts";
export { errno, errnoName, NativeError } from "./errno.ts";
export { FileCalls, type FileCallsOptions } from "./file-calls.ts";
export {
  ACCESS,
  ADVICE,
  AT,
  DT,
  FALLOC,
  IN,
  LEAVE_ID,
  LOCK,
  O,
  type OpenFlag,
  RENAME,
  RESOLVE,
  RWF,
  S,
  SEEK,
  STATX,
  STATX_ATTR,
  UTIME_NOW,
  UTIME_OMIT,
  XATTR,
} from "./file-constants.ts";
export type { FileHandle, Statfs, Statx } from "./file-results.ts";
export type { As, Fd, FileSystemCalls, Identity, Long, Name, Pooled, Result } from "./file-system-calls.ts";
export {
  type AddressBytes,
  type AddressInUse,
  addRoute,
  configureInterface,
  deleteInterface,
  deleteRoute,
  type InterfaceOptions,
  type InterfacePrefix,
  interfaceIndex,
  listAddresses,
  listRoutes,
  quietIpv6,
  type RouteInUse,
  type RouteOptions,
} from "./interface.ts";
export {
  PacketPort,
  type PacketPortKind,
  type PacketPortOptions,
  type PacketPortStatistics,
  RECEIVE_MORE,
} from "./packet-port.ts";
export {
  type OpenTunOptions,
  openTun,
  TUN_F_CSUM,
  TUN_F_TSO_ECN,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  TUN_OFFLOAD_ALL,
  type TunDevice,
} from "./tun.ts";
export {
  adoptFd,
  closeFd,
  connectUnix,
  dupFd,
  socketPair,
  UnixListener,
  type UnixSocketType,
} from "./unix-socket.ts";
export { WatchReader } from "./watch-reader.ts";
export { DISCONNECT, READABLE, Watcher, WRITABLE } from "./watcher.ts";
