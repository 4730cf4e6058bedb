import { nativeAvailable, openTun, TUN_F_CSUM, TUN_F_TSO_ECN, TUN_F_TSO4, TUN_F_TSO6 } from "@nfs4/native";
import { PortDriver } from "./port-driver.ts";

export interface TunTapOptions {
  /** `tun`: IP packets to and from the host. `tap`: Ethernet frames, say for a bridge. */
  readonly mode: "tun" | "tap";
  /** At most 15 bytes; `%d` is the first free number. Default `tun%d` or `tap%d`. */
  readonly name?: string;
  /** The stack's side; set the host's side to the same. Default 1500. */
  readonly mtu?: number;
  /** Our own Ethernet address (tap). Not that of the host's interface. Default: the stack chooses. */
  readonly macAddress?: Uint8Array;
  /** False: no virtio-net headers, so every packet stands alone with its checksum. Default true. */
  readonly offload?: boolean;
  /** Fail rather than attach to an interface that exists. */
  readonly exclusive?: boolean;
  /** Whether the process stays alive for it. Default true. */
  readonly keepAlive?: boolean;
}

/**
 * Opens a TUN or TAP device with all of TCP's offloads. The interface appears on the host without addresses and down: `configureInterface` of
 * `@nfs4/native` (or `ip`) sets it up. It goes away when the driver is closed. Throws NativeError: EPERM without CAP_NET_ADMIN, ENOENT without
 * /dev/net/tun, EBUSY if in use; an Error where the addon is not built.
 */
export function openTunTap(options: TunTapOptions): PortDriver {
  const available = nativeAvailable();
  if (!available.ok) throw new Error(available.reason);
  const { mode, offload = true } = options;
  const device = openTun({
    mode,
    ...(options.name === undefined ? {} : { name: options.name }),
    vnetHeader: offload,
    offload: offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0,
    exclusive: options.exclusive ?? false,
  });
  return new PortDriver({
    name: device.name,
    fd: device.fd,
    kind: "device",
    virtio: offload,
    capabilities: {
      medium: mode === "tun" ? "ip" : "ethernet",
      mtu: options.mtu ?? 1500,
      macAddress: mode === "tap" ? (options.macAddress ?? null) : null,
      transmitChecksum: offload,
      segmentation4: offload ? 65535 : 0,
      segmentation6: offload ? 65535 : 0,
    },
    keepAlive: options.keepAlive ?? true,
  });
}
