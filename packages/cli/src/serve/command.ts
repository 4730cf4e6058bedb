/** `nfs4 serve`: flags on top of a configuration file. */
import { Command, InvalidArgumentError, Option } from "commander";
import { serve } from "./serve.ts";
import { check, readSettingsFile, type Settings, SettingsError } from "./settings.ts";

interface Flags {
  readonly config?: string;
  readonly memory?: true;
  readonly host?: string | true;
  readonly tun?: true;
  readonly tap?: true;
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
  readonly squash?: "root" | "all" | "none";
  readonly clients?: string[];
  readonly pcap?: string;
  readonly admin?: string | false;
}

export function serveCommand(): Command {
  const command = new Command("serve")
    .description(
      "Serve directories over NFSv4.0, 4.1 and 4.2. As root on Linux it has a TCP/IP stack of its own on a TUN device; with --host it uses the kernel's sockets.",
    )
    .argument("[directory...]", "what to serve (default: the current directory)")
    .addOption(new Option("-c, --config <file>", "configuration file (JSON); flags win over it"))
    .addOption(new Option("--memory", "serve an empty file system in memory"))
    .addOption(
      new Option("--tun", "our stack on a TUN device (default as root)").conflicts([
        "tap",
        "host",
        "umlSocket",
        "qemuSocket",
      ]),
    )
    .addOption(
      new Option("--tap", "our stack on a TAP device: Ethernet").conflicts(["host", "umlSocket", "qemuSocket"]),
    )
    .addOption(
      new Option("--host [address]", "the kernel's sockets, where no privilege is had").conflicts([
        "umlSocket",
        "qemuSocket",
      ]),
    )
    .addOption(
      new Option(
        "--uml-socket <path>",
        "our stack for a User-mode Linux guest: its transport=bess,dst=<path>",
      ).conflicts("qemuSocket"),
    )
    .addOption(
      new Option(
        "--qemu-socket <path>",
        "our stack for a QEMU guest: its -netdev stream,addr.type=unix,addr.path=<path>",
      ),
    )
    .option("--address <address/length>", "the stack's IPv4 address (default: a free one, printed and kept)")
    .option("--address6 <address/length>", "the stack's IPv6 address")
    .option("--gateway <address>", "where the stack sends what is not on its link")
    .option("--device <name>", "name of the TUN or TAP device")
    .option("--bridge <name>", "put the host's side of the TAP on this bridge")
    .option("--mtu <bytes>", "largest IP packet of the link", integer)
    .option("-p, --port <number>", "where to listen (default 2049)", integer)
    .option(
      "--state-dir <directory>",
      "what must outlive the process (default: /var/lib/nfs4/server-N as root, else ~/.local/state/nfs4/server-N)",
    )
    .option("--lease <seconds>", "lease time (default 90)", integer)
    .option("--grace <seconds>", "grace after a restart (default: the lease)", integer)
    .option("--stop-after <seconds>", "how long a stop waits for work under way (default 5)", integer)
    .option("--read-only", "nothing can be changed")
    .addOption(new Option("--squash <who>", "who becomes nobody (default root)").choices(["root", "all", "none"]))
    .option("--clients <address...>", "who may mount: addresses or prefixes (default: the link's own network)")
    .option("--pcap <file>", "write every packet of our stack to a pcapng file")
    .option("--admin <address:port>", "where health, metrics and lists are (default 127.0.0.1, a free port)")
    .option("--no-admin", "no admin interface");
  return command.action(async (directories: string[], flags: Flags) => {
    try {
      await serve(settingsFrom(directories, flags));
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      command.error(`nfs4 serve: ${error.message}`);
    }
  });
}

/** Flags over the configuration file. Flags that describe an export hold for every export. */
export function settingsFrom(directories: readonly string[], flags: Flags): Settings {
  const file: Settings = flags.config === undefined ? {} : readSettingsFile(flags.config);
  if (flags.memory && directories.length > 0) throw new SettingsError("either directories or --memory");
  const named = flags.memory
    ? [{ memory: true }]
    : directories.length > 0
      ? directories.map((directory) => ({ directory }))
      : file.exports;
  const everyExport = defined({ readOnly: flags.readOnly, squash: flags.squash, clients: flags.clients });
  const exports = (named ?? [{ directory: "." }]).map((one) => ({ ...one, ...everyExport }));
  const transport = flags.host
    ? "host"
    : flags.tap
      ? "tap"
      : flags.tun
        ? "tun"
        : flags.umlSocket
          ? "uml"
          : flags.qemuSocket
            ? "qemu"
            : undefined;
  const fromFlags = defined({
    transport,
    address: typeof flags.host === "string" ? flags.host : flags.address,
    address6: flags.address6,
    gateway: flags.gateway,
    device: flags.device,
    bridge: flags.bridge,
    socket: flags.umlSocket ?? flags.qemuSocket,
    mtu: flags.mtu,
    port: flags.port,
    stateDirectory: flags.stateDir,
    leaseSeconds: flags.lease,
    graceSeconds: flags.grace,
    stopSeconds: flags.stopAfter,
    pcap: flags.pcap,
    admin: flags.admin,
  });
  return check({ ...file, ...fromFlags, exports }, "the command line");
}

function defined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(([name, value]) => value !== undefined && !(name === "admin" && value === true)),
  );
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("It must be a whole number.");
  return value;
}
