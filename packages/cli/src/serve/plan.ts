/** Settings that make sense on their own may contradict each other. Here they become a plan, or an error that names one of them. */
import { basename, resolve } from "node:path";
import { Address, Prefix } from "@nfs4/netstack";
import { type ExportSettings, isIpv4Prefix, type Settings, type TransportKind } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";

export interface PlannedExport extends ExportSettings {
  readonly path: string;
  /** An absolute path; null for memory. */
  readonly source: string | null;
}

/** What settings are for which transports; those that are not named are for all. */
const ONLY_FOR: { readonly [name in keyof Settings]?: readonly TransportKind[] } = {
  address6: ["tun", "tap", "uml", "qemu"],
  gateway: ["tun", "tap", "uml", "qemu"],
  mtu: ["tun", "tap", "uml", "qemu"],
  pcap: ["tun", "tap", "uml", "qemu"],
  odd: ["tun", "tap", "uml", "qemu"],
  device: ["tun", "tap"],
  bridge: ["tap"],
  socket: ["uml", "qemu"],
};

const WHAT: Readonly<Record<TransportKind, string>> = {
  tun: "a TUN device",
  tap: "a TAP device",
  host: "the kernel's sockets",
  uml: "a User-mode Linux guest's socket",
  qemu: "a QEMU guest's socket",
};

/** Throws a `SettingsError` if settings exclude each other. */
export function refuseContradictions(settings: Settings): void {
  const transport = settings.transport ?? "tun";
  for (const [name, kinds] of Object.entries(ONLY_FOR)) {
    if (settings[name as keyof Settings] !== undefined && !kinds.includes(transport)) {
      throw new SettingsError(
        name,
        `means nothing with ${WHAT[transport]}, only with ${kinds.map((kind) => WHAT[kind]).join(" or ")}`,
      );
    }
  }
  if (ONLY_FOR.socket?.includes(transport) && settings.socket === undefined)
    throw new SettingsError("transport", `"${transport}" needs the path of a socket, too`);
  if (transport === "host") return;
  const { address, bridge } = settings;
  if (address !== undefined) refuseUnfit(address);
  else if (bridge !== undefined)
    throw new SettingsError(
      "bridge",
      "give --address, too: the addresses of the bridge's network are not ours to choose",
    );
  refuseUnreachable(settings);
}

function refuseUnfit(address: string): void {
  if (!isIpv4Prefix(address))
    throw new SettingsError("address", `"${address}" is no IPv4 address with its prefix length, such as 10.0.0.2/24`);
  const prefix = Prefix.parse(address);
  if (prefix.address.isMulticast || prefix.address.isUnspecified || prefix.address.isLoopback)
    throw new SettingsError("address", `${prefix.address} cannot be the address of a host`);
  if (prefix.length < 31 && (prefix.network.address.equals(prefix.address) || prefix.broadcast?.equals(prefix.address)))
    throw new SettingsError(
      "address",
      `${prefix.address} is the network ${prefix.network} itself or its broadcast address`,
    );
}

function refuseUnreachable({ gateway, address, address6 }: Settings): void {
  if (gateway === undefined) return;
  const hop = Address.parse(gateway);
  if (hop.isLinkLocal && hop.family === 6) return;
  const own = hop.family === 4 ? address : address6;
  if (own !== undefined && !Prefix.parse(own).contains(hop))
    throw new SettingsError("gateway", `${gateway} is not in the stack's own network, ${Prefix.parse(own).network}`);
}

/** The exports as they will be served: at least one, each with a path and something behind it. Throws a `SettingsError`. */
export function planExports(settings: Settings): PlannedExport[] {
  const exports = settings.exports ?? [{ directory: "." }];
  const seen = new Map<string, number>();
  return exports.map((one, index) => {
    const key = `exports.${index}`;
    if (one.memory === true && one.directory !== undefined)
      throw new SettingsError(key, 'either a "directory" or "memory", not both');
    if (one.memory !== true && one.directory === undefined)
      throw new SettingsError(key, 'it needs a "directory", or "memory": true');
    const source = one.directory === undefined ? null : resolve(one.directory);
    const path = one.path ?? (exports.length === 1 ? "/" : `/${source === null ? "memory" : basename(source)}`);
    const other = seen.get(path);
    if (other !== undefined)
      throw new SettingsError(
        key,
        `clients would see it at ${path}, where exports.${other} is: give one another "path"`,
      );
    seen.set(path, index);
    return { ...one, path, source };
  });
}
