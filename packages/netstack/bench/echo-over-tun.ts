/**
 * Echo requests from another process, through the kernel and a TUN, answered by the stack: packets per CPU-second of the stack's process.
 * As root, in a namespace of its own:
 *   unshare --net node --conditions=source --import tsx packages/netstack/bench/echo-over-tun.ts
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { configureInterface, openTun, PacketPort, READABLE } from "@nfs4/native";
import { Address, createStack, openTunTap } from "@nfs4/netstack";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";
import { icmp, ipv4, ramp } from "../test/ip/packets.ts";

const SECONDS = 5;
/** Requests under way: few enough that no queue overflows. */
const WINDOW = 256;
const US = "10.77.0.2";
const FLOODER = "10.78.0.2";

function bytesOf(address: string): Uint8Array {
  return Address.parse(address).toBytes();
}

/** Keeps `WINDOW` requests under way until it is killed. */
function flood(): void {
  const device = openTun({ mode: "tun", name: "flood", vnetHeader: false, offload: 0 });
  configureInterface(device.name, {
    addresses: [{ address: bytesOf("10.78.0.1"), prefixLength: 24 }],
    up: true,
    queueLength: 4096,
  });
  const request = ipv4({ from: FLOODER, to: US, protocol: 1 }, icmp(8, 0, 1, ramp(56)));
  const descriptors = new Int32Array(WINDOW * 3);
  for (let i = 0; i < WINDOW; i++) descriptors.set([0, request.length, 0], i * 3);
  const port = new PacketPort({
    fd: device.fd,
    kind: "device",
    slab: new Uint8Array(1 << 20),
    packets: new Int32Array(2 * WINDOW),
    headers: request,
    descriptors,
    alignment: 0,
    maxPacket: 2048,
    onReady: () => {
      const count = port.receive(WINDOW) & 0xffff;
      if (count > 0) port.send(0, count, []);
      port.arm(READABLE);
    },
  });
  port.arm(READABLE);
  port.send(0, WINDOW, []);
}

async function measure(): Promise<void> {
  const clock = nodeClock();
  const stack = createStack({ name: "bench", clock, random: cryptoRandom, sysctl: { "net.inet.icmp.icmplim": 0 } });
  const driver = openTunTap({ mode: "tun", name: "stack" });
  configureInterface(driver.name, {
    addresses: [{ address: bytesOf("10.77.0.1"), prefixLength: 24 }],
    up: true,
    queueLength: 4096,
  });
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  stack.addInterface({ name: "net0", driver }).addAddress(`${US}/24`);
  stack.routes.add({ destination: "default", gateway: "10.77.0.1" });
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] as string, "flood"], {
    stdio: "inherit",
  });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const answered = stack.statistics.icmp.outEchoReply;
  const cpu = process.cpuUsage();
  const polls = driver.statistics.polls;
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const { user, system } = process.cpuUsage(cpu);
  const count = stack.statistics.icmp.outEchoReply - answered;
  const seconds = (user + system) / 1e6;
  const perPoll = (count / (driver.statistics.polls - polls)).toFixed(1);
  console.log(
    `${(count / SECONDS / 1e3).toFixed(0)} k echoes/s, ${(count / seconds / 1e3).toFixed(0)} k per CPU-second ` +
      `(user ${(user / 1e6).toFixed(2)} s, system ${(system / 1e6).toFixed(2)} s), ${perPoll} packets a poll`,
  );
  child.kill();
  await once(child, "exit");
  await stack.close();
  clock.close();
}

if (process.argv[2] === "flood") flood();
else await measure();
