/**
 * Program: BGP speakers on our TCP, each at an address of its own behind one TUN, in the network namespace that the caller made. Its argument is a `BgpHost`
 * as JSON. Prints "ready" when it listens, a line for each change of a session ("SESSION STATE"), and once a second what it counts, as JSON.
 */
import { execFileSync } from "node:child_process";
import type { ByteStream } from "@nfs4/bytestream";
import { createStack, Md5Key, openTunTap } from "@nfs4/netstack";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";
import { BgpSpeaker } from "./bgp-speaker.ts";

export interface BgpSession {
  readonly name: string;
  /** Our address, without the length. */
  readonly address: string;
  /** BIRD's. */
  readonly peer: string;
  readonly password: string;
  readonly weCall: boolean;
}

export interface BgpHost {
  /** The kernel's addresses on the TUN, with their lengths. */
  readonly kernel: readonly string[];
  readonly sessions: readonly BgpSession[];
}

/** What it prints once a second. */
export interface BgpReport {
  readonly packetsReceived: number;
  readonly sigRcvGoodSig: number;
  readonly sigRcvBadSig: number;
  readonly sessions: Readonly<
    Record<string, { state: string; keepalives: number; updates: number; signature: string }>
  >;
}

const BGP = 179;
const { kernel, sessions } = JSON.parse(process.argv[2] ?? "") as BgpHost;
const clock = nodeClock();
const driver = openTunTap({ mode: "tun", offload: true, mtu: 1500, name: "bgp0" });
execFileSync("ip", ["link", "set", "bgp0", "up"]);
for (const address of kernel) execFileSync("ip", ["addr", "add", address, "dev", "bgp0", "nodad"]);
const stack = createStack({ name: "bgp", clock, random: cryptoRandom });
const iface = stack.addInterface({ name: "tun0", driver });
const speakers = new Map<string, BgpSpeaker>();

function talk(session: BgpSession, stream: ByteStream): void {
  const identity = { autonomousSystem: 65_001, identifier: `192.0.2.${sessions.indexOf(session) + 1}`, holdTime: 3 };
  const speaker = new BgpSpeaker(stream, identity, clock);
  speakers.set(session.name, speaker);
  speaker.onState = (state) => {
    console.log(`${session.name} ${state} ${speaker.reason}`);
    if (state === "Established" && !session.address.includes(":")) speaker.announce("203.0.113.0", 24, session.address);
  };
}

/** Tries again until it is let in. */
async function call(session: BgpSession, key: Md5Key): Promise<void> {
  for (;;) {
    const to = { address: session.peer, port: BGP };
    const options = { localAddress: session.address, signatureKey: key, timeoutMs: 3000 };
    const stream = await stack.tcp.connect(to, options).catch((error: NodeJS.ErrnoException) => error);
    if (!(stream instanceof Error)) return talk(session, stream);
    console.log(`${session.name} not connected: ${stream.code}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

for (const session of sessions) {
  const { address, peer, password } = session;
  iface.addAddress(`${address}/${address.includes(":") ? 64 : 24}`);
  const key = new Md5Key(password);
  const listener = stack.tcp.listen({ address, port: BGP, signatureKeys: [{ peer, key }] });
  listener.accept((stream) => (session.weCall ? stream.abort() : talk(session, stream)));
  if (session.weCall) void call(session, key);
}
console.log("ready");

setInterval(() => {
  const { sigRcvGoodSig, sigRcvBadSig } = stack.tcp.statistics;
  const signatures = new Map(
    [...stack.tcp.connections()].map((each) => [each.localAddress, each.signature?.kind ?? ""]),
  );
  const report: BgpReport = {
    packetsReceived: driver.statistics.packetsReceived,
    sigRcvGoodSig,
    sigRcvBadSig,
    sessions: Object.fromEntries(
      sessions.map(({ name, address }) => {
        const speaker = speakers.get(name);
        const { state = "Idle", keepalives = 0, updates = 0 } = speaker ?? {};
        return [name, { state, keepalives, updates, signature: signatures.get(address) ?? "" }];
      }),
    ),
  };
  console.log(JSON.stringify(report));
}, 1000);
