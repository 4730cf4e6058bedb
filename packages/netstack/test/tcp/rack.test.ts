import { describe, expect, it } from "vitest";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, flags, payload, seq } from "./conversation.ts";

const MSS = 1000;
const RTT = 100_000;
/** Sequence number of segment `n`, from 0. */
const at = (n: number): number => 1 + n * MSS;
const write = (segments: number) => [{ bytes: new Uint8Array(segments * MSS) }];
const segments = (talk: Conversation): number[] => talk.hearAll().map((segment) => (segment.seq - 1) / MSS);
const NO_PROBES = { "net.inet.tcp.rack.tlp.enable": false };

/** A connection with a window of so many segments and a round-trip time of 100 ms, which has sent nothing else yet. */
function opened(
  sysctl: Readonly<Record<string, SysctlValue>> = {},
  window = 10,
): { talk: Conversation; connection: TcpConnection } {
  const talk = new Conversation({
    sysctl: { "net.inet.tcp.cc.algorithm": "newreno", "net.inet.tcp.initcwnd_segments": window, ...sysctl },
  });
  talk.listen();
  let connection: TcpConnection | null = null;
  talk.listener!.accept((stream) => {
    connection = stream as TcpConnection;
  });
  talk.say({ flags: "S", mss: MSS, windowShift: 4, sackPermitted: true });
  talk.pass(RTT);
  talk.hearSyn();
  talk.say({ seq: 1, ack: 1 });
  if (connection === null) throw new Error("no connection was accepted");
  return { talk, connection };
}

/** As `opened`, with segments in flight. */
function flying(count: number, sysctl: Readonly<Record<string, SysctlValue>> = NO_PROBES): ReturnType<typeof opened> {
  const both = opened(sysctl, count);
  both.connection.write(write(1000));
  expect(both.talk.hearAll()).toHaveLength(count);
  return both;
}

describe("RACK (RFC 8985 §6)", () => {
  it("without reordering, three segments SACKed beyond a gap are enough", () => {
    const { talk, connection } = flying(10);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(2)]] });
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(3)]] });
    expect(connection.tcpInfo().inRecovery).toBe(false);
    talk.hearAll();
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(4)]] });
    expect(segments(talk)).toContain(0);
    expect(connection.tcpInfo().inRecovery).toBe(true);
    expect(talk.tcp.statistics.rexmtByRack).toBe(1);
  });

  it("with fewer, what was sent before is lost a quarter of a round trip later (the reordering timer)", () => {
    const { talk, connection } = opened(NO_PROBES);
    connection.write(write(3));
    talk.hearAll();
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(2)]] });
    talk.hearNothing();
    talk.pass(RTT / 4 - 1);
    expect(connection.tcpInfo().inRecovery).toBe(false);
    talk.pass(1);
    expect(segments(talk)).toEqual([0]);
    expect(connection.tcpInfo().inRecovery).toBe(true);
  });

  it("finds a retransmission that was lost, which counting cannot", () => {
    const { talk, connection } = flying(10);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(10)]] });
    // 0 goes again, and new ones behind it: it is lost once more, and what was sent after it arrives.
    const sent = segments(talk);
    expect(sent.slice(0, 2)).toEqual([0, 10]);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(11)]] });
    expect(segments(talk)).toContain(0);
    expect(connection.tcpInfo().timeouts).toBe(0);
    expect(talk.tcp.statistics.rexmtByRack).toBe(2);
  });

  it("after reordering was seen, three SACKed segments are not enough: the window must pass", () => {
    const { talk, connection } = flying(10);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(2)]] });
    talk.pass(1000);
    // 0 comes late: 1 had overtaken it.
    talk.say({ seq: 1, ack: at(2) });
    expect(connection.tcpInfo()).toMatchObject({ reorderings: 1, reorderingSegments: 2, reorderingTime: 1000 });
    talk.hearAll();
    talk.say({ seq: 1, ack: at(2), sack: [[at(3), at(8)]] });
    expect(connection.tcpInfo().inRecovery).toBe(false);
    talk.pass(RTT / 4);
    expect(connection.tcpInfo().inRecovery).toBe(true);
    expect(segments(talk)).toContain(2);
  });

  it("in order by one acknowledgment is in order, however its blocks are arranged", () => {
    const { talk, connection } = flying(10);
    talk.pass(RTT);
    talk.say({
      seq: 1,
      ack: at(1),
      sack: [
        [at(8), at(9)],
        [at(5), at(6)],
        [at(2), at(3)],
      ],
    });
    expect(connection.tcpInfo().reorderings).toBe(0);
  });

  it("each round trip with a D-SACK makes the window a quarter longer (step 4)", () => {
    const { talk, connection } = flying(10);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(2)]] });
    talk.say({ seq: 1, ack: at(4), sack: [[at(0), at(1)]] });
    talk.say({ seq: 1, ack: at(4), sack: [[at(0), at(1)]] });
    expect(talk.tcp.statistics).toMatchObject({ dsackCount: 2, dsackBytes: 2 * MSS });
    talk.say({ seq: 1, ack: at(4), sack: [[at(6), at(8)]] });
    talk.pass(RTT / 2 - 1);
    expect(connection.tcpInfo().inRecovery).toBe(false);
    talk.pass(1);
    expect(connection.tcpInfo().inRecovery).toBe(true);
  });

  it("a timeout takes the first segment for lost, and what has been under way for a round trip (§6.3)", () => {
    const { talk, connection } = opened(NO_PROBES, 10);
    connection.setNoDelay(true);
    connection.write(write(2));
    const { rto } = connection.tcpInfo();
    talk.pass(rto - RTT / 2);
    connection.write(write(3));
    talk.hearAll();
    talk.pass(RTT / 2);
    expect(segments(talk)).toEqual([0]);
    expect(connection.tcpInfo()).toMatchObject({ lost: MSS, pipe: 4 * MSS });
  });
});

