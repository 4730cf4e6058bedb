import { describe, expect, it } from "vitest";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, type Options, payload, sack, seq } from "./conversation.ts";

const MSS = 1000;
const RTT = 100_000;
/** Sequence number of segment `n`, from 0. */
const at = (n: number): number => 1 + n * MSS;
const write = (segments: number) => [{ bytes: new Uint8Array(segments * MSS) }];
const segments = (talk: Conversation): number[] => talk.hearAll().map((segment) => (segment.seq - 1) / MSS);
const PLAIN: Options = { mss: MSS, windowShift: 4 };
const SACK: Options = { ...PLAIN, sackPermitted: true };
/** Timestamps take 12 bytes of each segment. */
const STAMPED: Options = { ...SACK, mss: MSS + 12, timestamps: [1, 0] };
const NO_PROBES = { "net.inet.tcp.rack.tlp.enable": false };

/** A connection with a round-trip time of 100 ms, a window of ten segments, and so many in flight of the hundred that it has to send. */
function flying(
  peer: Options = SACK,
  sysctl: Readonly<Record<string, SysctlValue>> = {},
): { talk: Conversation; connection: TcpConnection } {
  const talk = new Conversation({ sysctl: { "net.inet.tcp.cc.algorithm": "newreno", ...NO_PROBES, ...sysctl } });
  talk.listen();
  let connection: TcpConnection | null = null;
  talk.listener!.accept((stream) => {
    connection = stream as TcpConnection;
  });
  talk.say({ flags: "S", ...peer });
  talk.pass(RTT);
  const answer = talk.hearSyn();
  if (peer.timestamps !== undefined) talk.timestamps = [peer.timestamps[0], answer.timestamps![0]];
  talk.say({ seq: 1, ack: 1 });
  if (connection === null) throw new Error("no connection was accepted");
  (connection as TcpConnection).write(write(100));
  return { talk, connection };
}

describe("D-SACK (RFC 2883), as receiver", () => {
  function receiving(): Conversation {
    const talk = new Conversation();
    talk.accept(SACK).setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    talk.hearAll();
    return talk;
  }

  it("a segment that came already is told of, once", () => {
    const talk = receiving();
    talk.sayAll([
      { seq: 1, ack: 1, payload: 500 },
      { seq: 501, ack: 1, payload: 500 },
    ]);
    talk.hear(sack());
    talk.say({ seq: 1, ack: 1, payload: 500 });
    talk.hear(sack([1, 501]));
    talk.sayAll([
      { seq: 1001, ack: 1, payload: 500 },
      { seq: 1501, ack: 1, payload: 500 },
    ]);
    talk.hear(sack());
  });

  it("beyond a gap: the duplicate, then the block that it lies in (§4.1, §4.2)", () => {
    const talk = receiving();
    talk.say({ seq: 1001, ack: 1, payload: 500 });
    talk.hear(sack([1001, 1501]));
    talk.say({ seq: 2001, ack: 1, payload: 500 });
    talk.hear(sack([2001, 2501], [1001, 1501]));
    talk.say({ seq: 1001, ack: 1, payload: 500 });
    talk.hear(sack([1001, 1501], [1001, 1501], [2001, 2501]));
  });

  it("of a segment that is partly new, what is not", () => {
    const talk = receiving();
    talk.sayAll([
      { seq: 1, ack: 1, payload: 500 },
      { seq: 501, ack: 1, payload: 500 },
    ]);
    talk.hear(sack());
    talk.say({ seq: 801, ack: 1, payload: 500 });
    talk.hear(sack([801, 1001]));
  });

  it("not without SACK, nor where it is switched off, nor what is older than any window", () => {
    for (const [peer, dsack, old] of [
      [PLAIN, true, 1],
      [SACK, false, 1],
      [SACK, true, -(2 ** 30)],
    ] as const) {
      const talk = new Conversation({
        sysctl: { "net.inet.tcp.cc.algorithm": "newreno", "net.inet.tcp.sack.dsack": dsack },
      });
      talk.accept(peer).setSink({ data: (_slab, _offset, length) => length, end: () => {} });
      talk.say({ seq: 1, ack: 1, payload: 500 });
      talk.hearAll();
      talk.say({ seq: old, ack: 1, payload: 500 });
      talk.hear(sack());
    }
  });
});

