/** Packetization layer path MTU discovery (RFC 4821). */
import { describe, expect, it } from "vitest";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, payload } from "./conversation.ts";
import { Collector, Pair, type PairOptions, pattern } from "./pair.ts";

const DETECT = { "net.inet.tcp.pmtud_blackhole_detection": 1 } as const;
const ALWAYS = { "net.inet.tcp.mtu_probing": 2 } as const;
/** IPv4 and TCP headers; a full segment's timestamps are part of the MSS. */
const HEADERS = 40;

/** A way of 20 ms that swallows what is longer than `pathMtu`. */
function swallowing(pathMtu: number, sysctl: Record<string, SysctlValue>, options: PairOptions = {}): Pair {
  return new Pair({ delay: 10_000, sysctl, pathMtu, ...options });
}

/** Has the client send 20,000 bytes every 100 ms, and compares what the server gets. */
async function talkFor(pair: Pair, seconds: number): Promise<TcpConnection> {
  const { client, server } = await pair.connect({ port: 0 });
  await talkOver(pair, client, new Collector(server), seconds);
  return client;
}

async function talkOver(pair: Pair, client: TcpConnection, received: Collector, seconds: number): Promise<void> {
  const before = received.length;
  const data = pattern(seconds * 200_000, before);
  for (let at = 0; at < data.length; at += 20_000) {
    client.write([{ bytes: data.subarray(at, at + 20_000) }]);
    await pair.clock.runFor(100_000);
  }
  for (let i = 0; received.length < before + data.length && i < 100; i++) await pair.clock.runFor(200_000);
  expect(Buffer.compare(received.bytes.subarray(before), data)).toBe(0);
}

describe("after a black hole was found, larger segments are tried (net.inet.tcp.mtu_probing 1)", () => {
  it.each([
    [1492, 1452],
    [1420, 1380],
    [1280, 1240],
    // No common size: what is found is at most 8 bytes less.
    [1433, 1393 - 7],
  ])("over a path of %i bytes segments of %i or more get through", async (pathMtu, atLeast) => {
    const pair = swallowing(pathMtu, DETECT);
    const client = await talkFor(pair, 20);
    const { mssLimit } = client.tcpInfo();
    expect(mssLimit).toBeGreaterThanOrEqual(atLeast);
    expect(mssLimit).toBeLessThanOrEqual(pathMtu - HEADERS);
    const { pmtudBlackholeActivated, pmtudProbesFailed, pmtudProbesArrived } = pair.tcpA.statistics;
    expect(pmtudBlackholeActivated).toBe(1);
    expect(pmtudProbesFailed).toBeGreaterThan(0);
    expect(pmtudProbesArrived).toBeGreaterThan(0);
  });

  it("a probe that is lost by itself is no congestion: the window stays as it is, and no recovery begins", async () => {
    const pair = swallowing(1400, DETECT);
    const client = await talkFor(pair, 20);
    const { statistics } = pair.tcpA;
    expect(statistics.pmtudProbesFailed).toBeGreaterThan(1);
    expect(statistics.rexmtByMtu).toBeGreaterThanOrEqual(statistics.pmtudProbesFailed);
    expect(statistics.sackRecoveryEpisode).toBe(0);
    expect(client.tcpInfo().ssthresh).toBeGreaterThanOrEqual(2 * 1200);
  });

  it("the first probe is as large as can be: where the path was only dead for a while, everything is as before at once", async () => {
    const pair = new Pair({ delay: 10_000, sysctl: DETECT });
    const { client, server } = await pair.connect();
    const received = new Collector(server);
    await talkOver(pair, client, received, 1);
    client.write([{ bytes: pattern(400_000, received.length) }]);
    pair.link.impair({ loss: 1 });
    await pair.clock.runFor(900_000);
    expect(client.tcpInfo().mssLimit).toBe(1200);
    pair.link.impair({ loss: 0 });
    await pair.clock.runFor(10e6);
    expect(received.length).toBe(600_000);
    expect(client.tcpInfo().mssLimit).toBe(0);
    expect(pair.tcpA.statistics).toMatchObject({ pmtudProbes: 1, pmtudProbesArrived: 1 });
  });

  it("what was found is tried to be bettered after mtu_probe_interval, and then the path may have become a wider one", async () => {
    const pair = swallowing(1400, DETECT);
    const { client, server } = await pair.connect();
    const received = new Collector(server);
    await talkOver(pair, client, received, 20);
    expect(client.tcpInfo().mssLimit).toBe(1360);
    pair.link.impair({ pathMtu: 1500 });
    await talkOver(pair, client, received, 20);
    expect(client.tcpInfo().mssLimit).toBe(1360);
    await pair.clock.runFor(600e6);
    await talkOver(pair, client, received, 20);
    expect(client.tcpInfo().mssLimit).toBe(0);
  });

  it("the next connection begins with what was found, and waits for nothing", async () => {
    const pair = swallowing(1400, DETECT);
    await talkFor(pair, 20);
    const { rexmtTimeo, pmtudProbes } = pair.tcpA.statistics;
    const next = await talkFor(pair, 20);
    expect(next.tcpInfo().mssLimit).toBe(1360);
    expect(pair.tcpA.statistics).toMatchObject({ rexmtTimeo, pmtudProbes });
    expect([...pair.a.ip.hostCache.list()][0]).toMatchObject({ address: "10.0.0.2", mssLimit: 1360 });
  });

  it("not where mtu_probing is 0", async () => {
    const pair = swallowing(1400, { ...DETECT, "net.inet.tcp.mtu_probing": 0 });
    const client = await talkFor(pair, 20);
    expect(client.tcpInfo().mssLimit).toBe(1200);
    expect(pair.tcpA.statistics.pmtudProbes).toBe(0);
  });
});

