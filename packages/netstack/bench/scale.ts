/**
 * Very many connections (docs/tcp.md, "Scale"): what an idle one costs in memory, and what opening, using and closing them costs, two stacks on a link in
 * memory and in virtual time. Beside them Node's `net` over loopback, of which only JavaScript's share shows: the kernel's part is not on our heap. Run:
 *
 *   npm run bench:scale -w packages/netstack [-- --idle 100000 --active 10000]
 */
import { createServer, connect as netConnect, type Socket } from "node:net";
import { memoryUsage } from "node:process";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ByteStream } from "@nfs4/bytestream";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { createStack, type HostStack } from "../src/create-stack.ts";
import { MemoryLink } from "../src/drivers/memory-link.ts";

const { values } = parseArgs({
  options: {
    idle: { type: "string", default: "100000" },
    active: { type: "string", default: "10000" },
    net: { type: "string", default: "4000" },
  },
});
const PORT = 2049;
/** The hosts have been up for a while: their times do not fit into 31 bits, and so cost more. */
const UPTIME_US = 2 * 3600e6;
/** Connections that open at once: within the listener's backlog and the SYN cache's limits. */
const WAVE = 100;
/** One address of the client's side has so many ports for one destination. */
const PER_ADDRESS = 10_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function memory(): { heap: number; outside: number } {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = memoryUsage();
  return { heap: heapUsed, outside: arrayBuffers };
}

