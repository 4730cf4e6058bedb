import type { ByteStream } from "@nfs4/bytestream";
import type { Impairments } from "../../src/drivers/memory-link.ts";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import type { TcpInfo } from "../../src/tcp/info.ts";
import { Pair } from "./pair.ts";

export interface FlowsOptions extends Impairments {
  /** The bottleneck, bits per second. */
  readonly bandwidth: number;
  /** Round-trip time without queues, ms. */
  readonly rttMs: number;
  /** Of the bottleneck, in packets. Default: one bandwidth × delay. */
  readonly queueLimit?: number;
  /** Congestion control of each flow. */
  readonly algorithms: readonly string[];
  /** Each flow begins so much after the one before, ms. Default 0. */
  readonly staggerMs?: number;
  /** What comes before `warmUpSeconds` does not count; then it is measured for `seconds`. */
  readonly warmUpSeconds?: number;
  readonly seconds: number;
  readonly seed?: number;
  readonly sysctl?: Readonly<Record<string, SysctlValue>>;
}

export interface FlowResult {
  readonly algorithm: string;
  /** Bits per second that its reader got. */
  readonly goodput: number;
  readonly info: TcpInfo;
}

export interface FlowsResult {
  readonly flows: readonly FlowResult[];
  /** Sum of the goodputs, and it as a part of the bottleneck. */
  readonly goodput: number;
  readonly utilization: number;
  /** Of all segments of data, while measured. */
  readonly retransmitted: number;
  readonly timeouts: number;
  /** Bytes that waited at the bottleneck, on average over samples taken while measured, as time, ms. */
  readonly queueMs: number;
  readonly jain: number;
  readonly events: number;
}

const PIECE = new Uint8Array(65_536);
/** Headers of a segment with timestamps. */
const SEGMENT = 1500;

/** Flows that always have data to send through one bottleneck, from stack a to stack b, in virtual time. Loss is on the way there only. */
export async function runFlows(options: FlowsOptions): Promise<FlowsResult> {
  const { bandwidth, rttMs, algorithms, seconds, warmUpSeconds = 0, staggerMs = 0 } = options;
  const bdp = (bandwidth * rttMs) / 8e3;
  const buffer = Math.min(1 << 28, Math.max(1 << 20, Math.ceil(bdp * 8)));
  const { queueLimit = Math.max(10, Math.ceil(bdp / SEGMENT)), ...impairments } = options;
  const inFlight = Math.ceil(bdp / SEGMENT);
  const pair = new Pair({
    ...impairments,
    delay: (rttMs * 1000) / 2,
    // The link counts what is on its way too; half of the round trip's worth.
    queueLimit: queueLimit + Math.ceil(inFlight / 2),
    back: { loss: 0, reorder: 0, duplicate: 0, corrupt: 0, jitter: 0, queueLimit: 1e6, delay: (rttMs * 1000) / 2 },
    sysctl: {
      "net.inet.tcp.recvbuf_max": buffer,
      "net.inet.tcp.recvspace": buffer,
      "net.inet.tcp.recvmem_max": 2 ** 36,
      "net.inet.tcp.sendspace": buffer,
      ...options.sysctl,
    },
  });
  const received: number[] = algorithms.map(() => 0);
  const connections: TcpConnection[] = [];
  const accepted: ByteStream[] = [];
  const listener = pair.tcpB.listen({ port: 2049, backlog: algorithms.length + 1 });
  listener.accept((stream) => {
    const { port } = stream.peerAddress;
    accepted.push(stream);
    stream.setSink({
      data(_slab, _offset, length) {
        const index = connections.findIndex((connection) => connection.localAddress.port === port);
        if (index >= 0) received[index]! += length;
        return length;
      },
      end() {},
    });
  });
  for (const algorithm of algorithms) {
    const connection = await pair.clock.runToSettle(pair.tcpA.connect({ address: "10.0.0.2", port: 2049 }));
    connection.setCongestionControl(algorithm);
    connections.push(connection);
    feed(connection);
    if (staggerMs > 0) pair.clock.runForSync(staggerMs * 1000);
  }
  pair.clock.runForSync(warmUpSeconds * 1e6);
  const { statistics } = pair.tcpA;
  const before = received.slice();
  const sent = statistics.sndPack;
  const again = statistics.sndRexmitPack;
  const timeouts = statistics.rexmtTimeo;
  let queued = 0;
  const samples = 100;
  for (let i = 0; i < samples; i++) {
    pair.clock.runForSync((seconds * 1e6) / samples);
    queued += pair.link.a.wire.backlogUs;
  }
  const flows = connections.map((connection, i) => ({
    algorithm: algorithms[i]!,
    goodput: ((received[i]! - before[i]!) * 8) / seconds,
    info: connection.tcpInfo(),
  }));
  const goodput = flows.reduce((sum, flow) => sum + flow.goodput, 0);
  const packets = statistics.sndPack - sent;
  const result = {
    flows,
    goodput,
    utilization: goodput / bandwidth,
    retransmitted: packets === 0 ? 0 : (statistics.sndRexmitPack - again) / packets,
    timeouts: statistics.rexmtTimeo - timeouts,
    queueMs: queued / samples / 1000,
    jain: jainIndex(flows.map((flow) => flow.goodput)),
    events: pair.clock.events,
  };
  for (const connection of connections) connection.abort();
  for (const stream of accepted) stream.abort();
  return result;
}

function feed(stream: ByteStream): void {
  const more = (): void => {
    while (stream.queued < stream.highWater) stream.write([{ bytes: PIECE }]);
  };
  stream.onDrain = more;
  more();
}

/** Jain's fairness index: 1 where all get the same, 1/n where one gets everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}

/** Reno's throughput at a loss rate, bits per second (Mathis et al. 1997), every segment acknowledged. */
export function mathis(mss: number, rttSeconds: number, loss: number): number {
  return ((mss * 8) / rttSeconds) * Math.sqrt(1.5 / loss);
}

/** CUBIC's throughput at a loss rate, bits per second: the greater of the cubic's (RFC 9438 §5.1, figure 6) and its Reno-friendly region's. */
export function cubicThroughput(mss: number, rttSeconds: number, loss: number): number {
  const beta = 0.7;
  const curve = ((0.4 * (3 + beta)) / (4 * (1 - beta))) ** 0.25 * (rttSeconds / loss) ** 0.75;
  const friendly = Math.sqrt(1.5 / loss);
  return ((mss * 8) / rttSeconds) * Math.max(curve, friendly);
}