describe("from the start (net.inet.tcp.mtu_probing 2)", () => {
  it.each([
    [false, 1500, 0],
    [true, 1500, 0],
    [false, 1400, 1360],
    [true, 1400, 1360],
  ])("without a timeout; super-segments %s, a path of %i bytes, a limit of %i", async (offload, pathMtu, limit) => {
    const pair = swallowing(pathMtu, ALWAYS, { offload });
    const client = await talkFor(pair, 20);
    expect(client.tcpInfo().mssLimit).toBe(limit);
    expect(pair.tcpA.statistics.rexmtTimeo).toBe(0);
  });

  it("up to jumbo frames", async () => {
    for (const [pathMtu, limit] of [
      [9000, 0],
      [4352, 4312],
    ] as const) {
      const pair = swallowing(pathMtu, ALWAYS, { mtu: 9000 });
      const client = await talkFor(pair, 20);
      expect(client.tcpInfo().mssLimit).toBe(limit);
    }
  });

  it("losses beside the probe's tell nothing of it: over a lossy path the largest size is found all the same, but for 7 bytes", async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const pair = swallowing(1400, { ...ALWAYS, ...DETECT }, { loss: 0.02, seed });
      const client = await talkFor(pair, 20);
      const { mssLimit } = client.tcpInfo();
      expect(mssLimit).toBeLessThanOrEqual(1360);
      expect(mssLimit).toBeGreaterThan(1360 - 8);
      expect(pair.tcpA.statistics.pmtudProbesRevoked).toBe(0);
    }
  });
});

/** A connection of 1,000-byte segments, ready to try the 1,460 that the peer would take, with enough to send. */
function ready(sysctl: Record<string, SysctlValue> = {}): [Conversation, TcpConnection] {
  const talk = new Conversation({
    sysctl: { ...ALWAYS, "net.inet.tcp.pmtud_blackhole_mss": 1000, "net.inet.tcp.rack.tlp.enable": false, ...sysctl },
  });
  const connection = talk.accept({ mss: 1460, sackPermitted: true });
  connection.setNoDelay(true);
  return [talk, connection];
}

/** The peer acknowledges everything, and the user writes, for so many round trips of 20 ms; the size of the first probe that comes then, 0 if none does. */
function upToProbe(talk: Conversation, connection: TcpConnection, rounds: number): number {
  for (let i = 0; i < rounds; i++) {
    const acknowledged = connection.tcpInfo().bytesSent + 1;
    talk.pass(20_000);
    talk.say({ seq: 1, ack: acknowledged });
    connection.write([{ bytes: new Uint8Array(8000) }]);
    const probe = talk.hearAll().find((segment) => segment.payload.length > 1000);
    if (probe !== undefined) return probe.payload.length;
  }
  return 0;
}