/** CPU time of `action` in µs. */
async function cpu(action: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

interface World {
  readonly clock: VirtualClock;
  readonly client: HostStack;
  readonly server: HostStack;
  readonly accepted: ByteStream[];
  open(index: number): Promise<ByteStream>;
}

function world(): World {
  const clock = new VirtualClock({ startUs: UPTIME_US });
  const link = new MemoryLink(clock, { offload: true, queueLimit: 1_000_000 });
  const sysctl = { "kern.ipc.maxsockets": 1_000_000 };
  const client = createStack({ name: "client", clock, random: new SeededRandom(1), sysctl });
  const server = createStack({ name: "server", clock, random: new SeededRandom(2), sysctl });
  const clientSide = client.addInterface({ name: "net0", driver: link.a });
  for (let i = 0; i <= Math.ceil(Number(values.idle) / PER_ADDRESS); i++) clientSide.addAddress(`10.0.1.${i + 1}/16`);
  server.addInterface({ name: "net0", driver: link.b }).addAddress("10.0.0.1/16");
  const accepted: ByteStream[] = [];
  server.tcp.listen({ port: PORT, backlog: 2 * WAVE }).accept((stream) => accepted.push(stream));
  return {
    clock,
    client,
    server,
    accepted,
    open: (index) =>
      client.tcp.connect(
        { address: "10.0.0.1", port: PORT },
        { localAddress: `10.0.1.${1 + Math.floor(index / PER_ADDRESS)}` },
      ),
  };
}

async function openAll(some: World, count: number): Promise<ByteStream[]> {
  const streams: ByteStream[] = [];
  while (streams.length < count) {
    const wave = Math.min(WAVE, count - streams.length);
    const opening = Array.from({ length: wave }, (_, i) => some.open(streams.length + i));
    streams.push(...(await some.clock.runToSettle(Promise.all(opening))));
  }
  // The last acknowledgments are on their way.
  await some.clock.runFor(1000);
  return streams;
}

/** Each client stream sends 100 bytes, its server answers with as many, and both are silent from then on. All have one sink, for those are none of TCP's. */
async function exchangeOnce(
  some: World,
  streams: readonly ByteStream[],
  accepted: readonly ByteStream[],
): Promise<void> {
  const sink = { data: (_slab: Uint8Array, _offset: number, length: number): number => length, end(): void {} };
  const message = new Uint8Array(100);
  for (const stream of [...streams, ...accepted]) stream.setSink(sink);
  for (const side of [streams, accepted]) {
    for (const [i, stream] of side.entries()) {
      stream.write([{ bytes: message }]);
      if (i % WAVE === WAVE - 1) await some.clock.runFor(1000);
    }
  }
  await some.clock.runFor(60e6);
}

/** Each client stream sends 100 bytes and gets them back, `rounds` times. */
async function exchange(some: World, streams: readonly ByteStream[], rounds: number): Promise<void> {
  const message = new Uint8Array(100).fill(0x61);
  let open = 0;
  for (const stream of some.accepted) {
    stream.setSink({
      data(_slab, _offset, length) {
        stream.write([{ bytes: message.subarray(0, length) }]);
        return length;
      },
      end() {},
    });
  }
  const done = new Promise<void>((resolve) => {
    for (const stream of streams) {
      let left = rounds;
      open++;
      stream.setSink({
        data(_slab, _offset, length) {
          if (--left > 0) stream.write([{ bytes: message }]);
          else if (--open === 0) resolve();
          return length;
        },
        end() {},
      });
      stream.write([{ bytes: message }]);
    }
  });
  await some.clock.runToSettle(done);
}

async function closeAll(some: World, streams: readonly ByteStream[]): Promise<void> {
  const ended = Promise.all([...streams, ...some.accepted].map((stream) => stream.closed));
  for (const stream of some.accepted)
    stream.setSink({ data: (_slab, _offset, length) => length, end: () => stream.shutdown() });
  for (const [i, stream] of streams.entries()) {
    stream.setSink({ data: (_slab, _offset, length) => length, end() {} });
    stream.shutdown();
    // A device holds only so many packets.
    if (i % 1000 === 999) await some.clock.runFor(1000);
  }
  await some.clock.runToSettle(ended);
}

const row = (what: string, value: string): void => console.log(`| ${what} | ${value} |`);
/** Both ends are in this process. */
const eachEnd = (before: number, after: number, count: number): string => ((after - before) / count / 2).toFixed(0);
const perSecond = (count: number, us: number): string => `${((count / us) * 1000).toFixed(1)} k/CPU-s`;

async function idle(count: number): Promise<void> {
  const some = world();
  const first = await openAll(some, WAVE);
  const before = memory();
  let streams: ByteStream[] = [];
  const us = await cpu(async () => {
    streams = await openAll(some, count);
  });
  const after = memory();
  row(`idle connections, bytes of heap each end (${count})`, eachEnd(before.heap, after.heap, count));
  row("bytes beside the heap each end", eachEnd(before.outside, after.outside, count));
  row("callouts armed while all are idle", String(some.clock.armed));
  row("opened, both ends", perSecond(count, us));
  const rest = await cpu(() => closeAll(some, [...first, ...streams]));
  row("closed, both ends", perSecond(count, rest));
}

/** What connections cost that have been used, and are idle since. */
async function used(count: number): Promise<void> {
  const some = world();
  await exchangeOnce(some, await openAll(some, WAVE), some.accepted);
  const before = memory();
  const streams = await openAll(some, count);
  await exchangeOnce(some, streams, some.accepted.slice(WAVE));
  const after = memory();
  row(`idle after one request and answer, bytes of heap each end (${count})`, eachEnd(before.heap, after.heap, count));
  row("bytes beside the heap each end", eachEnd(before.outside, after.outside, count));
}

async function active(count: number): Promise<void> {
  const ROUNDS = 20;
  const rates: number[] = [];
  for (const many of [10, count]) {
    const some = world();
    const streams = await openAll(some, many);
    await exchange(some, streams, 5);
    const rounds = (ROUNDS * count) / many;
    const us = await cpu(() => exchange(some, streams, rounds));
    rates.push((many * rounds) / us);
    row(`100-byte requests and answers over ${many} connections`, perSecond(many * rounds, us));
  }
  row(`with ${count} connections beside with 10`, `${(rates[1]! / rates[0]!).toFixed(2)}×`);
}

async function node(count: number): Promise<void> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket));
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 2 * WAVE }, resolve));
  const { port } = server.address() as { port: number };
  const before = memory();
  const streams: Socket[] = [];
  const us = await cpu(async () => {
    while (streams.length < count) {
      const wave = Array.from({ length: WAVE }, () => netConnect(port, "127.0.0.1"));
      await Promise.all(wave.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
      streams.push(...wave);
    }
    while (accepted.length < count) await new Promise((resolve) => setImmediate(resolve));
  });
  const after = memory();
  row(`Node's net over loopback: bytes of heap each end (${count})`, eachEnd(before.heap, after.heap, count));
  row("opened, both ends", perSecond(count, us));
  for (const socket of [...streams, ...accepted]) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}

console.log("| | |\n|---|---|");
await idle(Number(values.idle));
await used(Number(values.idle));
await active(Number(values.active));
await node(Number(values.net));
