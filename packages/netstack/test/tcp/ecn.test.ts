/** Explicit congestion notification (RFC 3168) with the alternative backoff of RFC 8511. */
import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { ack, Conversation, type ConversationOptions, flags, seq } from "./conversation.ts";
import { Collector, Pair, pattern, pump } from "./pair.ts";

const MSS = 1460;
const ASKING = { "net.inet.tcp.ecn.enable": 1, "net.inet.tcp.cc.algorithm": "newreno" };
const ECT = 2;
const CE = 3;

function at(segments: number): number {
  return 1 + segments * MSS;
}

/** We have called, and both want ECN. */
async function called(options: ConversationOptions = {}): Promise<{ talk: Conversation; connection: TcpConnection }> {
  const talk = new Conversation({ ...options, sysctl: { ...ASKING, ...options.sysctl } });
  const promise = talk.callOut();
  talk.say({ flags: "SAE", ack: 1, mss: MSS });
  const connection = await promise;
  talk.hear(flags("A"));
  return { talk, connection };
}

function callWith(sysctl: Readonly<Record<string, number>>): Conversation {
  const talk = new Conversation({ sysctl });
  talk.tcp.connect({ address: talk.peers.toString(), port: talk.peerPort }).catch(() => {});
  return talk;
}

function write(connection: TcpConnection, segments: number): void {
  connection.write([{ bytes: new Uint8Array(segments * MSS) }]);
}

describe("the handshake (RFC 3168 §6.1.1)", () => {
  it("asks with ECE and CWR where that is wanted, never with ECT", () => {
    const talk = callWith({ "net.inet.tcp.ecn.enable": 1 });
    expect(talk.hearSyn(flags("SEC")).trafficClass).toBe(0);
    const silent = callWith({});
    silent.hearSyn(flags("S"));
  });

  it("asks once more when the SYN gets no answer, and then no longer (§6.1.1.1)", () => {
    const talk = callWith({ "net.inet.tcp.ecn.enable": 1 });
    talk.hearSyn(flags("SEC"));
    talk.pass(1_000_000);
    talk.hear(flags("SEC"));
    talk.pass(2_000_000);
    talk.hear(flags("S"));
  });

  it.each([
    [2, "SEC", "SAE"],
    [1, "SEC", "SAE"],
    [0, "SEC", "SA"],
    [2, "S", "SA"],
    [2, "SE", "SA"],
  ])("net.inet.tcp.ecn.enable %i answers %s with %s, and never with ECT", (enable, asked, answered) => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.ecn.enable": enable } });
    talk.listen().accept(() => {});
    talk.say({ flags: asked, mss: MSS });
    expect(talk.hearSyn(flags(answered)).trafficClass).toBe(0);
  });

  it("answers a SYN that comes again without asking as such", () => {
    const talk = new Conversation();
    talk.listen().accept(() => {});
    talk.say({ flags: "SEC", mss: MSS });
    talk.hearSyn(flags("SAE"));
    talk.say({ flags: "S", mss: MSS });
    talk.hear(flags("SA"));
  });

  it("is without ECN when the SYN,ACK is without ECE, or repeats both flags as it found them", async () => {
    for (const answer of ["SA", "SAEC"]) {
      const talk = new Conversation({ sysctl: ASKING });
      const promise = talk.callOut();
      talk.say({ flags: answer, ack: 1, mss: MSS });
      const connection = await promise;
      expect(connection.tcpInfo().ecn).toBe(false);
      talk.hear(flags("A"));
      write(connection, 1);
      expect(talk.hear(flags("PA")).trafficClass).toBe(0);
    }
  });
});

