import type { ByteStream } from "@nfs4/bytestream";
import { expect } from "vitest";
import { describeByteStream, type StreamHarness } from "../../../bytestream/test/stream-contract.ts";
import { Pair, type PairOptions } from "./pair.ts";

async function tcpHarness(options: PairOptions): Promise<StreamHarness> {
  const pair = new Pair(options);
  const listener = pair.tcpB.listen({ port: 2049 });
  const arrived: ByteStream[] = [];
  listener.accept((stream) => arrived.push(stream));
  return {
    pair: async () => {
      const near = await pair.clock.runToSettle(pair.tcpA.connect({ address: "10.0.0.2", port: 2049 }));
      await pair.clock.runWhile(() => arrived.length === 0);
      return [near, arrived.shift() as ByteStream];
    },
    capacity: 3 << 20,
    until: async (condition) => {
      await pair.clock.runWhile(() => !condition());
      expect(condition()).toBe(true);
    },
    // Probes of a closed window, which go on for ever, carry nothing.
    settle: () => pair.clock.runFor(2e6),
    close: async () => {
      await listener.close();
      await pair.clock.runFor(3600e6);
      expect(pair.tcpA.connectionCount + pair.tcpB.connectionCount).toBe(0);
      expect(pair.tcpA.timeWaitCount + pair.tcpB.timeWaitCount).toBe(0);
      expect(pair.a.outstandingPackets + pair.b.outstandingPackets).toBe(0);
      await pair.a.close();
      await pair.b.close();
      expect(pair.clock.armed).toBe(0);
    },
  };
}

describeByteStream("TCP", () => tcpHarness({}));
describeByteStream("TCP in super-segments over a link with delay", () => tcpHarness({ delay: 500, offload: true }));
describeByteStream("TCP with small buffers over a lossy link", () =>
  tcpHarness({
    delay: 500,
    jitter: 200,
    loss: 0.01,
    reorder: 0.01,
    duplicate: 0.01,
    sysctl: { "net.inet.tcp.recvspace": 32_768, "net.inet.tcp.sendspace": 65_536 },
  }),
);