describe("a probe", () => {
  it("is a segment of new data, which others follow that tell of its loss", () => {
    const [talk, connection] = ready();
    connection.write([{ bytes: new Uint8Array(6000) }]);
    talk.hear(payload(1460));
    for (let i = 0; i < 4; i++) talk.hear(payload(1000));
    talk.hear(payload(540));
    talk.hearNothing();
    expect(connection.tcpInfo()).toMatchObject({ mssProbe: 1460, mssLimit: 1000 });
    talk.say({ seq: 1, ack: 1461 });
    expect(connection.tcpInfo()).toMatchObject({ mssProbe: 0, mssLimit: 0 });
  });

  it("that alone is lost is sent again at once in segments that get through, without a smaller window", () => {
    const [talk, connection] = ready();
    connection.write([{ bytes: new Uint8Array(6000) }]);
    talk.hearAll();
    const { cwnd } = connection.tcpInfo();
    talk.pass(20_000);
    talk.say({ seq: 1, ack: 1, sack: [[1461, 6001]] });
    const again = talk.hearAll();
    expect(again.map((segment) => [segment.seq, segment.payload.length])).toEqual([
      [1, 1000],
      [1001, 460],
    ]);
    expect(connection.tcpInfo()).toMatchObject({ mssLimit: 1000, cwnd, inRecovery: false });
    expect(talk.tcp.statistics).toMatchObject({ pmtudProbesFailed: 1, rexmtByMtu: 2, sackRecoveryEpisode: 0 });
    // The next one is smaller, and does not come before as many round trips as the window has segments.
    talk.say({ seq: 1, ack: 6001 });
    connection.write([{ bytes: new Uint8Array(6000) }]);
    expect(talk.hearAll().every((segment) => segment.payload.length <= 1000)).toBe(true);
    talk.say({ seq: 1, ack: 12_001 });
    talk.pass(1e6);
    connection.write([{ bytes: new Uint8Array(6000) }]);
    const size = talk.hear().payload.length;
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThan(1460);
  });

  it("lost beside others is congestion, and the same size is tried again", () => {
    const [talk, connection] = ready();
    connection.write([{ bytes: new Uint8Array(6000) }]);
    talk.hearAll();
    talk.pass(20_000);
    talk.say({ seq: 1, ack: 1, sack: [[2461, 6001]] });
    talk.pass(20_000);
    talk.hearAll();
    expect(talk.tcp.statistics).toMatchObject({
      pmtudProbesFailed: 0,
      pmtudProbesInconclusive: 1,
      sackRecoveryEpisode: 1,
    });
    expect(upToProbe(talk, connection, 20)).toBe(1460);
  });

  it("that a timeout finds lost at the head of the flight has failed", () => {
    const [talk, connection] = ready();
    connection.write([{ bytes: new Uint8Array(6000) }]);
    talk.hearAll();
    talk.pass(300_000);
    expect(talk.hear().payload.length).toBe(1000);
    expect(talk.tcp.statistics).toMatchObject({ pmtudProbesFailed: 1, rexmtTimeo: 1 });
    expect(connection.tcpInfo().mssLimit).toBe(1000);
  });

  it("is not sent where too little would follow, nor without SACK", () => {
    const [talk, connection] = ready();
    connection.write([{ bytes: new Uint8Array(4000) }]);
    expect(talk.hearAll().every((segment) => segment.payload.length <= 1000)).toBe(true);
    const plain = new Conversation({ sysctl: { ...ALWAYS, "net.inet.tcp.pmtud_blackhole_mss": 1000 } });
    plain.accept({ mss: 1460 }).write([{ bytes: new Uint8Array(20_000) }]);
    expect(plain.hearAll().every((segment) => segment.payload.length <= 1000)).toBe(true);
  });

  it("a size that loses more than a tenth is taken back (§7.8)", () => {
    const [talk, connection] = ready();
    connection.write([{ bytes: new Uint8Array(6000) }]);
    talk.hearAll();
    talk.say({ seq: 1, ack: 6001 });
    expect(connection.tcpInfo().mssLimit).toBe(0);
    let acknowledged = 6001;
    for (let round = 0; round < 20; round++) {
      // Of two paths that take turns one swallows what is so large: every other segment is SACKed.
      connection.write([{ bytes: new Uint8Array(6 * 1460) }]);
      talk.pass(20_000);
      const arrived = talk.hearAll().filter((_, index) => index % 2 === 1);
      for (const { seq, payload: bytes } of arrived)
        talk.say({ seq: 1, ack: acknowledged, sack: [[seq, seq + bytes.length]] });
      talk.pass(50_000);
      talk.hearAll();
      acknowledged = connection.tcpInfo().bytesSent + 1;
      talk.say({ seq: 1, ack: acknowledged });
    }
    expect(talk.tcp.statistics.pmtudProbesRevoked).toBe(1);
    expect(connection.tcpInfo().mssLimit).toBe(1000);
  });
});
