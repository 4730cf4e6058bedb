/** Runs in a network namespace of its own: a stack on a TUN or TAP, with the host kernel as its neighbour. Prints what it found as JSON. */
import { execFile } from "node:child_process";
import { createSocket, type SocketType } from "node:dgram";
import { once } from "node:events";
import { configureInterface, deleteInterface } from "@nfs4/native";
import { Address, captureInterface, createStack, openTunTap } from "@nfs4/netstack";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";

const mode = process.argv[2] as "tun" | "tap";
const ping = JSON.parse(process.argv[3] as string) as string[];
const HOST4 = "10.77.0.1";
const HOST6 = "fd77::1";
const OURS4 = "10.77.0.2";
const OURS6 = "fd77::2";

const clock = nodeClock();
const stack = createStack({ name: "tun test", clock, random: cryptoRandom, sysctl: { "net.inet6.ip6.dad_count": 0 } });
const driver = openTunTap({ mode, name: `${mode}test` });
configureInterface(driver.name, {
  addresses: [
    { address: Address.parse(HOST4).toBytes(), prefixLength: 24 },
    { address: Address.parse(HOST6).toBytes(), prefixLength: 64 },
  ],
  up: true,
});
const iface = stack.addInterface({ name: "net0", driver });
const capture: Uint8Array[] = [];
captureInterface(iface, (bytes) => capture.push(bytes));
iface.addAddress(`${OURS4}/24`);
iface.addAddress(`${OURS6}/64`);

/** Exit status and output of the host's ping. */
function pingFrom(family: "4" | "6", size: number): Promise<string> {
  const [command, ...rest] = ping as [string, ...string[]];
  const flags = ["-c", "1", "-W", "3", "-s", String(size), family === "4" ? OURS4 : OURS6];
  const program = command === "busybox" ? [...rest, family === "6" ? "ping6" : "ping"] : [...rest, `-${family}`];
  return new Promise((resolve) => {
    execFile(command, [...program, ...flags], (error, stdout) => resolve(error === null ? "answered" : stdout));
  });
}

/** A datagram from the kernel to a socket of ours, and back. */
async function echo(type: SocketType, address: string, length: number): Promise<boolean> {
  const socket = createSocket(type);
  const data = new Uint8Array(length).map((_, i) => i);
  socket.send(data, 7, address);
  const [answer] = (await once(socket, "message")) as [Uint8Array];
  socket.close();
  return Buffer.compare(answer, data) === 0;
}

/** What the kernel makes of our "port unreachable". */
async function refused(type: SocketType, address: string): Promise<string> {
  const socket = createSocket(type);
  socket.connect(4711, address);
  await once(socket, "connect");
  socket.send("x");
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  socket.close();
  return error.code ?? "";
}

const echoSocket = stack.udp.bind({
  port: 7,
  message: ({ bytes, from, fromPort }) => echoSocket.send(bytes, from, fromPort),
});
const pings: Record<string, string> = {};
for (const size of [56, 3000]) {
  pings[`4/${size}`] = await pingFrom("4", size);
  pings[`6/${size}`] = await pingFrom("6", size);
}
const result = {
  pings,
  echoes: [
    await echo("udp4", OURS4, 100),
    await echo("udp6", OURS6, 100),
    await echo("udp4", OURS4, 9000),
    await echo("udp6", OURS6, 9000),
  ],
  refused: [await refused("udp4", OURS4), await refused("udp6", OURS6)],
  statistics: stack.statistics.snapshot(),
  driver: driver.statistics,
  outstanding: stack.outstandingPackets,
  capture: Buffer.concat(capture).toString("base64"),
};
// The link goes down for good when somebody deletes the device.
deleteInterface(driver.name);
while (iface.up) await new Promise<void>((resolve) => clock.defer(resolve));
await stack.close();
clock.close();
process.stdout.write(JSON.stringify(result));
