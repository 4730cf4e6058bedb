/**
 * Calls per second, client and server in one process: run with
 * `node --conditions=source --import tsx packages/rpc/bench/calls.ts [seconds per line]`.
 *
 * Each line is one transport, one kind of call and one depth (calls outstanding). Beside it stands a ping-pong of records of the same sizes over the
 * same transport without RPC: what the transport itself costs.
 */
import { performance } from "node:perf_hooks";
import { type ByteStream, memoryPipe, nodeConnector, nodeListener } from "@nfs4/bytestream";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";
import { authSys, type CallRequest, RpcClient, type RpcProgram, RpcServer } from "../src/index.ts";

const PROGRAM = 0x2000_0001;
const seconds = Number(process.argv[2] ?? 1);
const clock = nodeClock();
const random = cryptoRandom;

const blob = new Uint8Array((1 << 20) + 64).fill(1);
const program: RpcProgram = {
  program: PROGRAM,
  lowVersion: 1,
  highVersion: 1,
  dispatch(call) {
    if (call.procedure === 1) {
      // As small as a GETATTR: some words in, some words out.
      const id = call.args.opaque(64);
      const writer = call.beginReply();
      writer.opaque(id);
      for (let i = 0; i < 20; i++) writer.uint32(i);
      call.sendReply();
      return;
    }
    const length = call.args.uint32();
    const writer = call.beginReply();
    writer.opaque(blob.subarray(0, length));
    call.sendReply();
  },
};

const credential = authSys({ uid: 1000, gid: 1000, gids: [4, 20, 24], machineName: "bench" });
const base = { program: PROGRAM, version: 1, credential };
const id = new Uint8Array(32);
const kinds: Record<string, CallRequest<unknown>> = {
  NULL: { ...base, procedure: 0 },
  small: {
    ...base,
    procedure: 1,
    encode: (writer) => writer.opaque(id),
    decode: (reader) => reader.skip(reader.remaining),
  },
  "64 KiB": {
    ...base,
    procedure: 2,
    encode: (writer) => writer.uint32(1 << 16),
    decode: (reader) => reader.skip(reader.remaining),
  },
  "1 MiB": {
    ...base,
    procedure: 2,
    encode: (writer) => writer.uint32(1 << 20),
    decode: (reader) => reader.skip(reader.remaining),
  },
};

interface Transport {
  readonly name: string;
  readonly near: ByteStream;
  readonly far: ByteStream;
  readonly close: () => Promise<void>;
}

async function memory(): Promise<Transport> {
  const [near, far] = memoryPipe(clock, { window: 1 << 20 });
  return { name: "memory", near, far, close: async () => {} };
}

async function loopback(): Promise<Transport> {
  const listener = await nodeListener({ clock, host: "127.0.0.1" });
  const accepted = new Promise<ByteStream>((resolve) => listener.accept(resolve));
  const near = await nodeConnector({ clock }).connect({ address: "127.0.0.1", port: listener.localAddress.port });
  return { name: "node:net", near, far: await accepted, close: () => listener.close() };
}

/** Keeps `depth` of something going for a while, and gives how many were done per second, and µs of CPU for each. */
async function rate(depth: number, once: () => Promise<unknown>): Promise<[number, number]> {
  let done = 0;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const until = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: depth }, async () => {
      while (performance.now() < until) {
        await once();
        done++;
      }
    }),
  );
  const used = process.cpuUsage(cpu);
  return [(done * 1000) / (performance.now() - start), (used.user + used.system) / done];
}

/** The transport alone: a request of `out` bytes is answered by one of `back` bytes, `depth` at a time. */
async function pingPong({ near, far }: Transport, depth: number, out: number, back: number): Promise<[number, number]> {
  const waiting: (() => void)[] = [];
  const counting = (size: number, on: (count: number) => void) => {
    let bytes = 0;
    return {
      data(_slab: Uint8Array, _offset: number, length: number): number {
        bytes += length;
        const count = Math.floor(bytes / size);
        bytes -= count * size;
        if (count > 0) on(count);
        return length;
      },
      end(): void {},
    };
  };
  const answers = (count: number) => {
    for (let i = 0; i < count; i++) waiting.shift()?.();
  };
  far.setSink(
    counting(out, (count) => far.write(Array.from({ length: count }, () => ({ bytes: blob.subarray(0, back) })))),
  );
  near.setSink(counting(back, answers));
  let queued = 0;
  return rate(depth, () => {
    if (queued++ === 0) {
      queueMicrotask(() => {
        near.write([{ bytes: new Uint8Array(out * queued) }]);
        queued = 0;
      });
    }
    return new Promise<void>((resolve) => waiting.push(resolve));
  });
}

/** Bytes on the wire of a call and its reply. */
const sizes: Record<string, [number, number]> = {
  NULL: [92, 28],
  small: [128, 144],
  "64 KiB": [96, (1 << 16) + 32],
  "1 MiB": [96, (1 << 20) + 32],
};

for (const open of [memory, loopback]) {
  for (const [kind, request] of Object.entries(kinds)) {
    for (const depth of kind === "1 MiB" ? [1, 8] : [1, 32]) {
      const transport = await open();
      const server = new RpcServer({ clock, random, programs: [program] });
      server.accept(transport.far)?.admit();
      const client = new RpcClient({ stream: transport.near, environment: { clock, random } });
      await rate(depth, () => client.call(request));
      const [calls, cost] = await rate(depth, () => client.call(request));
      await client.close();
      await server.close();
      await transport.close();
      const plain = await open();
      const [out, back] = sizes[kind]!;
      const [pings, pingCost] = await pingPong(plain, depth, out, back);
      plain.near.abort();
      await plain.close();
      console.log(
        `${transport.name.padEnd(9)} ${kind.padEnd(7)} depth ${String(depth).padStart(2)}` +
          `  ${calls.toFixed(0).padStart(8)} calls/s ${cost.toFixed(1).padStart(7)} µs each` +
          `   transport alone ${pings.toFixed(0).padStart(8)} /s ${pingCost.toFixed(1).padStart(7)} µs`,
      );
    }
  }
}
process.exit(0);