describe("tail loss probes (RFC 8985 §7)", () => {
  it("after two round trips without an answer, something new goes beyond the window", () => {
    const { talk, connection } = opened({}, 5);
    connection.write(write(20));
    expect(segments(talk)).toEqual([0, 1, 2, 3, 4]);
    talk.pass(2 * RTT - 1);
    talk.hearNothing();
    talk.pass(1);
    expect(segments(talk)).toEqual([5]);
    expect(talk.tcp.statistics.tlpNewData).toBe(1);
    // One, then the retransmission timer.
    talk.pass(connection.tcpInfo().rto - 1);
    talk.hearNothing();
    talk.pass(1);
    expect(segments(talk)).toEqual([0]);
  });

  it("with nothing new, the last segment once more; its SACK lets RACK find the rest", () => {
    const { talk, connection } = opened();
    connection.write(write(5));
    talk.hearAll();
    talk.pass(2 * RTT);
    expect(segments(talk)).toEqual([4]);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: at(1), sack: [[at(4), at(5)]] });
    talk.pass(RTT / 4);
    // As many as half of what was in flight.
    expect(segments(talk)).toEqual([1, 2]);
    expect(talk.tcp.statistics).toMatchObject({ tlpResends: 1, tlpResendBytes: MSS, rexmtTimeo: 0 });
    expect(connection.tcpInfo().inRecovery).toBe(true);
  });

  it("a single segment gets time for a delayed acknowledgment", () => {
    const { talk, connection } = opened();
    connection.write(write(1));
    talk.hearAll();
    talk.pass(2 * RTT + 50_000 - 1);
    talk.hearNothing();
    talk.pass(1);
    talk.hear(seq(1), payload(MSS));
  });

  it("a FIN is probed for as any segment is", () => {
    const { talk, connection } = opened();
    connection.write(write(1));
    talk.hearAll();
    talk.say({ seq: 1, ack: at(1) });
    connection.shutdown();
    talk.hear(flags("FA"));
    talk.pass(2 * RTT + 50_000);
    talk.hear(flags("FA"), seq(at(1)), payload(0));
  });

  it("a loss that the probe repaired halves the window; one that came twice does not (§7.4.2)", () => {
    for (const answer of ["repaired", "D-SACK", "duplicate"] as const) {
      const { talk, connection } = opened();
      connection.write(write(4));
      talk.pass(2 * RTT);
      expect(segments(talk)).toEqual([0, 1, 2, 3, 3]);
      talk.pass(RTT);
      if (answer === "D-SACK") talk.say({ seq: 1, ack: at(4), sack: [[at(3), at(4)]] });
      else talk.say({ seq: 1, ack: at(4) });
      if (answer === "duplicate") talk.say({ seq: 1, ack: at(4) });
      connection.write(write(1));
      talk.pass(RTT);
      talk.say({ seq: 1, ack: at(5) });
      expect(talk.tcp.statistics.tlpRepaired, answer).toBe(answer === "repaired" ? 1 : 0);
      if (answer === "repaired") expect(connection.tcpInfo().cwnd).toBeLessThan(10 * MSS);
      else expect(connection.tcpInfo().cwnd).toBeGreaterThanOrEqual(10 * MSS);
    }
  });

  it("none without SACK, none into a window that is shut, none where it is switched off", () => {
    const off = opened(NO_PROBES);
    off.connection.write(write(3));
    off.talk.hearAll();
    off.talk.pass(2.5 * RTT);
    off.talk.hearNothing();
    const { talk, connection } = opened();
    connection.write(write(3));
    talk.hearAll();
    talk.peerWindow = 0;
    talk.say({ seq: 1, ack: 1 });
    talk.pass(2.5 * RTT);
    talk.hearNothing();
  });
});

