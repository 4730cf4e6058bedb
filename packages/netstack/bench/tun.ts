/**
 * Our TCP against the host kernel's over a TUN, beside Node's own `net` over loopback, in one run:
 *   sudo npm run bench:tun -w packages/netstack [-- --seconds 3 --rounds 3]
 *
 * Each case runs in two processes within a network namespace of its own: the one that is measured (our stack, or Node's net) and a peer on the kernel's
 * TCP. What counts are ratios per CPU-second: absolute numbers wander with the machine. The kernel lets whoever writes pay for the other's receiving, over
 * loopback and into a TUN alike, so that only both processes together are a fair measure; the measured one alone stands beside it.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface Measurement {
  readonly bytes: number;
  readonly requests: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peerCpuSeconds: number;
}

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "3" }, rounds: { type: "string", default: "3" } },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const worker = fileURLToPath(new URL("./tun-worker.ts", import.meta.url));

const CASES = ["receive", "send", "request"] as const;
const LABELS = { receive: "receive, bulk", send: "send, bulk", request: "100-byte request and reply" };

console.log(`best of ${rounds} rounds of ${seconds} s, alternating; CPU-seconds of both ends\n`);
console.log("| | Node net, loopback | our TCP, TUN | per CPU-second | of our end alone | per second |");
console.log("|---|---|---|---|---|---|");
for (const name of CASES) {
  let net: Measurement | null = null;
  let ours: Measurement | null = null;
  for (let round = 0; round < rounds; round++) {
    net = better(net, await measure("net", name));
    ours = better(ours, await measure("ours", name));
  }
  if (net === null || ours === null) throw new Error("nothing was measured");
  const cpu = (perCpuSecond(ours) / perCpuSecond(net)).toFixed(2);
  const alone = (work(ours) / ours.cpuSeconds / (work(net) / net.cpuSeconds)).toFixed(2);
  const wall = (perSecond(ours) / perSecond(net)).toFixed(2);
  console.log(`| ${LABELS[name]} | ${show(net)} | ${show(ours)} | **${cpu}×** | ${alone}× | ${wall}× |`);
}

function work(of: Measurement): number {
  return of.requests > 0 ? of.requests : of.bytes;
}

function perCpuSecond(of: Measurement): number {
  return work(of) / (of.cpuSeconds + of.peerCpuSeconds);
}

function perSecond(of: Measurement): number {
  return work(of) / of.seconds;
}

function better(a: Measurement | null, b: Measurement): Measurement {
  return a === null || perCpuSecond(b) > perCpuSecond(a) ? b : a;
}

function show(of: Measurement): string {
  const rate = perCpuSecond(of);
  return of.requests > 0 ? `${(rate / 1e3).toFixed(1)} k/CPU-s` : `${((rate * 8) / 1e9).toFixed(2)} Gbit/CPU-s`;
}

async function measure(who: "net" | "ours", name: (typeof CASES)[number]): Promise<Measurement> {
  const child = spawn(
    "unshare",
    ["--net", process.execPath, "--conditions=source", "--import", "tsx", worker, who, name, String(seconds)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let result: Measurement | null = null;
  createInterface({ input: child.stdout }).on("line", (line) => {
    result = JSON.parse(line) as Measurement;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (result === null) throw new Error(`${who} ${name}: ended with ${String(code)} and no result`);
  return result;
}
