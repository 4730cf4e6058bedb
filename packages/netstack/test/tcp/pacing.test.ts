/** Pacing, and windows that are not in use (RFC 7661). */
import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, type ConversationOptions } from "./conversation.ts";

const MSS = 1460;
const RTT = 100_000;

function at(segments: number): number {
  return 1 + segments * MSS;
}

/** Connected over a path of 100 ms. */
async function connected(options: ConversationOptions): Promise<{ talk: Conversation; connection: TcpConnection }> {
  const talk = new Conversation(options);
  const promise = talk.callOut();
  talk.pass(RTT);
  talk.answer({ mss: MSS, windowShift: 7 });
  const connection = await promise;
  talk.hearAll();
  return { talk, connection };
}

function write(connection: TcpConnection, segments: number): void {
  connection.write([{ bytes: new Uint8Array(segments * MSS) }]);
}

describe("pacing (net.inet.tcp.pacing)", () => {
  const sysctl = { "net.inet.tcp.pacing.enable": true, "net.inet.tcp.cc.algorithm": "newreno" };

  it("spreads a window over half a round trip in slow start, two segments at a time where the rate is low", async () => {
    const { talk, connection } = await connected({ sysctl });
    expect(connection.tcpInfo().pacingRate).toBeCloseTo((2 * 10 * MSS * 1e6) / RTT, -1);
    write(connection, 20);
    for (let burst = 0; burst < 5; burst++) {
      expect(talk.hearAll(), `at ${burst * 10} ms`).toHaveLength(2);
      talk.pass(9_990);
      talk.hearNothing();
      talk.pass(10);
    }
    talk.hearNothing();
  });

  it("lets an acknowledgment open the window, and no more leave than the rate allows", async () => {
    const { talk, connection } = await connected({ sysctl });
    write(connection, 40);
    talk.pass(RTT);
    expect(talk.hearAll()).toHaveLength(10);
    talk.say({ seq: 1, ack: at(10) });
    expect(talk.hearAll()).toHaveLength(2);
  });

  it("lets a millisecond's worth leave as one super-segment where the rate is high", async () => {
    const { talk, connection } = await connected({
      sysctl: { ...sysctl, "net.inet.tcp.initcwnd_segments": 1000 },
      capabilities: { segmentation4: 65_535, transmitChecksum: true },
    });
    talk.say({ seq: 1, ack: 1 });
    write(connection, 1000);
    // 29.2 MB/s: 29,200 bytes.
    const first = talk.hearAll();
    expect(first).toHaveLength(1);
    expect(first[0]!.payload).toHaveLength(20 * MSS);
    talk.pass(10_000);
    const sent = talk.hearAll().reduce((sum, segment) => sum + segment.payload.length, 0);
    expect(sent).toBe(10 * 20 * MSS);
  });

  it("does not save up time in which there was nothing to send", async () => {
    const { talk, connection } = await connected({ sysctl });
    talk.pass(RTT);
    write(connection, 10);
    expect(talk.hearAll()).toHaveLength(2);
  });

  it("is off unless asked for", async () => {
    const { talk, connection } = await connected({ sysctl: { "net.inet.tcp.cc.algorithm": "newreno" } });
    write(connection, 10);
    expect(talk.hearAll()).toHaveLength(10);
  });
});

describe("a window that is not in use (RFC 7661)", () => {
  const sysctl = { "net.inet.tcp.cc.algorithm": "newreno" };

  /** A window of 20 segments, made and used. */
  async function grown(): Promise<{ talk: Conversation; connection: TcpConnection; acked: number }> {
    const { talk, connection } = await connected({ sysctl });
    write(connection, 30);
    for (let acked = 1; acked <= 10; acked++) {
      talk.pass(RTT / 10);
      talk.say({ seq: 1, ack: at(acked) });
    }
    expect(connection.tcpInfo()).toMatchObject({ cwnd: 20 * MSS, congestionPhase: "slow-start" });
    talk.pass(RTT);
    talk.say({ seq: 1, ack: at(30) });
    talk.hearAll();
    return { talk, connection, acked: 30 };
  }

  /** So many segments, each written when the one before is acknowledged. */
  function trickle(talk: Conversation, connection: TcpConnection, from: number, count: number): number {
    for (let i = 1; i <= count; i++) {
      write(connection, 1);
      talk.pass(RTT);
      talk.say({ seq: 1, ack: at(from + i) });
    }
    talk.hearAll();
    return from + count;
  }

  it("is kept while little is sent (§4.4), and through an idle time, after which it is paced (§4.4.2)", async () => {
    const { talk, connection, acked } = await grown();
    const { cwnd } = connection.tcpInfo();
    const now = trickle(talk, connection, acked, 20);
    expect(connection.tcpInfo()).toMatchObject({ cwnd, congestionPhase: "slow-start, not validated" });
    talk.pass(10e6);
    write(connection, 40);
    expect(talk.hearAll().length).toBeLessThanOrEqual(3);
    talk.pass(RTT);
    expect(talk.hearAll().length).toBeGreaterThan(cwnd / MSS - 5);
    expect(connection.tcpInfo().cwnd).toBe(cwnd);
    expect(now).toBe(50);
  });

  it("is validated again by a round trip that uses half of it", async () => {
    const { talk, connection, acked } = await grown();
    const now = trickle(talk, connection, acked, 20);
    write(connection, 15);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: at(now + 15) });
    expect(connection.tcpInfo().congestionPhase).toBe("slow-start");
  });

  it("loses to congestion what it had beyond what was in use, less what had to be sent again (§4.4.1)", async () => {
    const { talk, connection, acked } = await grown();
    const now = trickle(talk, connection, acked, 20);
    write(connection, 8);
    talk.pass(RTT);
    talk.hearAll();
    // The first is lost; the others are duplicates.
    for (let i = 0; i < 3; i++) talk.say({ seq: 1, ack: at(now) });
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: true, ssthresh: 4 * MSS });
    talk.pass(RTT);
    talk.say({ seq: 1, ack: at(now + 8) });
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: false, ssthresh: Math.floor((7 * MSS) / 2) });
    expect(connection.tcpInfo().cwnd).toBeLessThanOrEqual(Math.floor((7 * MSS) / 2));
  });

  it("is halved after five minutes, but not below the initial window, and the threshold remembers it (§4.4.3)", async () => {
    const { talk, connection, acked } = await grown();
    const { cwnd } = connection.tcpInfo();
    trickle(talk, connection, acked, 20);
    connection.setUserTimeout(0);
    talk.pass(301e6);
    write(connection, 1);
    expect(connection.tcpInfo().cwnd).toBe(Math.floor(cwnd / 2));
    talk.pass(RTT);
    talk.say({ seq: 1, ack: at(acked + 21) });
    talk.pass(700e6);
    write(connection, 1);
    expect(connection.tcpInfo().cwnd).toBe(10 * MSS);
  });
});
