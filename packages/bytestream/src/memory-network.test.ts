import { VirtualClock } from "@nfs4/timecounter";
import { expect, it } from "vitest";
import type { ByteStream } from "./index.ts";
import { MemoryNetwork } from "./memory-network.ts";

it("connects by name and port, and keeps early connections for accept", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const listener = network.listen({ address: "server", port: 2049 });
  const near = await clock.runToSettle(network.connector("laptop").connect({ address: "server", port: 2049 }));
  const accepted: ByteStream[] = [];
  listener.accept((stream) => accepted.push(stream));
  expect(accepted).toHaveLength(1);
  expect(near.peerAddress).toEqual({ family: "memory", address: "server", port: 2049 });
  expect(accepted[0]?.peerAddress).toEqual(near.localAddress);
  const received: number[] = [];
  accepted[0]?.setSink({
    data: (slab, offset, length) => {
      received.push(...slab.subarray(offset, offset + length));
      return length;
    },
    end: () => accepted[0]?.shutdown(),
  });
  near.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
  near.write([{ bytes: Uint8Array.of(1, 2, 3) }]);
  near.shutdown();
  await clock.runUntilIdle();
  expect(received).toEqual([1, 2, 3]);
  expect(await near.closed).toEqual({ how: "closed" });
});

it("refuses where nobody listens, and when the backlog is full", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, { backlog: 1 });
  const connector = network.connector();
  const connect = (): Promise<ByteStream> => clock.runToSettle(connector.connect({ address: "s", port: 1 }));
  await expect(connect()).rejects.toMatchObject({ name: "ConnectError", code: "ECONNREFUSED", port: 1 });
  const listener = network.listen({ address: "s", port: 1 });
  expect(() => network.listen({ address: "s", port: 1 })).toThrow(/EADDRINUSE/);
  const first = await connect();
  await expect(connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await listener.close();
  await clock.runUntilIdle();
  expect(await first.closed).toMatchObject({ how: "reset" });
  await expect(connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("gives up at a signal or a timeout", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, { delayUs: 10_000 });
  network.listen({ address: "s", port: 1 });
  const connector = network.connector();
  const to = { address: "s", port: 1 };
  await expect(clock.runToSettle(connector.connect(to, { timeoutMs: 5 }))).rejects.toMatchObject({ code: "ETIMEDOUT" });
  expect(clock.now()).toBe(5000);
  const controller = new AbortController();
  const attempt = connector.connect(to, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(attempt).rejects.toMatchObject({ code: "ABORT_ERR", cause: new Error("enough") });
  await expect(connector.connect(to, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORT_ERR" });
  expect(clock.armed).toBe(0);
});
