import { execFileSync } from "node:child_process";
import { nodeConnector, nodeListener } from "@nfs4/bytestream";
import { createStack, openTunTap } from "@nfs4/netstack";
import { createServer, MemoryFileSystem } from "@nfs4/server";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";

export interface ServeOptions {
  readonly directories: readonly string[];
  readonly memory?: boolean;
  readonly host?: string | true;
  readonly tap?: boolean;
  readonly bridge?: string;
  readonly address?: string;
  readonly port: string;
  readonly rootSquash: boolean;
}

export async function serve(options: ServeOptions): Promise<void> {
  const clock = nodeClock();
  const random = cryptoRandom;
  const port = Number(options.port);
  const fileSystem = new MemoryFileSystem({ now: () => clock.wall() });
  const exports = [{ path: "/", fileSystem, squash: options.rootSquash ? ("root" as const) : ("none" as const) }];
  if (options.host) {
    const server = await createServer({ clock, random, exports, connector: nodeConnector({ clock }) });
    const listener = await nodeListener({ clock, port, ...(options.host === true ? {} : { host: options.host }) });
    server.listen(listener);
    console.log(`serving on ${listener.localAddress.address}:${listener.localAddress.port}`);
    return;
  }
  const stack = createStack({ name: "nfs4", clock, random });
  const driver = openTunTap({ mode: options.tap ? "tap" : "tun", name: "nfs4-%d" });
  const iface = stack.addInterface({ name: "net0", driver });
  iface.addAddress(options.address ?? "10.99.0.100/24");
  if (options.bridge) execFileSync("ip", ["link", "set", driver.name, "master", options.bridge, "up"]);
  const server = await createServer({ clock, random, exports, connector: stack.tcp.connector() });
  server.listen(stack.tcp.listen({ port }));
  console.log(`serving on our stack, ${driver.name}`);
}
