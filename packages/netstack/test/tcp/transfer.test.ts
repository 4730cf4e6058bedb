import { describe, expect, it } from "vitest";
import { Collector, Pair, pattern, pump } from "./pair.ts";

describe("two stacks", () => {
  for (const offload of [false, true]) {
    it(`handshake, move bulk data both ways and close in order${offload ? " in super-segments" : ""}`, async () => {
      const pair = new Pair({ delay: 500, offload });
      const { client, server } = await pair.connect();
      const up = pattern(3_000_001, 1);
      const down = pattern(2_345_678, 2);
      const atServer = new Collector(server);
      const atClient = new Collector(client);
      const released = Promise.all([pump(client, up), pump(server, down)]);
      expect(await pair.clock.runToSettle(client.closed)).toEqual({ how: "closed" });
      expect(await pair.clock.runToSettle(server.closed)).toEqual({ how: "closed" });
      await pair.clock.runToSettle(released);
      expect(atServer.length).toBe(up.length);
      expect(Buffer.compare(atServer.bytes, up)).toBe(0);
      expect(Buffer.compare(atClient.bytes, down)).toBe(0);
      expect(atServer.ended && atClient.ended).toBe(true);
      expect(pair.a.outstandingPackets + pair.b.outstandingPackets).toBe(0);
      expect(pair.tcpA.statistics.sndRexmitPack + pair.tcpB.statistics.sndRexmitPack).toBe(0);
      await pair.clock.runFor(60e6);
      expect(pair.tcpA.timeWaitCount + pair.tcpB.timeWaitCount).toBe(0);
      // What is remembered of the other host goes last (net.inet.tcp.hostcache.expire).
      await pair.clock.runFor(600e6);
      expect(pair.clock.armed).toBe(0);
    });
  }

  it("lose, duplicate and reorder packets, and every byte arrives in order", async () => {
    const pair = new Pair({
      seed: 7,
      delay: 2000,
      jitter: 500,
      loss: 0.02,
      duplicate: 0.01,
      reorder: 0.02,
      corrupt: 0.01,
    });
    const { client, server } = await pair.connect();
    const up = pattern(600_000, 1);
    const down = pattern(400_000, 2);
    const atServer = new Collector(server);
    const atClient = new Collector(client);
    void pump(client, up);
    void pump(server, down);
    expect(await pair.clock.runToSettle(client.closed)).toEqual({ how: "closed" });
    expect(await pair.clock.runToSettle(server.closed)).toEqual({ how: "closed" });
    expect(Buffer.compare(atServer.bytes, up)).toBe(0);
    expect(Buffer.compare(atClient.bytes, down)).toBe(0);
  });
});

describe("two stacks that call each other at the same moment", () => {
  for (const loss of [0, 0.3]) {
    it(`MUST-10 have one connection${loss > 0 ? ", also when segments are lost" : ""}`, async () => {
      for (let seed = 1; seed <= (loss > 0 ? 20 : 1); seed++) {
        const pair = new Pair({ seed, delay: 1000, loss });
        const fromA = pair.tcpA.connect({ address: "10.0.0.2", port: 222 }, { localPort: 111 });
        const fromB = pair.tcpB.connect({ address: "10.0.0.1", port: 111 }, { localPort: 222 });
        const [a, b] = await pair.clock.runToSettle(Promise.all([fromA, fromB]));
        const [atA, atB] = [new Collector(a), new Collector(b)];
        a.write([{ bytes: pattern(5000, 1) }]);
        b.write([{ bytes: pattern(4000, 2) }]);
        a.shutdown();
        b.shutdown();
        await pair.clock.runToSettle(Promise.all([a.closed, b.closed]));
        expect(Buffer.compare(atB.bytes, pattern(5000, 1))).toBe(0);
        expect(Buffer.compare(atA.bytes, pattern(4000, 2))).toBe(0);
        if (loss === 0) expect(pair.tcpA.statistics.sndTotal + pair.tcpB.statistics.sndTotal).toBeLessThan(24);
      }
    });
  }
});
