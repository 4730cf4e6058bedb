/** Opens what our stack's packets go through: a TUN or TAP device with the host's end of it set up, or a socket for guests. */
import { existsSync, rmSync } from "node:fs";
import { configureInterface, interfaceIndex } from "@nfs4/native";
import { type Address, type Driver, listenQemu, listenUml, openTunTap, type Prefix } from "@nfs4/netstack";
import { neighbourOf } from "./link-addresses.ts";
import type { Settings, TransportKind } from "./settings.ts";
import { codeOf, messageOf, SettingsError } from "./settings-error.ts";

export interface Link {
  readonly driver: Driver;
  readonly description: readonly string[];
  /** The host's own address on the link: our way to everybody else. Null where the host is not on it. */
  readonly neighbour: Address | null;
}

/** `own`: the stack's addresses. Throws a `SettingsError`. */
export function openLink(settings: Settings, own: readonly Prefix[], macAddress: Uint8Array): Link {
  const kind = settings.transport ?? "tun";
  return kind === "uml" || kind === "qemu"
    ? guestSocket(kind, settings, own, macAddress)
    : device(kind === "tap" ? "tap" : "tun", settings, own, macAddress);
}

function device(mode: "tun" | "tap", settings: Settings, own: readonly Prefix[], macAddress: Uint8Array): Link {
  const { bridge, mtu } = settings;
  refuseNoBridge(bridge);
  const ends = bridge === undefined ? own.map(hostEnd) : [];
  const driver = openDevice(mode, settings, macAddress);
  try {
    configureInterface(driver.name, {
      up: true,
      ...(mtu === undefined ? {} : { mtu }),
      ...(bridge === undefined ? { addresses: ends } : { bridge }),
    });
  } catch (error) {
    void driver.close();
    if (bridge !== undefined && codeOf(error) !== "EPERM")
      throw new SettingsError("bridge", `cannot put ${driver.name} on ${bridge}: ${messageOf(error)}`);
    throw new SettingsError("transport", `cannot set up device ${driver.name}: ${messageOf(error)}`);
  }
  const where = `our stack on ${mode.toUpperCase()} device ${driver.name}`;
  const neighbour = bridge === undefined && own[0] ? neighbourOf(own[0]) : null;
  return {
    driver,
    description: [bridge === undefined ? `${where}, whose other end is ${neighbour}` : `${where}, on bridge ${bridge}`],
    neighbour,
  };
}

function openDevice(mode: "tun" | "tap", settings: Settings, macAddress: Uint8Array): Driver {
  try {
    return openTunTap({
      mode,
      name: settings.device ?? "nfs4-%d",
      ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }),
      ...(mode === "tap" ? { macAddress } : {}),
    });
  } catch (error) {
    const kind = mode.toUpperCase();
    switch (codeOf(error)) {
      case "EBUSY":
        throw new SettingsError("device", `${settings.device} is in use by another process`);
      case "EINVAL":
        throw new SettingsError("device", `there is a ${settings.device} already, and it is no ${kind} device`);
      default:
        throw new SettingsError("transport", `cannot open a ${kind} device: ${messageOf(error)}`);
    }
  }
}

function refuseNoBridge(bridge: string | undefined): void {
  if (bridge === undefined) return;
  try {
    interfaceIndex(bridge);
  } catch {
    throw new SettingsError("bridge", `there is no interface ${bridge}`);
  }
  if (!existsSync(`/sys/class/net/${bridge}/bridge`) && existsSync(`/sys/class/net/${bridge}`))
    throw new SettingsError("bridge", `interface ${bridge} is no bridge`);
}

/** The host's address on the link. */
function hostEnd(own: Prefix): { address: Uint8Array; prefixLength: number } {
  const neighbour = neighbourOf(own);
  if (!neighbour)
    throw new SettingsError(
      own.family === 4 ? "address" : "address6",
      `the network ${own} has no room for the host's end of the link`,
    );
  return { address: neighbour.toBytes(), prefixLength: own.length };
}

/** A guest's network card is one end of a Unix socket; our stack is the network at the other. No privilege is needed. */
function guestSocket(
  kind: Extract<TransportKind, "uml" | "qemu">,
  settings: Settings,
  own: readonly Prefix[],
  macAddress: Uint8Array,
): Link {
  const path = settings.socket ?? "";
  const options = { macAddress, ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }) };
  const first = own[0];
  const guest = first && neighbourOf(first);
  const card =
    kind === "uml"
      ? `vec0:transport=bess,dst=${path}`
      : `-netdev stream,id=nfs4,server=off,addr.type=unix,addr.path=${path} -device virtio-net,netdev=nfs4`;
  const description = [
    `our stack on socket ${path}`,
    `start guests with ${card}`,
    ...(first && guest ? [`and give them addresses such as ${guest}/${first.length}`] : []),
  ];
  try {
    const driver = kind === "uml" ? listenUml(path, options) : listenQemu(path, options);
    const removeName = (): void => {
      process.off("exit", removeName);
      rmSync(path, { force: true });
    };
    driver.onClose(removeName);
    // For an end that closes nothing.
    process.once("exit", removeName);
    return { driver, description, neighbour: null };
  } catch (error) {
    if (codeOf(error) === "EADDRINUSE")
      throw new SettingsError("socket", `${path}: somebody listens there already, or it is no socket`);
    throw new SettingsError("socket", `cannot listen at ${path}: ${messageOf(error)}`);
  }
}
