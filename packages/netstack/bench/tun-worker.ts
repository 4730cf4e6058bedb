/** One case of bench/tun.ts, within a fresh network namespace: the measured side. It starts its peer itself, and prints one line of JSON. */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { KERNEL, openTunStack } from "../test/host-kernel/tun-stack.ts";

const [who, name, time] = process.argv.slice(2) as [string, string, string];
const measureMs = Number(time) * 1000;
/** We are warm after so much work; on a busy machine that takes a while, but no more than so many turns. */
const WARM_UP_CPU_MS = 700;
const WARM_UP_TURN_MS = 250;
const WARM_UP_TURNS = 16;
const PORT = 5001;
const REQUEST = 100;
const BLOCK = 1 << 20;
/** Requests under way at once. */
const DEPTH = 1;

/** What is measured, whoever carries it. */
interface Carrier {
  /** Called for what comes in. */
  onBytes: (length: number) => void;
  write(bytes: Uint8Array): void;
  /** Bytes queued, and a call when there is room. */
  readonly full: boolean;
  onRoom: () => void;
  close(): Promise<void>;
  readonly peer: ChildProcess;
}

let bytes = 0;
let requests = 0;
const carrier = who === "ours" ? await openOurs() : await openNet();
const block = new Uint8Array(BLOCK).fill(0x5a);
const request = new Uint8Array(REQUEST).fill(1);

if (name === "receive") {
  carrier.onBytes = (length) => {
    bytes += length;
  };
  carrier.write(Uint8Array.of(1));
} else if (name === "send") {
  const more = (): void => {
    while (!carrier.full) {
      carrier.write(block);
      bytes += BLOCK;
    }
  };
  carrier.onRoom = more;
  carrier.write(Uint8Array.of(2));
  more();
} else {
  let got = 0;
  carrier.onBytes = (length) => {
    got += length;
    while (got >= REQUEST) {
      got -= REQUEST;
      requests++;
      carrier.write(request);
    }
  };
  carrier.write(Uint8Array.of(3));
  for (let i = 0; i < DEPTH; i++) carrier.write(request);
}

const began = process.cpuUsage();
for (let turn = 0; turn < WARM_UP_TURNS; turn++) {
  await pause(WARM_UP_TURN_MS);
  const { user, system } = process.cpuUsage(began);
  if (user + system >= WARM_UP_CPU_MS * 1000) break;
}
const [bytesBefore, requestsBefore] = [bytes, requests];
const peerBefore = await peerCpu();
const cpu = process.cpuUsage();
const started = performance.now();
await pause(measureMs);
const used = process.cpuUsage(cpu);
const seconds = (performance.now() - started) / 1000;
const peerUsed = (await peerCpu()) - peerBefore;
const result = {
  bytes: bytes - bytesBefore,
  requests: requests - requestsBefore,
  seconds,
  cpuSeconds: (used.user + used.system) / 1e6,
  peerCpuSeconds: peerUsed,
};
console.log(JSON.stringify(result));
await carrier.close();
process.exit(0);

/** CPU-seconds that the peer has used so far. */
async function peerCpu(): Promise<number> {
  const answer = new Promise<NodeJS.CpuUsage>((resolve) => carrier.peer.once("message", resolve));
  carrier.peer.send("cpu");
  const { user, system } = await answer;
  return (user + system) / 1e6;
}

async function openOurs(): Promise<Carrier> {
  const tun = await openTunStack();
  const peer = await startPeer();
  const connection = await tun.stack.tcp.connect({ address: KERNEL[4], port: PORT });
  connection.setNoDelay(true);
  const made: Carrier = {
    peer,
    onBytes: () => {},
    onRoom: () => {},
    write: (data) => void connection.write([{ bytes: data }]),
    get full() {
      return connection.queued > connection.highWater;
    },
    close: async () => {
      connection.abort();
      peer.kill();
      await tun.close();
    },
  };
  connection.setSink({
    data: (_slab, _offset, length) => {
      made.onBytes(length);
      return length;
    },
    end: () => {},
  });
  connection.onDrain = () => made.onRoom();
  return made;
}

async function openNet(): Promise<Carrier> {
  execFileSync("ip", ["link", "set", "lo", "up"]);
  // As over the TUN: BBR, where it is the default, is not what is compared here.
  execFileSync("ip", ["route", "replace", "local", "127.0.0.1", "dev", "lo", "table", "local", "congctl", "cubic"]);
  const peer = await startPeer();
  let made: Carrier;
  const reusable = Buffer.alloc(256 * 1024);
  const socket: Socket = connect({
    host: "127.0.0.1",
    port: PORT,
    noDelay: true,
    // The fastest that Node has: into one buffer, without a stream.
    onread: {
      buffer: reusable,
      callback: (length) => {
        made.onBytes(length);
        return true;
      },
    },
  });
  made = {
    peer,
    onBytes: () => {},
    onRoom: () => {},
    write: (data) => void socket.write(data),
    get full() {
      return socket.writableLength > 2 << 20;
    },
    close: async () => {
      socket.destroy();
      peer.kill();
    },
  };
  socket.on("drain", () => made.onRoom());
  await new Promise((resolve) => socket.once("connect", resolve));
  return made;
}

async function startPeer(): Promise<ChildProcess> {
  const peer = fork(fileURLToPath(new URL("./tun-peer.ts", import.meta.url)), [String(PORT), String(REQUEST)]);
  await new Promise((resolve) => peer.once("message", resolve));
  return peer;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