describe("proportional rate reduction (RFC 6937)", () => {
  it("one loss: one segment leaves for every two that arrive, and the window ends at ssthresh", () => {
    const { talk, connection } = flying(20);
    talk.pass(RTT);
    let sent = 0;
    for (let i = 2; i <= 20; i++) {
      talk.say({ seq: 1, ack: 1, sack: [[at(1), at(i)]] });
      const count = segments(talk).length;
      if (i > 4) expect(count).toBeLessThanOrEqual(1);
      sent += count;
      // Not a pause until half of the window has drained, and then as many as arrive.
      if (i === 12) expect(sent).toBeGreaterThanOrEqual(6);
    }
    // Two by limited transmit, and half of what was in flight.
    expect(sent).toBeGreaterThanOrEqual(10);
    expect(sent).toBeLessThanOrEqual(12);
    talk.say({ seq: 1, ack: at(22) });
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: false, cwnd: 10 * MSS, ssthresh: 10 * MSS });
  });

  it("many losses: the slow start bound fills the pipe while there is progress; the conservative one does not", () => {
    const counts = [false, true].map((conservative) => {
      const { talk } = flying(20, { ...NO_PROBES, "net.inet.tcp.do_prr_conservative": conservative });
      talk.pass(RTT);
      talk.say({ seq: 1, ack: 1, sack: [[at(17), at(20)]] });
      // All the rest is lost; the pipe is empty, and three segments have been delivered.
      const first = segments(talk).length;
      talk.pass(RTT);
      talk.say({ seq: 1, ack: at(first), sack: [[at(17), at(20)]] });
      return [first, segments(talk).length];
    });
    expect(counts).toEqual([
      [3, 4],
      [3, 3],
    ]);
  });

  it("while recovery makes no progress, no more leaves than arrives", () => {
    const { talk } = flying(20);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(17), at(20)]] });
    expect(segments(talk)).toEqual([0, 1, 2]);
    talk.say({ seq: 1, ack: 1, sack: [[at(16), at(20)]] });
    expect(segments(talk)).toEqual([3]);
  });

  it("never more than ssthresh allows", () => {
    const { talk, connection } = flying(20);
    talk.pass(RTT);
    talk.say({ seq: 1, ack: 1, sack: [[at(10), at(20)]] });
    for (let round = 0; round < 6; round++) {
      const { pipe, ssthresh } = connection.tcpInfo();
      expect(pipe).toBeLessThanOrEqual(ssthresh);
      const sent = segments(talk);
      if (sent.length === 0) break;
      talk.pass(RTT);
      talk.say({ seq: 1, ack: at(Math.min(10, Math.max(...sent) + 1)), sack: [[at(10), at(20)]] });
    }
  });
});
