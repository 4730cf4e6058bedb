/** Flags of `nfs4 serve` laid over a configuration file, and what each setting is called where it came from. */
import {
  checkForm,
  type ExportSettings,
  type Settings,
  type Squash,
  type Timecounter,
  type TransportKind,
} from "./settings.ts";
import { SettingsError } from "./settings-error.ts";
import { readSettingsFile } from "./settings-file.ts";

/** As commander gives them. */
export interface Flags {
  readonly config?: string;
  readonly memory?: true;
  readonly tun?: true;
  readonly tap?: true;
  /** A string is the address to listen on. */
  readonly host?: string | true;
  readonly umlSocket?: string;
  readonly qemuSocket?: string;
  readonly address?: string;
  readonly address6?: string;
  readonly gateway?: string;
  readonly device?: string;
  readonly bridge?: string;
  readonly mtu?: number;
  readonly port?: number;
  readonly stateDir?: string;
  readonly lease?: number;
  readonly grace?: number;
  readonly stopAfter?: number;
  readonly readOnly?: true;
  readonly squash?: Squash;
  readonly clients?: string;
  readonly pcap?: string;
  readonly odd?: string;
  /** True is commander's way of saying that --no-admin was not given. */
  readonly admin?: string | boolean;
  readonly timecounter?: Timecounter;
}

/** What a setting of the top level is called on the command line. */
const FLAG_OF: Readonly<Record<string, string>> = {
  address: "--address",
  address6: "--address6",
  gateway: "--gateway",
  device: "--device",
  bridge: "--bridge",
  mtu: "--mtu",
  port: "--port",
  stateDirectory: "--state-dir",
  leaseSeconds: "--lease",
  graceSeconds: "--grace",
  stopSeconds: "--stop-after",
  pcap: "--pcap",
  odd: "--odd",
  admin: "--admin",
  timecounter: "--timecounter",
};

/** Throws a `SettingsError` about whatever is wrong with the file or a flag on its own. */
export function settingsFrom(directories: readonly string[], flags: Flags): Settings {
  refuseDirectoryAsAddress(flags);
  const file = flags.config === undefined ? {} : readSettingsFile(flags.config);
  const told = checkForm(settingsOf(flags));
  const exports = exportsOf(directories, flags, file);
  return { ...file, ...told, ...(exports === undefined ? {} : { exports }) };
}

/** `--host /srv` is parsed as an address. */
function refuseDirectoryAsAddress({ host }: Flags): void {
  if (typeof host === "string" && /^\.|\//.test(host))
    throw new SettingsError(
      "transport",
      `"${host}" is no address to listen on: name directories before --host, or write --host=127.0.0.1`,
    );
}

/** What the flags say, without exports. */
function settingsOf(flags: Flags): Record<string, unknown> {
  const transport = transportOf(flags);
  return defined({
    transport,
    socket: flags.umlSocket ?? flags.qemuSocket,
    address: typeof flags.host === "string" ? flags.host : flags.address,
    address6: flags.address6,
    gateway: flags.gateway,
    device: flags.device,
    bridge: flags.bridge,
    mtu: flags.mtu,
    port: flags.port,
    stateDirectory: flags.stateDir,
    leaseSeconds: flags.lease,
    graceSeconds: flags.grace,
    stopSeconds: flags.stopAfter,
    pcap: flags.pcap,
    odd: flags.odd,
    admin: flags.admin === true ? undefined : flags.admin,
    timecounter: flags.timecounter,
  });
}

function transportOf(flags: Flags): TransportKind | undefined {
  if (flags.tun) return "tun";
  if (flags.tap) return "tap";
  if (flags.host) return "host";
  if (flags.umlSocket !== undefined) return "uml";
  return flags.qemuSocket === undefined ? undefined : "qemu";
}

/** Directories of the command line take the place of the file's exports; flags about exports hold for every one. Undefined: nobody said anything. */
function exportsOf(
  directories: readonly string[],
  flags: Flags,
  file: Settings,
): readonly ExportSettings[] | undefined {
  if (flags.memory && directories.length > 0)
    throw new SettingsError(null, "--memory: give directories or --memory, not both");
  const named = flags.memory
    ? [{ memory: true }]
    : directories.length > 0
      ? directories.map((directory) => ({ directory }))
      : file.exports;
  const clients = flags.clients?.split(",").map((one) => one.trim());
  const ofEvery = defined({ readOnly: flags.readOnly, squash: flags.squash, clients });
  if (named === undefined && Object.keys(ofEvery).length === 0) return undefined;
  const exports = (named ?? [{ directory: "." }]).map((one) => ({ ...one, ...ofEvery }));
  return checkForm({ exports }).exports;
}

function defined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

export interface Origins {
  readonly directories: readonly string[];
  readonly flags: Flags;
}

/** What whoever started the command calls the setting `key`: a flag, or a place in the configuration file. Null if it has no name. */
export function nameOfSetting(key: string | null, { directories, flags }: Origins): string | null {
  const file = flags.config;
  if (key === "config") return `--config ${file}`;
  const inFile = file === undefined ? null : key === null ? file : `${file}: ${key}`;
  if (key === null) return inFile;
  const [top = "", , field] = key.split(".");
  if (top === "exports") {
    if (field === "clients" && flags.clients !== undefined) return "--clients";
    return flags.memory || directories.length > 0 ? null : inFile;
  }
  if (top === "address" && typeof flags.host === "string") return "--host";
  const given = settingsOf(flags)[top];
  const flag = top === "transport" || top === "socket" ? transportFlag(flags) : (FLAG_OF[top] ?? null);
  return given !== undefined || inFile === null ? flag : inFile;
}

function transportFlag(flags: Flags): string | null {
  const kind = transportOf(flags);
  if (kind === undefined) return null;
  return kind === "uml" || kind === "qemu" ? `--${kind}-socket` : `--${kind}`;
}
