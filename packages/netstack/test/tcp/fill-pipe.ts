import type { Tcb } from "../../src/tcp/tcb.ts";
import { Pair } from "./pair.ts";

export interface Pipe {
  /** Bits per second, and µs there and back. */
  readonly rate: number;
  readonly rtt: number;
  /** 64 KiB super-segments. */
  readonly offload?: boolean;
  /** What the bottleneck's queue holds, in bandwidth-delay products. Default: all that comes, and slow start ends by itself in time. */
  readonly queue?: number;
  readonly sysctl?: Readonly<Record<string, number | boolean | string>>;
}

/** What one flow made of a pipe. */
export interface Filled {
  /** Of the rate that the link has for payload, from the end of slow start on. */
  readonly utilisation: number;
  /** µs from the first byte until a round trip was filled for the first time. */
  readonly slowStart: number;
  /** The largest buffers, in bytes; and in multiples of rate × smoothed RTT, the largest RTT so far. */
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  readonly receiveExcess: number;
  readonly sendExcess: number;
  readonly srtt: number;
  readonly retransmits: number;
  readonly megabytes: number;
}

const BLOCK = new Uint8Array(256 * 1024);
/** Buffers this small are never too large. */
const SMALL = 256 * 1024;
const HEADERS = 52;
/** Window that fills a pipe, in bandwidth-delay products, with something in the queue. */
const ENOUGH = 1.25;

/** One flow over a pipe that nobody else uses, both users as fast as can be; for `roundTrips` after slow start. */
export async function fillPipe(pipe: Pipe, roundTrips = 40): Promise<Filled> {
  const { rate, rtt, offload = false, queue = Number.POSITIVE_INFINITY } = pipe;
  const mtu = 1500;
  const product = (rate * rtt) / 8e6;
  const packet = offload ? 65_535 : mtu;
  const pair = new Pair({
    bandwidth: rate,
    delay: rtt / 2,
    offload,
    mtu,
    queueLimit: queue === Number.POSITIVE_INFINITY ? queue : Math.ceil(((1 + queue) * product) / packet) + 64,
    back: { bandwidth: rate, delay: rtt / 2, queueLimit: 1e6 },
    sysctl: { "net.inet.tcp.recvmem_max": 1 << 30, ...pipe.sysctl },
  });
  const { client, server } = await pair.connect();
  // Buffers are what is looked at here: congestion control knows where to stop.
  if (queue === Number.POSITIVE_INFINITY)
    ([...pair.tcpA.flows()][0] as Tcb).ssthresh = ENOUGH * Math.max(product, SMALL / 4);
  let received = 0;
  server.setSink({
    data: (_slab, _offset, length) => {
      received += length;
      return length;
    },
    end: () => {},
  });
  const more = (): void => {
    while (client.queued < client.highWater) client.write([{ bytes: BLOCK }]);
  };
  client.onDrain = more;
  more();
  const began = pair.clock.now();
  const payloadRate = (rate / 8e6) * (offload ? 1 : (mtu - HEADERS) / mtu);
  let [receiveBuffer, sendBuffer, receiveExcess, sendExcess, longest] = [0, 0, 0, 0, rtt];
  let slowStart = 0;
  const step = Math.max(rtt, 1000);
  let [from, fromAt, steps] = [0, 0, 0];
  while (slowStart === 0 || steps < roundTrips) {
    const before = received;
    await pair.clock.runFor(step);
    const info = client.tcpInfo();
    const theirs = [...pair.tcpB.connections()][0]!;
    longest = Math.max(longest, info.srtt);
    receiveBuffer = Math.max(receiveBuffer, theirs.receiveBuffer);
    sendBuffer = Math.max(sendBuffer, info.sendBuffer);
    const allowed = Math.max(SMALL, (rate / 8e6) * longest);
    receiveExcess = Math.max(receiveExcess, theirs.receiveBuffer / allowed);
    sendExcess = Math.max(sendExcess, info.sendBuffer / allowed);
    if (slowStart === 0) {
      if (received - before < 0.9 * payloadRate * step && pair.clock.now() - began < 200 * step) continue;
      slowStart = pair.clock.now() - began;
      from = received;
      fromAt = pair.clock.now();
    } else steps++;
  }
  const utilisation = (received - from) / ((pair.clock.now() - fromAt) * payloadRate);
  const { srtt, retransmits } = client.tcpInfo();
  client.abort();
  return {
    utilisation,
    slowStart,
    receiveBuffer,
    sendBuffer,
    receiveExcess,
    sendExcess,
    srtt,
    retransmits,
    megabytes: received / 1e6,
  };
}
