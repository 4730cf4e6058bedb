import type { ByteStream, StreamEnd } from "@nfs4/bytestream";
import { SeededRandom } from "@nfs4/timecounter";
import type { Impairments } from "../../src/drivers/memory-link.ts";
import type { SysctlValue } from "../../src/sysctl.ts";
import { Pair } from "./pair.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Bytes each way. */
  readonly bytes: number;
  /** For both stacks, beside what the seed draws. */
  readonly sysctl?: Readonly<Record<string, SysctlValue>>;
}

export interface SimulationResult {
  readonly seed: number;
  /** Virtual time, s. */
  readonly seconds: number;
  readonly segments: number;
  readonly retransmitted: number;
  readonly timeouts: number;
  /** Recoveries that were for nothing, and were taken back. */
  readonly spurious: number;
  readonly reorderings: number;
  readonly events: number;
  /** Of everything that happened, and when: the same for the same seed. */
  readonly hash: string;
}

/** A link as a seed draws it: from a good LAN to a bad radio link. */
function drawLink(random: SeededRandom): Impairments & { readonly offload: boolean; readonly mtu: number } {
  const chance = (): number => random.pick([0, 0, 0.001, 0.005, 0.02, 0.05]);
  return {
    bandwidth: random.pick([Number.POSITIVE_INFINITY, 1e9, 100e6, 10e6]),
    delay: random.pick([0, 50, 500, 5000, 50_000]),
    jitter: random.pick([0, 0, 100, 2000]),
    loss: chance(),
    duplicate: chance(),
    reorder: chance(),
    reorderDelay: random.pick([100, 1000, 10_000]),
    corrupt: chance() / 2,
    queueLimit: random.pick([20, 100, 10_000]),
    offload: random.pick([true, false]),
    mtu: random.pick([576, 1500, 1500, 9000]),
    pathMtu: random.pick([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1400, 1280]),
  };
}

/**
 * Two stacks over a link that loses, duplicates, reorders and corrupts, moving bytes both ways at once with pauses of the readers and slices of all
 * sizes; every byte is compared as it comes. Throws if one is wrong, or the connection does not end in order.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, bytes } = options;
  const random = new SeededRandom(seed);
  const link = drawLink(random);
  const buffer = random.pick([16_384, 65_536, 1 << 20, 2 << 20]);
  const pair = new Pair({
    ...link,
    seed,
    sysctl: {
      "net.inet.tcp.recvspace": buffer,
      "net.inet.tcp.sendspace": random.pick([16_384, 262_144, 2 << 20]),
      "net.inet.tcp.sack.enable": random.pick([true, true, true, false]),
      "net.inet.tcp.rfc1323": random.pick([true, true, true, false]),
      "net.inet.tcp.initcwnd_segments": random.pick([1, 10, 10]),
      "net.inet.tcp.mtu_probing": random.pick([1, 1, 2]),
      ...options.sysctl,
    },
  });
  const limit = { limit: 24 * 3600e6 };
  const listener = pair.tcpB.listen({ port: 2049 });
  const accepted = new Promise<ByteStream>((resolve) => listener.accept(resolve));
  const client = await pair.clock.runToSettle(pair.tcpA.connect({ address: "10.0.0.2", port: 2049 }), limit);
  client.setNoDelay(random.pick([true, false]));
  // The last acknowledgment of the handshake may be lost: the first data makes up for it.
  const up = write(client, bytes, seed, random);
  const server = await pair.clock.runToSettle(accepted, limit);
  const down = write(server, bytes, ~seed, random);
  const readers = [read(server, bytes, seed, random, pair), read(client, bytes, ~seed, random, pair)];
  const ends = Promise.all([client.closed, server.closed]);
  const settled = (await pair.clock.runToSettle(ends, limit)) as [StreamEnd, StreamEnd];
  for (const end of settled)
    if (end.how !== "closed") throw new Error(`seed ${seed}: ended by ${end.how}: ${end.error}`);
  for (const reader of readers) reader.check();
  for (const writer of [up, down]) writer.check();
  const seconds = pair.clock.coarse() / 1e6;
  await listener.close();
  await pair.clock.runFor(120e6);
  const left = [pair.tcpA, pair.tcpB].reduce((sum, tcp) => sum + tcp.connectionCount + tcp.timeWaitCount, 0);
  if (left > 0) throw new Error(`seed ${seed}: ${left} connections are left`);
  if (pair.a.outstandingPackets + pair.b.outstandingPackets > 0) throw new Error(`seed ${seed}: packets are left`);
  const [a, b] = [pair.tcpA.statistics, pair.tcpB.statistics];
  return {
    seed,
    seconds,
    segments: a.sndTotal + b.sndTotal,
    retransmitted: a.sndRexmitPack + b.sndRexmitPack,
    timeouts: a.rexmtTimeo + b.rexmtTimeo,
    spurious: a.sndRexmitBad + b.sndRexmitBad,
    reorderings: a.reorderings + b.reorderings,
    events: pair.clock.events,
    hash: pair.clock.eventHash(),
  };
}

interface Checked {
  check(): void;
}

/** Bytes of the stream that `key` names, from `at`: cheap, and different everywhere. */
function fill(into: Uint8Array, key: number, at: number): void {
  for (let i = 0; i < into.length; i++) into[i] = Math.imul(at + i, 0x9e3779b1 ^ key) >>> 23;
}

function write(stream: ByteStream, total: number, key: number, random: SeededRandom): Checked {
  let at = 0;
  let made = 0;
  let released = 0;
  const more = (): void => {
    while (at < total && stream.queued < stream.highWater) {
      const length = Math.min(total - at, random.pick([1, 100, 1460, 5000, 65_536]));
      const bytes = new Uint8Array(length);
      fill(bytes, key, at);
      at += length;
      made++;
      let mine = false;
      const release = (): void => {
        if (mine) throw new Error("released twice");
        mine = true;
        released++;
        // Whoever still reads them from here on reads nonsense.
        bytes.fill(0xdb);
      };
      stream.write([{ bytes, release }]);
    }
    if (at === total) stream.shutdown();
  };
  stream.onDrain = more;
  more();
  return {
    check(): void {
      if (released !== made) throw new Error(`${made - released} of ${made} slices were not released`);
    },
  };
}

function read(stream: ByteStream, total: number, key: number, random: SeededRandom, pair: Pair): Checked {
  let at = 0;
  let ended = false;
  const pausing = random.pick([0, 0, 0.01]);
  const resume = pair.clock.callout(() => stream.resume());
  stream.setSink({
    data(slab, offset, length) {
      let take = length;
      if (pausing > 0 && random.below(1000) < pausing * 1000) {
        take = random.below(length + 1);
        if (take < length) resume.scheduleAfter(random.below(300_000));
      }
      for (let i = 0; i < take; i++) {
        if (slab[offset + i] !== ((Math.imul(at + i, 0x9e3779b1 ^ key) >>> 23) & 0xff))
          throw new Error(`byte ${at + i} is wrong`);
      }
      at += take;
      return take;
    },
    end() {
      ended = true;
    },
  });
  return {
    check(): void {
      if (at !== total || !ended) throw new Error(`${at} of ${total} bytes came, ${ended ? "and" : "but not"} the end`);
    },
  };
}
