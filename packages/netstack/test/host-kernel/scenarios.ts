import { createHash } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { ByteStream } from "@nfs4/bytestream";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { KERNEL, OURS, type TunStack } from "./tun-stack.ts";

export type Family = 4 | 6;
/** Who opens the connections. */
export type Opener = "ours" | "kernel";

/** The two ends of one connection between our stack and the kernel. */
export interface Ends {
  readonly ours: TcpConnection;
  readonly kernel: Socket;
}

export interface Scenario {
  readonly name: string;
  run(world: World): Promise<void>;
}

/** Opens connections one way, over one family. */
export class World {
  readonly tun: TunStack;
  readonly family: Family;
  readonly opener: Opener;
  readonly #port: number;
  readonly #arrived: (ByteStream | Socket)[] = [];
  readonly #waiters: (() => void)[] = [];
  #server: Server | null = null;

  constructor(tun: TunStack, family: Family, opener: Opener, port: number) {
    this.tun = tun;
    this.family = family;
    this.opener = opener;
    this.#port = port;
  }

  async begin(): Promise<void> {
    const arrive = (stream: ByteStream | Socket): void => {
      this.#arrived.push(stream);
      this.#waiters.shift()?.();
    };
    if (this.opener === "kernel") {
      this.tun.stack.tcp.listen({ port: this.#port, backlog: 2000 }).accept(arrive);
      return;
    }
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, arrive);
    const server = this.#server;
    await new Promise<void>((resolve) => server.listen({ host: "::", port: this.#port, backlog: 2000 }, resolve));
  }

  end(): void {
    this.#server?.close();
    for (const listener of this.tun.stack.tcp.listeners()) if (listener.port === this.#port) void listener.close();
  }

  async open(): Promise<Ends> {
    if (this.opener === "ours") {
      const ours = await this.tun.stack.tcp.connect({ address: KERNEL[this.family], port: this.#port });
      return { ours, kernel: (await this.#next()) as Socket };
    }
    const kernel = connect({ host: OURS[this.family], port: this.#port, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      kernel.once("connect", resolve);
      kernel.once("error", reject);
    });
    return { ours: (await this.#next()) as TcpConnection, kernel };
  }

  async #next(): Promise<ByteStream | Socket> {
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    return this.#arrived.shift()!;
  }
}

const BULK = 24 << 20;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "bulk both ways at once, contents compared",
    async run(world) {
      const { ours, kernel } = await world.open();
      const [up, down] = [block(1), block(2)];
      const atOurs = hashOurs(ours);
      const atKernel = hashKernel(kernel);
      await Promise.all([pumpOurs(ours, up, BULK), pumpKernel(kernel, down, BULK)]);
      ours.shutdown();
      kernel.end();
      equal(await atKernel, expected(up, BULK), "what the kernel received");
      equal(await atOurs, expected(down, BULK), "what we received");
      equal((await ours.closed).how, "closed", "end");
    },
  },
  {
    name: "request and reply",
    async run(world) {
      const { ours, kernel } = await world.open();
      ours.setNoDelay(true);
      ours.setSink({
        data: (slab, offset, length) => {
          ours.write([{ bytes: slab.slice(offset, offset + length) }]);
          return length;
        },
        end: () => ours.shutdown(),
      });
      for (let i = 0; i < 1000; i++) {
        const request = Buffer.alloc(1 + ((i * 37) % 3000), i & 255);
        kernel.write(request);
        equal(Buffer.compare(await read(kernel, request.length), request), 0, `reply ${i}`);
      }
      kernel.end();
      equal((await ours.closed).how, "closed", "end");
    },
  },
  {
    name: "half-close, from either side",
    async run(world) {
      for (const first of ["ours", "kernel"] as const) {
        const { ours, kernel } = await world.open();
        const atOurs = hashOurs(ours);
        const atKernel = hashKernel(kernel);
        const data = block(3);
        if (first === "ours") {
          ours.shutdown();
          await new Promise((resolve) => kernel.once("end", resolve));
          await pumpKernel(kernel, data, 1 << 20);
          kernel.end();
        } else {
          kernel.end();
          while (ours.tcpInfo().state !== "CLOSE-WAIT") await turn();
          await pumpOurs(ours, data, 1 << 20);
          ours.shutdown();
        }
        const empty = createHash("sha1").digest("hex");
        equal(await atOurs, first === "ours" ? expected(data, 1 << 20) : empty, "what we received");
        equal(await atKernel, first === "ours" ? empty : expected(data, 1 << 20), "what the kernel received");
        equal((await ours.closed).how, "closed", "end");
      }
    },
  },
  {
    name: "reset, from either side",
    async run(world) {
      const one = await world.open();
      one.ours.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
      one.kernel.resetAndDestroy();
      equal((await one.ours.closed).how, "reset", "our end");
      const two = await world.open();
      const error = new Promise<NodeJS.ErrnoException>((resolve) => two.kernel.once("error", resolve));
      two.kernel.resume();
      two.ours.abort();
      equal((await error).code, "ECONNRESET", "the kernel's end");
      equal((await two.ours.closed).how, "aborted", "our end");
    },
  },
  {
    name: "zero window, of the kernel and of ours",
    async run(world) {
      const { ours, kernel } = await world.open();
      const data = block(4);
      const total = 16 << 20;
      kernel.pause();
      const sent = pumpOurs(ours, data, total);
      while (ours.tcpInfo().sndWnd > 65_536) await turn();
      await pause(600);
      equal(ours.tcpInfo().sendQueue > 0, true, "something waits");
      const atKernel = hashKernel(kernel);
      await sent;
      ours.shutdown();
      equal(await atKernel, expected(data, total), "what the kernel received");

      let open = false;
      const hash = createHash("sha1");
      const done = new Promise<void>((resolve) => {
        ours.setSink({
          data: (slab, offset, length) => {
            if (!open) return 0;
            hash.update(slab.subarray(offset, offset + length));
            return length;
          },
          end: resolve,
        });
      });
      const back = pumpKernel(kernel, data, total);
      while (ours.tcpInfo().rcvWnd > 1000) await turn();
      await pause(600);
      open = true;
      ours.resume();
      await back;
      kernel.end();
      await done;
      equal(hash.digest("hex"), expected(data, total), "what we received");
      equal((await ours.closed).how, "closed", "end");
    },
  },
  {
    name: "1,000 connections at once",
    async run(world) {
      const ends: Ends[] = [];
      for (let i = 0; i < 20; i++) {
        ends.push(...(await Promise.all(Array.from({ length: 50 }, () => world.open()))));
      }
      equal(world.tun.stack.tcp.connectionCount >= 1000, true, "all are open");
      await Promise.all(
        ends.map(async ({ ours, kernel }, i) => {
          // The two lists need not pair up: each kernel socket talks to whichever connection is its own.
          ours.setSink({
            data: (slab, offset, length) => {
              ours.write([{ bytes: slab.slice(offset, offset + length) }]);
              return length;
            },
            end: () => ours.shutdown(),
          });
          const message = Buffer.from(`hello from ${i}`);
          kernel.write(message);
          equal((await read(kernel, message.length)).toString(), message.toString(), `echo ${i}`);
          kernel.end();
        }),
      );
      for (const { ours } of ends) equal((await ours.closed).how, "closed", "end");
    },
  },
];

// ——— Bytes ———

/** 256 KiB that a seed determines. */
function block(seed: number): Buffer {
  const bytes = Buffer.alloc(256 * 1024);
  let x = seed * 2654435761;
  for (let i = 0; i < bytes.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

function expected(data: Buffer, total: number): string {
  const hash = createHash("sha1");
  for (let at = 0; at < total; at += data.length) hash.update(data.subarray(0, Math.min(data.length, total - at)));
  return hash.digest("hex");
}

function pumpOurs(ours: TcpConnection, data: Buffer, total: number): Promise<void> {
  return new Promise((resolve) => {
    let at = 0;
    const more = (): void => {
      while (at < total && ours.queued < ours.highWater) {
        const bytes = data.subarray(0, Math.min(data.length, total - at));
        at += bytes.length;
        ours.write([{ bytes, ...(at === total ? { release: () => resolve() } : {}) }]);
      }
    };
    ours.onDrain = more;
    more();
  });
}

async function pumpKernel(kernel: Socket, data: Buffer, total: number): Promise<void> {
  for (let at = 0; at < total; at += data.length) {
    const bytes = data.subarray(0, Math.min(data.length, total - at));
    if (!kernel.write(bytes)) await new Promise((resolve) => kernel.once("drain", resolve));
  }
}

function hashOurs(ours: TcpConnection): Promise<string> {
  const hash = createHash("sha1");
  return new Promise((resolve) => {
    ours.setSink({
      data: (slab, offset, length) => {
        hash.update(slab.subarray(offset, offset + length));
        return length;
      },
      end: () => resolve(hash.digest("hex")),
    });
  });
}

function hashKernel(kernel: Socket): Promise<string> {
  const hash = createHash("sha1");
  return new Promise((resolve, reject) => {
    kernel.on("data", (bytes: Buffer) => hash.update(bytes));
    kernel.once("end", () => resolve(hash.digest("hex")));
    kernel.once("error", reject);
    kernel.resume();
  });
}

async function read(kernel: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = kernel.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    await new Promise((resolve) => kernel.once("readable", resolve));
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Real time, for a real kernel: long enough for probes to be sent. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function equal(got: unknown, wanted: unknown, what: string): void {
  if (got !== wanted) throw new Error(`${what}: ${String(got)}, not ${String(wanted)}`);
}
