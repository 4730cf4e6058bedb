import { addon } from "./addon.ts";
import { NativeError } from "./errno.ts";

/** TUNSETOFFLOAD: what the host may leave unfinished in packets that it hands to us. */
export const TUN_F_CSUM = 0x01;
export const TUN_F_TSO4 = 0x02;
export const TUN_F_TSO6 = 0x04;
export const TUN_F_TSO_ECN = 0x08;
export const TUN_F_USO4 = 0x20;
export const TUN_F_USO6 = 0x40;

/** Every offload. Those of UDP are dropped by kernels before 6.2. */
export const TUN_OFFLOAD_ALL: number = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6;

export interface OpenTunOptions {
  /** Interface name, at most 15 bytes; may hold `%d` for the first free number. Default: `tun%d` or `tap%d`. */
  readonly name?: string;
  /** `tun`: IP packets. `tap`: Ethernet frames. */
  readonly mode: "tun" | "tap";
  /** A 10-byte little-endian virtio-net header before each packet, both ways. */
  readonly vnetHeader: boolean;
  /** TUN_F_…; 0 without `vnetHeader`. */
  readonly offload: number;
  /** The interface outlives the descriptor. Default false, which also ends the persistence of one that exists. */
  readonly persist?: boolean;
  /** Fail with EBUSY rather than attach to an interface that exists. Default false. */
  readonly exclusive?: boolean;
}

export interface TunDevice {
  /** Non-blocking, close-on-exec; the caller owns it. Closing it removes the interface unless it persists. */
  readonly fd: number;
  /** As the kernel chose it. */
  readonly name: string;
  /** The offloads that the kernel took. */
  readonly offload: number;
}

/** Opens a TUN or TAP device. Throws NativeError: EPERM without CAP_NET_ADMIN, ENOENT without /dev/net/tun, EBUSY if in use. */
export function openTun(options: OpenTunOptions): TunDevice {
  const name = options.name ?? `${options.mode}%d`;
  const { openTun: open } = addon();
  const offload = options.vnetHeader ? options.offload : 0;
  const persist = options.persist ?? false;
  const device = open(name, options.mode === "tap", options.vnetHeader, offload, persist, options.exclusive ?? false);
  if (typeof device === "number") throw new NativeError("TUNSETIFF", device, name);
  return device;
}
