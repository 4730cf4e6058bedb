import { Command, Option } from "commander";
import { type ServeOptions, serve } from "./serve.ts";

export function serveCommand(): Command {
  return new Command("serve")
    .description("serve directories over NFSv4")
    .argument("[directory...]", "what to serve; default: the current directory")
    .option("--memory", "serve an empty file system in memory instead")
    .addOption(
      new Option("--host [address]", "use the kernel's sockets instead of our own stack").conflicts(["tap", "tun"]),
    )
    .addOption(new Option("--tap", "attach our stack by Ethernet").conflicts("tun"))
    .option("--bridge <name>", "put the host's side of the TAP on this bridge")
    .option("--address <address/length>", "our stack's address")
    .option("--port <port>", "where to listen", "2049")
    .option("--no-root-squash", "leave root root")
    .action(async (directories: string[], options: Omit<ServeOptions, "directories">) =>
      serve({ ...options, directories }),
    );
}
