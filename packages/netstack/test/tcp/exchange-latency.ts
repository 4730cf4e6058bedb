import type { SysctlValue } from "../../src/sysctl.ts";
import { Pair } from "./pair.ts";

/** A path, and what both ends of it are set to. µs. */
export interface Path {
  readonly rtt: number;
  /** Up to so much more, each way. */
  readonly jitter?: number;
  readonly loss?: number;
  readonly seed?: number;
  readonly sender?: Readonly<Record<string, SysctlValue>>;
  readonly receiver?: Readonly<Record<string, SysctlValue>>;
}

/** What became of messages one after another: from write to the last byte's arrival, µs. */
export interface Latencies {
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
  /** Segments that came twice, so that sending them again was for nothing; acknowledgments without data; segments of data: for each message. */
  readonly spurious: number;
  readonly acknowledgments: number;
  readonly segments: number;
  /** What the sender takes the round trip for, and its timeout, at the end. */
  readonly srtt: number;
  readonly rto: number;
}

/** Messages of so many full segments each (by turns 1, 2, 4 and 7), the next a while after the last has come. */
export async function exchangeLatency(path: Path, messages = 300): Promise<Latencies> {
  const { rtt, jitter = 0, loss = 0, seed = 1 } = path;
  const pair = new Pair({ delay: rtt / 2, jitter, bandwidth: 1e9, seed });
  for (const [name, value] of Object.entries(path.sender ?? {})) pair.a.sysctl.set(name, value);
  for (const [name, value] of Object.entries(path.receiver ?? {})) pair.b.sysctl.set(name, value);
  const { client, server } = await pair.connect();
  client.setNoDelay(true);
  pair.link.impair({ loss });
  let received = 0;
  let arrivedAt = 0;
  server.setSink({
    data: (_slab, _offset, length) => {
      received += length;
      arrivedAt = pair.clock.now();
      return length;
    },
    end: () => {},
  });
  const before = { ...pair.tcpB.statistics };
  const taken: number[] = [];
  let total = 0;
  for (let i = 0; i < messages; i++) {
    const bytes = new Uint8Array(1400 * [1, 2, 4, 7][i % 4]!);
    total += bytes.length;
    const at = pair.clock.now();
    client.write([{ bytes }]);
    await pair.clock.runWhile(() => received < total);
    taken.push(arrivedAt - at);
    await pair.clock.runFor(Math.max(2 * rtt, 5000));
  }
  taken.sort((a, b) => a - b);
  const { rcvDupPack, rcvPartDupPack, sndAcks, rcvPack, rcvOoPack } = pair.tcpB.statistics;
  const { srtt, rto } = client.tcpInfo();
  client.abort();
  return {
    median: taken[messages >> 1]!,
    p99: taken[Math.floor(messages * 0.99)]!,
    longest: taken.at(-1)!,
    spurious: (rcvDupPack + rcvPartDupPack - before.rcvDupPack - before.rcvPartDupPack) / messages,
    acknowledgments: (sndAcks - before.sndAcks) / messages,
    segments: (rcvPack + rcvOoPack - before.rcvPack - before.rcvOoPack) / messages,
    srtt,
    rto,
  };
}
