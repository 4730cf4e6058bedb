/** Our own TCP/IP stack on a TUN or TAP device, or on a guest's socket. */
import { createWriteStream, existsSync, openSync, type WriteStream } from "node:fs";
import { configureInterface, nativeAvailable } from "@nfs4/native";
import {
  type Capture,
  captureInterface,
  createStack,
  type Driver,
  listenQemu,
  listenUml,
  type NetworkInterface,
  openTunTap,
} from "@nfs4/netstack";
import type { Storage } from "@nfs4/server";
import type { Clock, RandomSource } from "@nfs4/timecounter";
import { chooseAddresses, hostAddressBeside } from "./address-plan.ts";
import { keep, macBytes, randomMac, readKept } from "./kept.ts";
import { type Settings, SettingsError } from "./settings.ts";
import type { Transport } from "./transport.ts";

interface Link {
  readonly driver: Driver;
  readonly description: string;
}

export async function stackTransport(
  settings: Settings,
  storage: Storage,
  clock: Clock,
  random: RandomSource,
): Promise<Transport> {
  const kind = settings.transport ?? "tun";
  const kept = await readKept(storage);
  const macAddress = kept.macAddress ?? randomMac();
  const plan = addresses(settings, kept);
  await keep(storage, { ...kept, ...plan, macAddress });

  const { driver, description } = openLink(kind, settings, macBytes(macAddress));
  try {
    const stack = createStack({ name: "nfs4", clock, random });
    const iface = stack.addInterface({ name: "net0", driver });
    iface.addAddress(plan.address);
    if (settings.address6 !== undefined) iface.addAddress(settings.address6);
    if (settings.gateway !== undefined)
      stack.routes.add({ destination: "default", gateway: settings.gateway, interface: iface });
    if (kind === "tun" || kind === "tap") hostSide(driver.name, kind, settings, plan);
    const capture = settings.pcap === undefined ? null : startCapture(settings.pcap, iface);
    const port = settings.port ?? 2049;
    const listener = stack.tcp.listen({ port });
    const [address = ""] = plan.address.split("/");
    return {
      listener,
      connector: stack.tcp.connector(),
      stack,
      description,
      address,
      port,
      network: plan.address,
      close: async () => {
        await stack.close();
        await capture?.stop();
      },
    };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

function addresses(
  settings: Settings,
  kept: { address?: string | undefined; hostAddress?: string | undefined },
): { address: string; hostAddress: string } {
  if (settings.address !== undefined) {
    if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(settings.address))
      throw new SettingsError(
        `address: "${settings.address}" is no IPv4 address with prefix length, such as 10.0.0.2/24`,
      );
    return { address: settings.address, hostAddress: hostAddressBeside(settings.address) };
  }
  if (settings.bridge !== undefined)
    throw new SettingsError("--bridge: the bridge's network is not ours to choose from: give --address too");
  if (kept.address !== undefined && kept.hostAddress !== undefined)
    return { address: kept.address, hostAddress: kept.hostAddress };
  const plan = nativeAvailable().ok ? chooseAddresses(0) : { address: "10.78.0.2/24", hostAddress: "10.78.0.1" };
  if (!plan) throw new SettingsError("no network of 10.78.0.0/16 is free on this host: give --address");
  return plan;
}

function openLink(kind: "tun" | "tap" | "uml" | "qemu" | "host", settings: Settings, macAddress: Uint8Array): Link {
  const available = nativeAvailable();
  if (!available.ok)
    throw new SettingsError(
      `our own stack needs the native addon, and it is not there (${available.reason}): use --host`,
    );
  if (kind === "uml" || kind === "qemu") return guestSocket(kind, settings, macAddress);
  if (!existsSync("/dev/net/tun"))
    throw new SettingsError("there is no /dev/net/tun here: use --host, or a guest's socket");
  const mode = kind === "tap" ? "tap" : "tun";
  try {
    const driver = openTunTap({
      mode,
      name: settings.device ?? "nfs4-%d",
      ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }),
      ...(mode === "tap" ? { macAddress } : {}),
    });
    return { driver, description: `our stack on ${mode.toUpperCase()} device ${driver.name}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM")
      throw new SettingsError(`a ${mode.toUpperCase()} device needs CAP_NET_ADMIN: run as root, or use --host`);
    if (code === "EBUSY") throw new SettingsError(`device ${settings.device} is in use`);
    throw error;
  }
}

/** Addresses, or the bridge, of the host's end of the device. */
function hostSide(
  device: string,
  kind: "tun" | "tap",
  settings: Settings,
  plan: { readonly address: string; readonly hostAddress: string },
): void {
  const mtu = settings.mtu === undefined ? {} : { mtu: settings.mtu };
  if (settings.bridge !== undefined) {
    if (kind === "tun") throw new SettingsError("--bridge: only a TAP device can be on a bridge: add --tap");
    configureInterface(device, { bridge: settings.bridge, up: true, ...mtu });
    return;
  }
  const prefixLength = Number(plan.address.split("/")[1]);
  const address = Uint8Array.from(plan.hostAddress.split("."), Number);
  configureInterface(device, { addresses: [{ address, prefixLength }], up: true, ...mtu });
}

/** A guest's network card is one end of a Unix socket; our stack is the network at the other. No privilege is needed. */
function guestSocket(kind: "uml" | "qemu", settings: Settings, macAddress: Uint8Array): Link {
  const path = settings.socket;
  if (path === undefined) throw new SettingsError(`${kind}: it needs the path of a socket`);
  const options = { macAddress, ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }) };
  try {
    const driver = kind === "uml" ? listenUml(path, options) : listenQemu(path, options);
    return { driver, description: `our stack on socket ${path}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new SettingsError(`${path}: somebody listens there already`);
    throw new SettingsError(`${path}: ${(error as Error).message}`);
  }
}

interface RunningCapture {
  stop(): Promise<void>;
}

function startCapture(file: string, iface: NetworkInterface): RunningCapture {
  let out: WriteStream;
  try {
    out = createWriteStream(file, { fd: openSync(file, "w") });
  } catch (error) {
    throw new SettingsError(`--pcap: cannot write ${file}: ${(error as Error).message}`);
  }
  // The writer's memory is its own: what waits for the disk is a copy.
  const capture: Capture = captureInterface(iface, (bytes) => out.write(bytes.slice()));
  return {
    stop: () => {
      capture.stop();
      return new Promise((resolve) => out.end(resolve));
    },
  };
}
