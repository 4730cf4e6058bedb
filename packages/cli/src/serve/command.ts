/** `nfs4 serve`: its flags, and what is said if they are wrong. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Flags } from "./flags.ts";

export function serveCommand(): Command {
  const command = new Command("serve")
    .description(
      "Serve directories over NFSv4.0, 4.1 and 4.2. As root on Linux it has a TCP/IP stack of its own on a TUN device; with --host it uses the kernel's sockets.",
    )
    .argument("[directory...]", "what to serve (default: the current directory)")
    .option("-c, --config <file>", "configuration file (JSON); flags win over it")
    .option("--memory", "serve an empty file system in memory")
    .optionsGroup("How clients reach it:")
    .addOption(
      transportOption("--tun", "our stack on a TUN device (default)", "tap", "host", "umlSocket", "qemuSocket"),
    )
    .addOption(transportOption("--tap", "our stack on a TAP device: Ethernet", "host", "umlSocket", "qemuSocket"))
    .addOption(
      transportOption(
        "--host [address]",
        "the kernel's sockets, where no privilege is had, at 127.0.0.1 or that address",
        "umlSocket",
        "qemuSocket",
      ),
    )
    .addOption(
      transportOption(
        "--uml-socket <path>",
        "our stack for User-mode Linux guests: their transport=bess,dst=<path>",
        "qemuSocket",
      ),
    )
    .option("--qemu-socket <path>", "our stack for QEMU guests: their -netdev stream,addr.type=unix,addr.path=<path>")
    .option(
      "--address <address>",
      "the stack's IPv4 address with prefix length (default: a free one, printed and kept)",
    )
    .option("--address6 <address/length>", "the stack's IPv6 address, besides")
    .option("--gateway <address>", "where the stack sends what is not for its own network (default: the host)")
    .option("--device <name>", "name of the TUN or TAP device")
    .option("--bridge <name>", "put the host's side of the TAP device on this bridge")
    .option("--mtu <bytes>", "largest IP packet of the link (default 1500)", integer)
    .option("-p, --port <number>", "where to listen (default 2049)", integer)
    .optionsGroup("For every export:")
    .option("--read-only", "nothing can be changed")
    .addOption(new Option("--squash <who>", "who becomes nobody (default root)").choices(["root", "all", "none"]))
    .option(
      "--clients <list>",
      "who may mount: addresses and prefixes with commas between, or * (default: the link's networks)",
    )
    .optionsGroup("The server:")
    .option(
      "--state-dir <directory>",
      "what must outlive the process (default: /var/lib/nfs4/server-N as root, else ~/.local/state/nfs4/server-N)",
    )
    .option("--lease <seconds>", "lease time (default 90)", integer)
    .option("--grace <seconds>", "grace after a restart (default: the lease)", integer)
    .option("--stop-after <seconds>", "how long a stop waits for work under way (default 5)", integer)
    .option("--admin <address:port>", "where health, metrics and lists are (default 127.0.0.1, a free port)")
    .option("--no-admin", "no admin interface")
    .option("--pcap <file>", "write every packet of our stack to a pcapng file")
    .option("--odd <directory>", "write what led to odd packets there, as pcapng files; SIGUSR2: at once")
    .addOption(
      new Option("--timecounter <name>", "what time is read from (default hrtime)").choices(["hrtime", "tsc"]),
    );
  return command.action(async (directories: string[], flags: Flags) => {
    // What is told about flags and asked with --help does not wait for the server's code.
    const { run } = await import("./run.ts");
    await run(directories, flags, (message) => command.error(`nfs4 serve: ${message}`));
  });
}

/** One of those that exclude each other. */
function transportOption(flags: string, description: string, ...others: string[]): Option {
  return new Option(flags, description).conflicts(others);
}

function integer(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
