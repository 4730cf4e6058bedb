import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type Server } from "node:http";
import { VirtualClock } from "@nfs4/timecounter";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ByteStream,
  type MemoryPipeOptions,
  memoryAddress,
  memoryPipe,
  type StreamDuplex,
  toDuplex,
} from "../src/index.ts";

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7919) >>> 3);
}

describe("toDuplex carries Node's http", () => {
  let clock: VirtualClock;
  let server: Server;
  let options: MemoryPipeOptions;
  const streams: ByteStream[] = [];

  /** The client's end of a new connection to the server. */
  function connect(): StreamDuplex {
    const [near, far] = memoryPipe(clock, options);
    streams.push(near, far);
    server.emit("connection", toDuplex(far, { clock }));
    return toDuplex(near, { clock });
  }

  async function run<T>(work: Promise<T>): Promise<T> {
    return clock.runToSettle(work);
  }

  async function fetchOver(
    agent: Agent,
    path: string,
    body?: Uint8Array,
  ): Promise<{ status: number; body: Buffer; port: string }> {
    const outgoing = request({ agent, path, method: body ? "POST" : "GET", host: "server" });
    outgoing.end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    const chunks = await response.toArray();
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks), port: String(response.headers["x-port"]) };
  }

  beforeEach(() => {
    clock = new VirtualClock();
    options = {
      addresses: [memoryAddress("client", 1000), memoryAddress("server", 80)],
      window: 30_000,
      segment: 1460,
      delayUs: 100,
    };
    server = createServer((incoming, response) => {
      response.setHeader("x-port", `${incoming.socket.remoteAddress}:${incoming.socket.remotePort}`);
      if (incoming.method === "POST") incoming.pipe(response);
      else response.end(incoming.url);
    });
  });

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.abort();
    await clock.runUntilIdle();
    server.close();
  });

  function agentOver(connections: StreamDuplex[], keepAlive: boolean): Agent {
    const agent = new Agent({ keepAlive });
    agent.createConnection = () => {
      const duplex = connect();
      connections.push(duplex);
      // Node's types ask for a Socket; its code for a Duplex.
      return duplex as never;
    };
    return agent;
  }

  it("one request after another on a connection that is kept alive, with bodies larger than every buffer", async () => {
    const connections: StreamDuplex[] = [];
    const agent = agentOver(connections, true);
    const big = bytesOf(3_000_000);
    expect(await run(fetchOver(agent, "/one"))).toEqual({
      status: 200,
      body: Buffer.from("/one"),
      port: "client:1000",
    });
    expect((await run(fetchOver(agent, "/two", big))).body.equals(big)).toBe(true);
    expect((await run(fetchOver(agent, "/three"))).body.toString()).toBe("/three");
    expect(connections).toHaveLength(1);
    expect(connections[0]?.bytesWritten).toBeGreaterThan(big.length);
    agent.destroy();
    await clock.runUntilIdle();
    expect(connections[0]?.destroyed).toBe(true);
  });

  it("many connections at once, each closed in order", async () => {
    const connections: StreamDuplex[] = [];
    const agent = agentOver(connections, false);
    const replies = await run(
      Promise.all(Array.from({ length: 10 }, (_, i) => fetchOver(agent, `/${i}`, bytesOf(i * 1000)))),
    );
    expect(replies.map((reply) => reply.body.length)).toEqual(Array.from({ length: 10 }, (_, i) => i * 1000));
    const ends = await run(Promise.all(streams.map((stream) => stream.closed)));
    expect(new Set(ends.map((end) => end.how))).toEqual(new Set(["closed"]));
  });

  it("closes an idle connection by the clock that it was given", async () => {
    server.setTimeout(5000);
    const idle = connect();
    idle.resume();
    const failed = once(idle, "error");
    await clock.runUntil(4.9e6);
    expect(idle.destroyed).toBe(false);
    await clock.runUntil(6e6);
    expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
  });
});

describe("toDuplex", () => {
  function pair(options: MemoryPipeOptions = {}): {
    clock: VirtualClock;
    duplex: StreamDuplex;
    near: ByteStream;
    far: ByteStream;
  } {
    const clock = new VirtualClock();
    const [near, far] = memoryPipe(clock, options);
    return { clock, near, far, duplex: toDuplex(near) };
  }

  it("stops reading when its reader does, and holds the peer back", async () => {
    const { clock, duplex, far } = pair();
    for (let i = 0; i < 100; i++) far.write([{ bytes: new Uint8Array(50_000) }]);
    await clock.runUntilIdle();
    expect(far.queued).toBeGreaterThan(4_000_000);
    let read = 0;
    duplex.on("data", (chunk: Uint8Array) => {
      read += chunk.length;
    });
    await clock.runUntilIdle();
    expect([read, far.queued]).toEqual([5_000_000, 0]);
  });

  it("holds its writer back above highWater", async () => {
    const { clock, duplex, far } = pair({ highWater: 10_000 });
    let finished = 0;
    for (let i = 0; i < 5; i++) duplex.write(new Uint8Array(8000), () => finished++);
    await clock.runUntilIdle();
    expect(finished).toBeLessThan(5);
    far.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    await clock.runUntilIdle();
    expect(finished).toBe(5);
  });

  it("copies what is written, unless it is told that chunks never change", async () => {
    for (const byReference of [false, true]) {
      const clock = new VirtualClock();
      const [near, far] = memoryPipe(clock);
      const chunk = Buffer.from([1, 2, 3]);
      toDuplex(near, { byReference }).write(chunk);
      chunk.fill(9);
      const received: number[] = [];
      far.setSink({
        data: (slab, offset, length) => {
          received.push(...slab.subarray(offset, offset + length));
          return length;
        },
        end: () => {},
      });
      await clock.runUntilIdle();
      expect(received).toEqual(byReference ? [9, 9, 9] : [1, 2, 3]);
    }
  });

  it("ends both ways in order, and does not abort what it has yet to send", async () => {
    const { clock, duplex, near, far } = pair();
    const received: number[] = [];
    duplex.end(new Uint8Array(100_000));
    duplex.resume();
    far.shutdown();
    await clock.runUntilIdle();
    expect(duplex.closed).toBe(false);
    far.setSink({
      data: (_slab, _offset, length) => {
        received.push(length);
        return length;
      },
      end: () => {},
    });
    await clock.runUntilIdle();
    expect(received.reduce((sum, length) => sum + length, 0)).toBe(100_000);
    expect([await near.closed, duplex.closed]).toEqual([{ how: "closed" }, true]);
  });

  it("a reset of the stream destroys it with ECONNRESET; destroying it resets the peer", async () => {
    const one = pair();
    const failed = once(one.duplex, "error");
    one.far.abort();
    await one.clock.runUntilIdle();
    expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
    const other = pair();
    other.duplex.destroy();
    await other.clock.runUntilIdle();
    expect([await other.near.closed, (await other.far.closed).how]).toEqual([{ how: "aborted" }, "reset"]);
  });
});