describe("fast recovery that was for nothing", () => {
  it("the D-SACK of all that it sent again gives the window back", () => {
    const { talk, connection } = flying();
    talk.pass(RTT);
    talk.hearAll();
    // 0 is late, and looks lost.
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(5)]] });
    expect(segments(talk)[0]).toBe(0);
    const { ssthresh } = connection.tcpInfo();
    expect(ssthresh).toBe(5 * MSS);
    talk.say({ seq: 1, ack: at(5) });
    talk.pass(RTT);
    talk.say({ seq: 1, ack: at(10) });
    talk.say({ seq: 1, ack: at(10), sack: [[at(0), at(1)]] });
    const info = connection.tcpInfo();
    expect(info.inRecovery).toBe(false);
    expect(info.ssthresh).toBeGreaterThan(10 * MSS);
    expect(info.cwnd).toBeGreaterThanOrEqual(10 * MSS);
    expect(info.spuriousRecoveries).toBe(1);
    expect(talk.tcp.statistics).toMatchObject({ sndRexmitBad: 1, spuriousRecoveries: 1, spuriousByDsack: 1 });
  });

  it("two sent again and one D-SACK: one of them was needed", () => {
    const { talk, connection } = flying();
    talk.pass(RTT);
    talk.hearAll();
    talk.say({ seq: 1, ack: 1, sack: [[at(2), at(9)]] });
    expect(segments(talk).slice(0, 2)).toEqual([0, 1]);
    talk.say({ seq: 1, ack: at(9), sack: [[at(0), at(1)]] });
    expect(talk.tcp.statistics.sndRexmitBad).toBe(0);
    expect(connection.tcpInfo().ssthresh).toBe(5 * MSS);
    // Said twice it is no more than once said; said of what was not sent again it is nothing.
    talk.say({ seq: 1, ack: at(9), sack: [[at(4), at(5)]] });
    expect(talk.tcp.statistics.sndRexmitBad).toBe(0);
  });

  it("an echo older than the retransmission does so at once (Eifel, RFC 3522)", () => {
    const { talk, connection } = flying(STAMPED);
    talk.pass(RTT);
    const first = talk.hearAll()[0]!.timestamps![0];
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(6)]] });
    talk.pass(5000);
    expect(connection.tcpInfo().inRecovery).toBe(true);
    talk.timestamps = [2, first];
    talk.say({ seq: 1, ack: at(6) });
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: false, spuriousRecoveries: 1 });
    expect(connection.tcpInfo().cwnd).toBeGreaterThanOrEqual(9 * MSS);
    expect(talk.tcp.statistics.spuriousByEifel).toBe(1);
  });

  it("an echo of the retransmission does not", () => {
    const { talk, connection } = flying(STAMPED);
    talk.pass(RTT);
    talk.hearAll();
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(6)]] });
    const again = talk.hear(seq(1)).timestamps![0];
    talk.pass(RTT);
    talk.timestamps = [2, again];
    talk.say({ seq: 1, ack: at(6) });
    expect(talk.tcp.statistics.sndRexmitBad).toBe(0);
    expect(connection.tcpInfo().ssthresh).toBeLessThan(10 * MSS);
  });
});

