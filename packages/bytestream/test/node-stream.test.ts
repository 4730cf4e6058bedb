import { drainMicrotasks, nodeClock } from "@nfs4/timecounter";
import { afterAll, describe, expect, it } from "vitest";
import type { ByteStream, ConnectError } from "../src/index.ts";
import { nodeConnector, nodeListener } from "../src/index.ts";
import { describeByteStream, type StreamHarness } from "./stream-contract.ts";

const clock = nodeClock();
afterAll(() => clock.close());

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await drainMicrotasks();
}

async function nodeHarness(): Promise<StreamHarness> {
  const listener = await nodeListener({ clock, host: "127.0.0.1" });
  const connector = nodeConnector({ clock });
  const arrived: ByteStream[] = [];
  listener.accept((stream) => arrived.push(stream));
  const open: ByteStream[] = [];
  const pair = async (): Promise<readonly [ByteStream, ByteStream]> => {
    const near = await connector.connect(listener.localAddress);
    await until(() => arrived.length > 0);
    const far = arrived.shift() as ByteStream;
    open.push(near, far);
    return [near, far];
  };
  // What the kernel can carry for others at present, it has carried when a connection beside them has gone to and fro for a while.
  const [ping, pong] = await pair();
  let pongs = 0;
  ping.setSink({
    data: (_slab, _offset, length) => {
      pongs += length;
      return length;
    },
    end: () => {},
  });
  pong.setSink({
    data: (_slab, _offset, length) => pong.write([{ bytes: new Uint8Array(length) }]) && length,
    end: () => {},
  });
  return {
    pair,
    until,
    settle: async () => {
      for (let i = 0; i < 30; i++) {
        const before = pongs;
        ping.write([{ bytes: new Uint8Array(1) }]);
        await until(() => pongs > before);
      }
    },
    close: async () => {
      await listener.close();
      for (const stream of open) stream.abort();
      await Promise.all(open.map((stream) => stream.closed));
    },
  };
}

describeByteStream("node:net", nodeHarness);

describe("node:net listeners and connectors", () => {
  it("keep connections that came before accept()", async () => {
    const listener = await nodeListener({ clock, host: "127.0.0.1", backlog: 1 });
    const connector = nodeConnector({ clock });
    const first = await connector.connect(listener.localAddress);
    first.write([{ bytes: Uint8Array.of(42) }]);
    const second = connector.connect(listener.localAddress).then(
      async (stream) => {
        stream.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
        return (await stream.closed).how;
      },
      (error: ConnectError) => error.code,
    );
    expect(["reset", "ECONNRESET"]).toContain(await second);
    let received = 0;
    listener.accept((stream) => {
      stream.setSink({
        data: (slab, offset, length) => {
          received = slab[offset] as number;
          return length;
        },
        end: () => {},
      });
    });
    await until(() => received === 42);
    await listener.close();
    await listener.close();
    first.abort();
    await first.closed;
  });

  it("refuse, abort and time out with a ConnectError", async () => {
    const listener = await nodeListener({ clock, host: "127.0.0.1" });
    const { port } = listener.localAddress;
    await expect(nodeListener({ clock, host: "127.0.0.1", port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await listener.close();
    const connector = nodeConnector({ clock });
    const to = { address: "127.0.0.1", port };
    await expect(connector.connect(to)).rejects.toMatchObject({ name: "ConnectError", code: "ECONNREFUSED", ...to });
    const signal = AbortSignal.abort(new Error("no"));
    await expect(connector.connect(to, { signal })).rejects.toMatchObject({ code: "ABORT_ERR" });
    const controller = new AbortController();
    const attempt = connector.connect(to, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(attempt).rejects.toMatchObject({ code: "ABORT_ERR", cause: new Error("enough") });
  });

  it("live on when their listener has closed", async () => {
    const listener = await nodeListener({ clock, host: "::1" }).catch(() => nodeListener({ clock, host: "127.0.0.1" }));
    const accepted: ByteStream[] = [];
    listener.accept((stream) => accepted.push(stream));
    const near = await nodeConnector({ clock }).connect(listener.localAddress);
    await until(() => accepted.length === 1);
    await listener.close();
    let received = 0;
    near.setSink({
      data: (_slab, _offset, length) => {
        received += length;
        return length;
      },
      end: () => near.shutdown(),
    });
    const far = accepted[0] as ByteStream;
    far.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    far.write([{ bytes: new Uint8Array(3) }]);
    far.shutdown();
    expect([await near.closed, await far.closed, received]).toEqual([{ how: "closed" }, { how: "closed" }, 3]);
  });
});
