import type { ByteStream } from "@nfs4/bytestream";
import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { Collector, Pair, pattern } from "./pair.ts";

const CALLS = 12;

/** Calls one after the other over a bad link, each with its first bytes in the SYN if may be; the server sends back all it gets. */
async function converse(seed: number): Promise<{ taken: number; accepted: number }> {
  const random = new SeededRandom(seed);
  const pair = new Pair({
    seed,
    delay: random.pick([100, 20_000]),
    bandwidth: random.pick([10e6, 1e9]),
    loss: random.pick([0, 0.02, 0.1]),
    duplicate: random.pick([0, 0.05]),
    reorder: random.pick([0, 0.05]),
    sysctl: { "net.inet.tcp.fastopen.path_disable_time": 1, "net.inet.tcp.fastopen.autokey": random.pick([2, 3600]) },
  });
  const listener = pair.tcpB.listen({ port: 2049, fastOpen: true });
  listener.accept((stream: ByteStream) => {
    stream.setSink({
      data: (slab, offset, length) => {
        stream.write([{ bytes: slab.slice(offset, offset + length) }]);
        return length;
      },
      end: () => stream.shutdown(),
    });
  });
  for (let call = 0; call < CALLS; call++) {
    const bytes = pattern(random.pick([1, 100, 1420, 1421, 5000, 40_000]), call);
    let released = 0;
    const split = Math.floor(bytes.length / 3);
    const slices = [bytes.subarray(0, split), bytes.subarray(split)].map((part) => ({
      bytes: part,
      release: () => {
        released++;
      },
    }));
    const connection = await pair.clock.runToSettle(
      pair.tcpA.connect({ address: "10.0.0.2", port: 2049 }, { fastOpen: slices }),
    );
    const collector = new Collector(connection);
    connection.shutdown();
    expect((await pair.clock.runToSettle(connection.closed)).how).toBe("closed");
    expect(Buffer.compare(collector.bytes, bytes)).toBe(0);
    expect(released).toBe(2);
    pair.clock.runForSync(random.pick([0, 500_000, 3e6]));
  }
  expect(pair.tcpB.statistics.foTaken).toBeGreaterThanOrEqual(pair.tcpA.statistics.foAccepted);
  return { taken: pair.tcpB.statistics.foTaken, accepted: pair.tcpA.statistics.foAccepted };
}

describe("Fast Open between two of our stacks", () => {
  it("40 bad links: every byte comes once and in order, and most calls save their round trip", async () => {
    let accepted = 0;
    for (let seed = 1; seed <= 40; seed++) accepted += (await converse(seed)).accepted;
    // The first of each asks for its cookie.
    expect(accepted).toBeGreaterThan((40 * (CALLS - 1)) / 2);
  });

  it("an answer is there after one round trip instead of two", async () => {
    const times: number[] = [];
    const pair = new Pair({ delay: 50_000 });
    pair.tcpB.listen({ port: 2049, fastOpen: true }).accept((stream: ByteStream) => {
      stream.setSink({
        data: (_slab, _offset, length) => {
          stream.write([{ bytes: new Uint8Array(10) }]);
          return length;
        },
        end: () => {},
      });
    });
    for (let call = 0; call < 2; call++) {
      const began = pair.clock.coarse();
      const question = [{ bytes: pattern(100) }];
      const connection = await pair.clock.runToSettle(
        pair.tcpA.connect({ address: "10.0.0.2", port: 2049 }, { fastOpen: question }),
      );
      const answered = new Promise<void>((resolve) => {
        connection.setSink({
          data: (_slab, _offset, length) => {
            resolve();
            return length;
          },
          end: () => {},
        });
      });
      await pair.clock.runToSettle(answered);
      times.push(pair.clock.coarse() - began);
      connection.abort();
    }
    expect(times).toEqual([200_000, 100_000]);
  });
});