describe("timeouts that were for nothing", () => {
  /** Nothing comes for longer than the retransmission timeout. */
  function timedOut(peer: Options, sysctl: Readonly<Record<string, SysctlValue>> = {}) {
    const both = flying(peer, sysctl);
    const { talk, connection } = both;
    expect(segments(talk)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    talk.pass(connection.tcpInfo().rto);
    talk.hear(seq(1), payload(MSS));
    talk.hearNothing();
    expect(connection.tcpInfo()).toMatchObject({ cwnd: MSS, ssthresh: 5 * MSS });
    return both;
  }

  for (const [name, peer] of [
    ["basic", PLAIN],
    ["with SACK", SACK],
  ] as const) {
    it(`F-RTO ${name}: the first acknowledgment lets two new segments go, the second takes it all back`, () => {
      const { talk, connection } = timedOut(peer);
      talk.say({ seq: 1, ack: at(1) });
      expect(segments(talk)).toEqual([10, 11]);
      talk.say({ seq: 1, ack: at(2) });
      const info = connection.tcpInfo();
      expect(info).toMatchObject({ lost: 0, spuriousRecoveries: 1 });
      expect(info.cwnd).toBeGreaterThanOrEqual(10 * MSS);
      expect(info.ssthresh).toBeGreaterThan(10 * MSS);
      expect(talk.tcp.statistics).toMatchObject({ spuriousTimeouts: 1, spuriousByFrto: 1, sndRexmitPack: 1 });
      // New data goes on, nothing that was only late.
      talk.say({ seq: 1, ack: at(10) });
      expect(Math.min(...segments(talk))).toBeGreaterThanOrEqual(12);
    });

    it(`F-RTO ${name}: a duplicate in place of the second means that the rest is lost`, () => {
      const { talk, connection } = timedOut(peer);
      talk.say({ seq: 1, ack: at(1) });
      expect(segments(talk)).toEqual([10, 11]);
      talk.say({ seq: 1, ack: at(1), ...(peer === SACK ? { sack: [[at(10), at(11)]] } : {}) });
      expect(segments(talk)[0]).toBe(1);
      expect(connection.tcpInfo().spuriousRecoveries).toBe(0);
      expect(connection.tcpInfo().cwnd).toBeLessThanOrEqual(3 * MSS);
    });
  }

  it("F-RTO with SACK: a late segment that is SACKed is as good (step 3b)", () => {
    const { talk } = timedOut(SACK);
    talk.say({ seq: 1, ack: at(1) });
    talk.hearAll();
    talk.say({ seq: 1, ack: at(1), sack: [[at(4), at(5)]] });
    expect(talk.tcp.statistics.spuriousByFrto).toBe(1);
  });

  it("an acknowledgment of everything proves nothing (step 2a)", () => {
    const { talk } = timedOut(SACK);
    talk.say({ seq: 1, ack: at(10) });
    talk.say({ seq: 1, ack: at(11) });
    expect(talk.tcp.statistics.sndRexmitBad).toBe(0);
  });

  it("with nothing new to send, or switched off, what is lost goes again at once", () => {
    const off = timedOut(SACK, { "net.inet.tcp.frto": false });
    off.talk.say({ seq: 1, ack: at(1) });
    expect(segments(off.talk)).toEqual([1, 2]);
    const talk = new Conversation({ sysctl: NO_PROBES });
    const connection = talk.accept(SACK);
    connection.write(write(5));
    talk.hearAll();
    talk.pass(connection.tcpInfo().rto);
    expect(segments(talk)).toEqual([0]);
    talk.say({ seq: 1, ack: at(1) });
    expect(segments(talk)).toEqual([1, 2]);
  });

  it("the round-trip time begins anew with what was sent after a spurious timeout (RFC 4015 §3.1 step 11)", () => {
    const { talk, connection } = timedOut(SACK);
    const { srtt, rttVar } = connection.tcpInfo();
    talk.say({ seq: 1, ack: at(1) });
    talk.say({ seq: 1, ack: at(2) });
    expect(talk.tcp.statistics.spuriousByFrto).toBe(1);
    talk.say({ seq: 1, ack: at(10) });
    talk.pass(400_000);
    talk.say({ seq: 1, ack: at(12) });
    const info = connection.tcpInfo();
    expect(info.srtt).toBe(400_000);
    expect(info.rttVar).toBe(200_000);
    expect(srtt).toBeLessThan(200_000);
    expect(rttVar).toBeLessThan(200_000);
  });

  it("Eifel: the timestamp of the first acknowledgment is enough, and the backoff is gone (RFC 4015)", () => {
    const { talk, connection } = flying(STAMPED);
    const first = talk.hearAll()[0]!.timestamps![0];
    const { rto } = connection.tcpInfo();
    talk.pass(rto + 2 * rto);
    expect(segments(talk)).toEqual([0, 0]);
    expect(connection.tcpInfo().rto).toBe(4 * rto);
    talk.timestamps = [2, first];
    talk.say({ seq: 1, ack: at(1) });
    expect(connection.tcpInfo()).toMatchObject({ lost: 0, timeouts: 0, spuriousRecoveries: 1 });
    expect(connection.tcpInfo().cwnd).toBeGreaterThanOrEqual(10 * MSS);
    expect(talk.tcp.statistics).toMatchObject({ spuriousByEifel: 1, spuriousTimeouts: 1 });
    expect(Math.min(...segments(talk))).toBeGreaterThanOrEqual(10);
  });
});