describe("the sender", () => {
  it.each([4, 6] as const)("says ECT(0) on new data, beside its own class, over IPv%i", async (family) => {
    const { talk, connection } = await called({ family });
    connection.setTrafficClass(0x28);
    write(connection, 1);
    expect(talk.hear(flags("A"), seq(1)).trafficClass).toBe(0x28 | ECT);
  });

  it("does not on retransmissions (§6.1.5), acknowledgments (§6.1.4) and window probes (§6.1.6)", async () => {
    const { talk, connection } = await called();
    write(connection, 1);
    talk.hearAll();
    talk.pass(1_300_000);
    expect(talk.hear(seq(1)).trafficClass).toBe(0);
    talk.say({ seq: 1, ack: at(1), payload: 10, window: 0 });
    talk.pass(50_000);
    expect(talk.hear(flags("A")).trafficClass).toBe(0);
    write(connection, 1);
    talk.pass(3e6);
    expect(talk.hear(seq(at(1))).trafficClass).toBe(0);
  });

  it("SHLD-8 answers an echo once a window: by 0.8 of it (RFC 8511), says so with CWR on the next new data, by itself, and sends nothing again", async () => {
    const { talk, connection } = await called({
      capabilities: { segmentation4: 65_535, transmitChecksum: true },
    });
    write(connection, 40);
    talk.hearAll();
    talk.say({ seq: 1, ack: at(2), flags: "AE" });
    expect(connection.tcpInfo()).toMatchObject({ cwnd: 8 * MSS, ssthresh: 8 * MSS, inRecovery: false, ecnEchoes: 1 });
    // Nothing may go before the flight is down to that.
    talk.hearNothing();
    talk.say({ seq: 1, ack: at(4), flags: "AE" });
    expect(connection.tcpInfo()).toMatchObject({ cwnd: 8 * MSS, ssthresh: 8 * MSS, ecnEchoes: 2 });
    const first = talk.hear(flags("AC"), seq(at(10)));
    expect(first).toMatchObject({ segmentSize: 0, trafficClass: ECT });
    expect(first.payload).toHaveLength(MSS);
    talk.hear(flags("A"), seq(at(11)));
    // What was sent after the reduction is marked once more.
    talk.say({ seq: 1, ack: at(11), flags: "AE" });
    expect(connection.tcpInfo().ssthresh).toBeLessThan(8 * MSS);
  });

  it("halves without RFC 8511 (net.inet.tcp.cc.abe)", async () => {
    const { talk, connection } = await called({ sysctl: { "net.inet.tcp.cc.abe": false } });
    write(connection, 10);
    talk.say({ seq: 1, ack: at(1), flags: "AE" });
    expect(connection.tcpInfo()).toMatchObject({ cwnd: 5 * MSS, ssthresh: 5 * MSS });
  });

  it("says CWR for a loss too", async () => {
    const { talk, connection } = await called();
    write(connection, 30);
    talk.hearAll();
    for (let i = 0; i < 3; i++) talk.say({ seq: 1, ack: 1 });
    talk.hearAll();
    talk.say({ seq: 1, ack: at(12) });
    expect(talk.hear(seq(at(12))).flags).toContain("C");
  });

  it("takes no notice of ECE without ECN", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.cc.algorithm": "newreno" } });
    const connection = talk.accept();
    write(connection, 10);
    talk.say({ seq: 1, ack: at(1), flags: "AE" });
    expect(connection.tcpInfo().cwnd).toBeGreaterThanOrEqual(10 * MSS);
  });
});

describe("the receiver (§6.1.3)", () => {
  it("SHLD-8 echoes CE with every acknowledgment until CWR comes, and then the next mark", async () => {
    const { talk, connection } = await called({
      sysctl: { "net.inet.tcp.delack_adaptive": false, "net.inet.tcp.quickack": 0 },
    });
    connection.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    talk.say({ seq: 1, ack: 1, payload: 100, trafficClass: ECT });
    talk.say({ seq: 101, ack: 1, payload: 100, trafficClass: ECT });
    talk.hear(flags("A"), ack(201));
    talk.say({ seq: 201, ack: 1, payload: 100, trafficClass: CE });
    talk.say({ seq: 301, ack: 1, payload: 100, trafficClass: ECT });
    talk.hear(flags("AE"), ack(401));
    write(connection, 1);
    talk.hear(flags("PAE"));
    talk.say({ seq: 401, ack: at(1), flags: "AC", payload: 100, trafficClass: ECT });
    talk.pass(100_000);
    talk.hear(flags("A"), ack(501));
    talk.say({ seq: 501, ack: at(1), flags: "AC", payload: 100, trafficClass: CE });
    talk.pass(100_000);
    talk.hear(flags("AE"), ack(601));
    expect(connection.tcpInfo()).toMatchObject({ ecn: true, ceReceived: 2 });
    expect(talk.tcp.statistics).toMatchObject({ ecnCe: 2, ecnShs: 1 });
  });

  it("does not take marks from outside of the window", async () => {
    const { talk, connection } = await called();
    talk.say({ seq: 3_000_000, ack: 1, payload: 100, trafficClass: CE });
    expect(connection.tcpInfo().ceReceived).toBe(0);
  });
});

it.each(["ip", "ethernet"] as const)(
  "a bottleneck that marks keeps its queue short and loses nothing (%s)",
  async (medium) => {
    const pair = new Pair({
      medium,
      bandwidth: 20e6,
      delay: 10_000,
      markDelay: 5000,
      sysctl: { "net.inet.tcp.ecn.enable": 1, "net.inet.tcp.cc.algorithm": "newreno" },
    });
    const { client, server } = await pair.connect();
    const collector = new Collector(server);
    const bytes = pattern(4_000_000);
    await pair.clock.runToSettle(pump(client, bytes));
    expect(collector.length).toBe(bytes.length);
    const { statistics } = pair.tcpA;
    expect(statistics.sndRexmitPack).toBe(0);
    expect(statistics.ecnRcwnd).toBeGreaterThan(2);
    expect(pair.tcpB.statistics.ecnCe).toBeGreaterThan(0);
    // 2 s for 32 Mbit at 20 Mbit/s.
    expect(pair.clock.coarse()).toBeLessThan(2.0e6);
  },
);
