/** Signed connections with the kernel, within a network namespace that the caller made (`unshare -n`); prints one line of JSON for each. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Address } from "../../src/address.ts";
import type { NetworkInterface, PacketTap } from "../../src/interface.ts";
import type { OutboundPacket } from "../../src/packet.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Md5Key } from "../../src/tcp/signatures/md5-key.ts";
import { encodeSegment } from "../tcp/segment-codec.ts";
import { block, equal, expected, hashOurs, pumpOurs, until } from "./exchange.ts";
import { MD5_SCENARIOS, type Md5Scenario } from "./md5-scenarios.ts";
import { KERNEL, OURS, openTunStack, type TunStack } from "./tun-stack.ts";
import type { Family, Opener } from "./world.ts";

const KEY = "open sesame";
const BULK = 2 << 20;
const peerProgram = fileURLToPath(new URL("./md5-peer.py", import.meta.url));

/** The kernel's side: a Python program. */
class Peer {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly ended: Promise<string>;

  constructor(args: readonly string[]) {
    this.#child = spawn("python3", [peerProgram, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#lines.push(line));
    this.ended = new Promise((resolve) => this.#child.once("close", () => resolve(this.#lines.at(-1) ?? "")));
  }

  async ready(): Promise<void> {
    await until(() => this.#lines.includes("ready"));
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

interface Setting {
  readonly tun: TunStack;
  readonly family: Family;
  readonly opener: Opener;
  readonly port: number;
}

/** Keys "": none. Gives our end, or null: no connection came about. */
async function open(
  setting: Setting,
  ourKey: string,
  kernelKey: string,
): Promise<{ ours: TcpConnection | null; peer: Peer }> {
  const { tun, family, opener, port } = setting;
  const { tcp } = tun.stack;
  const [kernel, us] = [KERNEL[family], OURS[family]];
  if (opener === "ours") {
    const peer = new Peer(["echo", "serve", kernel, String(port), us, kernelKey]);
    await peer.ready();
    const signatureKey = ourKey === "" ? null : new Md5Key(ourKey);
    const ours = await tcp.connect({ address: kernel, port }, { signatureKey, timeoutMs: 1500 }).catch(() => null);
    if (ours === null) peer.stop();
    return { ours, peer };
  }
  let ours: TcpConnection | null = null;
  const signatureKeys = ourKey === "" ? [] : [{ peer: kernel, key: new Md5Key(ourKey) }];
  const listener = tcp.listen({ port, signatureKeys });
  listener.accept((stream) => {
    ours = stream as TcpConnection;
  });
  const peer = new Peer(["echo", "connect", kernel, String(port), us, kernelKey]);
  let over = false;
  void peer.ended.then(() => {
    over = true;
  });
  await until(() => ours !== null || over);
  await listener.close();
  return { ours, peer };
}

async function transfer(ours: TcpConnection, peer: Peer): Promise<void> {
  const data = block(5);
  const back = hashOurs(ours);
  await pumpOurs(ours, data, BULK);
  ours.shutdown();
  equal(await back, expected(data, BULK), "what the kernel sent back");
  equal(await peer.ended, "closed", "the kernel's end");
  equal((await ours.closed).how, "closed", "our end");
}

async function bulk(setting: Setting): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "md5-"));
  const file = join(folder, "signed.pcap");
  const dump = spawn("tcpdump", ["-i", setting.tun.iface.driver.name, "-w", file, "-U", "tcp"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    await new Promise<void>((resolve) =>
      dump.stderr.on("data", (bytes) => String(bytes).includes("listening") && resolve()),
    );
    const { ours, peer } = await open(setting, KEY, KEY);
    if (ours === null) throw new Error("no connection came about");
    await transfer(ours, peer);
    const stopped = new Promise((resolve) => dump.once("close", resolve));
    dump.kill("SIGINT");
    await stopped;
    // One line of options for each segment.
    const said = execFileSync("tcpdump", ["-r", file, "-n", "-v", "-M", KEY], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 1 << 28,
    });
    const [all, valid] = [said.match(/Flags \[/g)?.length ?? 0, said.match(/md5 valid/g)?.length ?? 0];
    if (valid < 100) throw new Error(`tcpdump saw ${valid} signatures only`);
    equal(valid, all, "segments that tcpdump finds signed");
    const ourLines = said
      .split("\n")
      .filter((line) => line.includes(`${OURS[setting.family]}.`) && line.includes("md5 valid"));
    equal(ourLines.length > 100, true, "ours among them");
  } finally {
    dump.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looks for the newest segment of the kernel's. */
class LastHeard implements PacketTap {
  packet: Uint8Array = new Uint8Array(0);

  received(_iface: NetworkInterface, slab: Uint8Array, offset: number, length: number): void {
    this.packet = slab.slice(offset, offset + length);
  }

  transmitted(_iface: NetworkInterface, _packet: OutboundPacket): void {}
}

async function unsignedReset(setting: Setting): Promise<void> {
  const { tun, family } = setting;
  const tap = new LastHeard();
  tun.iface.addTap(tap);
  const { ours, peer } = await open(setting, KEY, KEY);
  if (ours === null) throw new Error("no connection came about");
  const heard: number[] = [];
  ours.setSink({ data: (_slab, _offset, length) => heard.push(length) && length, end: () => {} });
  ours.write([{ bytes: Buffer.from("ping") }]);
  await until(() => heard.length > 0);
  // The echo was the newest: a reset right behind it is exactly what RFC 5961 asks for.
  const at = family === 4 ? 20 : 40;
  const view = new DataView(tap.packet.buffer);
  const length = tap.packet.length - at - (view.getUint8(at + 12) >>> 4) * 4;
  const reset = encodeSegment(Address.parse(KERNEL[family]), Address.parse(OURS[family]), {
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    seq: (view.getUint32(at + 4) + length) >>> 0,
    flags: "R",
  });
  tun.iface.removeTap(tap);
  const { statistics } = tun.stack.tcp;
  const before = statistics.sigErrNoSigOpt;
  const inject = new Peer(["inject", tun.iface.driver.name, Buffer.from(reset).toString("hex")]);
  equal(await inject.ended, "closed", "the injection");
  await until(() => statistics.sigErrNoSigOpt > before);
  equal(ours.tcpInfo().state, "ESTABLISHED", "our end after the reset");
  await transfer(ours, peer);
}

async function never(setting: Setting, ourKey: string, kernelKey: string): Promise<void> {
  const { ours, peer } = await open(setting, ourKey, kernelKey);
  if (ours !== null) throw new Error("a connection came about");
  if (setting.opener === "kernel") equal(await peer.ended, "timeout", "the kernel's end");
}

const scenarios: Record<Md5Scenario, (setting: Setting) => Promise<void>> = {
  "bulk both ways, contents compared, every signature valid to tcpdump": bulk,
  "a reset without a signature does not end it": unsignedReset,
  "a wrong key never connects": (setting) => never(setting, KEY, "barley"),
  "no key on our side never connects": (setting) => never(setting, "", KEY),
  "no key on the kernel's side never connects": (setting) => never(setting, KEY, ""),
};

const tun = await openTunStack();
let port = 6000;
for (const family of [4, 6] as Family[]) {
  for (const opener of ["ours", "kernel"] as Opener[]) {
    const vain: Promise<void>[] = [];
    for (const scenario of MD5_SCENARIOS) {
      const done = report(scenario, { tun, family, opener, port: port++ });
      // Those wait side by side.
      if (scenario.includes("never")) vain.push(done);
      else await done;
    }
    await Promise.all(vain);
  }
}
await tun.close();
process.exit(0);

async function report(scenario: Md5Scenario, setting: Setting): Promise<void> {
  const name = `${scenario}, IPv${setting.family}, ${setting.opener === "ours" ? "we open" : "the kernel opens"}`;
  const { statistics } = setting.tun.iface.driver;
  const before = statistics.packetsReceived + statistics.packetsSent;
  let error: string | null = null;
  try {
    await scenarios[scenario](setting);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  console.log(JSON.stringify({ name, error, packets: statistics.packetsReceived + statistics.packetsSent - before }));
}
