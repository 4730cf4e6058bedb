import { execFileSync } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { createStack, openTunTap } from "@nfs4/netstack";
import { createServer, MemoryFileSystem } from "@nfs4/server";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";

subscribe("nfs4:server:fault", (m) => console.error("FAULT", m));
subscribe("nfs4:rpc:error", (m) => console.error("RPCERR", m));
const clock = nodeClock();
const random = cryptoRandom;
const fileSystem = new MemoryFileSystem({ now: () => clock.wall(), capacity: 2 * 2 ** 30 });
const stack = createStack({ name: "nfs4", clock, random });
const driver = openTunTap({ mode: "tap", name: "nfs4-%d" });
stack.addInterface({ name: "net0", driver }).addAddress(process.argv[2] ?? "");
execFileSync("ip", ["link", "set", driver.name, "master", "br0", "up"]);
const server = await createServer({
  clock,
  random,
  exports: [{ path: "/", fileSystem, squash: "none" }],
  connector: stack.tcp.connector(),
});
server.listen(stack.tcp.listen({ port: 2049 }));
console.log("serving");
process.on("SIGUSR1", () => console.error(server.counters, server.services.callbacks.counters, stack.tcp.statistics));
