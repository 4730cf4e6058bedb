import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, payload, seq } from "./conversation.ts";

const MSS = 1460;
/** The numbers below are Reno's. */
const RENO = { "net.inet.tcp.cc.algorithm": "newreno" };
const write = (length: number) => [{ bytes: new Uint8Array(length) }];
/** Sequence number of segment `n`, from 0. */
const at = (n: number): number => 1 + n * MSS;
/** Recovery as RFC 6675 alone has it. */
const COUNTING = {
  ...RENO,
  "net.inet.tcp.rack.enable": false,
  "net.inet.tcp.do_prr": false,
  "net.inet.tcp.frto": false,
};
const segments = (talk: Conversation): number[] => talk.hearAll().map((segment) => (segment.seq - 1) / MSS);

describe("fast retransmit and recovery without SACK (RFC 5681 §3.2, RFC 6582)", () => {
  function flying(count: number): { talk: Conversation; connection: ReturnType<Conversation["accept"]> } {
    const talk = new Conversation({
      sysctl: { ...RENO, "net.inet.tcp.initcwnd_segments": count },
    });
    const connection = talk.accept({ mss: MSS, windowShift: 4 });
    connection.write(write(1000 * MSS));
    expect(talk.hearAll()).toHaveLength(count);
    return { talk, connection };
  }

  it("the first two duplicate acknowledgments let one new segment go each (RFC 3042), the third retransmits", () => {
    const { talk, connection } = flying(10);
    talk.say({ seq: 1, ack: 1 });
    expect(segments(talk)).toEqual([10]);
    talk.say({ seq: 1, ack: 1 });
    expect(segments(talk)).toEqual([11]);
    talk.say({ seq: 1, ack: 1 });
    expect(segments(talk)).toEqual([0]);
    // The two do not count as flight (RFC 5681 §3.2 step 2).
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: true, ssthresh: 5 * MSS, cwnd: 8 * MSS });
  });

  it("each further one inflates the window, and a full acknowledgment deflates it", () => {
    const { talk, connection } = flying(10);
    for (let i = 0; i < 3; i++) talk.say({ seq: 1, ack: 1 });
    talk.hearAll();
    for (let i = 0; i < 5; i++) talk.say({ seq: 1, ack: 1 });
    expect(connection.tcpInfo().cwnd).toBe(13 * MSS);
    expect(segments(talk)).toEqual([12]);
    talk.say({ seq: 1, ack: at(13) });
    expect(connection.tcpInfo().inRecovery).toBe(false);
    expect(connection.tcpInfo().cwnd).toBeLessThanOrEqual(5 * MSS);
  });

  it("a partial acknowledgment retransmits the next hole at once, and recovery goes on", () => {
    const { talk, connection } = flying(10);
    for (let i = 0; i < 3; i++) talk.say({ seq: 1, ack: 1 });
    talk.hearAll();
    talk.say({ seq: 1, ack: at(4) });
    expect(segments(talk)[0]).toBe(4);
    expect(connection.tcpInfo().inRecovery).toBe(true);
    expect(talk.tcp.statistics.newRenoPartialAcks).toBe(1);
    talk.say({ seq: 1, ack: at(12) });
    expect(connection.tcpInfo().inRecovery).toBe(false);
  });

  it("duplicate acknowledgments of what was sent before a timeout start no recovery (RFC 6582 §3.2 step 2)", () => {
    const { talk, connection } = flying(10);
    talk.pass(230_000);
    expect(segments(talk)).toEqual([0]);
    talk.say({ seq: 1, ack: at(1) });
    talk.hearAll();
    for (let i = 0; i < 5; i++) talk.say({ seq: 1, ack: at(1) });
    expect(connection.tcpInfo().inRecovery).toBe(false);
  });

  it("segments with data, or a new window, are no duplicate acknowledgments", () => {
    const { talk, connection } = flying(10);
    talk.say({ seq: 1, ack: 1, payload: 5 });
    talk.say({ seq: 6, ack: 1, window: 60_000 });
    talk.say({ seq: 6, ack: 1, window: 61_000 });
    talk.say({ seq: 6, ack: 1, window: 62_000 });
    expect(connection.tcpInfo().duplicateAcks).toBe(0);
  });
});

describe("recovery by SACK (RFC 6675)", () => {
  function flying(count: number): { talk: Conversation; connection: ReturnType<Conversation["accept"]> } {
    const talk = new Conversation({ sysctl: { ...COUNTING, "net.inet.tcp.initcwnd_segments": count } });
    const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: true });
    connection.write(write(1000 * MSS));
    expect(talk.hearAll()).toHaveLength(count);
    return { talk, connection };
  }

  it("three segments SACKed above a hole retransmit it", () => {
    const { talk, connection } = flying(10);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(2)]] });
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(3)]] });
    expect(segments(talk)).toEqual([10, 11]);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(4)]] });
    expect(segments(talk)).toEqual([0]);
    // What limited transmit sent does not count as flight (RFC 6675 §5 step 4.2).
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: true, cwnd: 5 * MSS, ssthresh: 5 * MSS });
  });

  it("one acknowledgment that SACKs enough is as good as three (IsLost by bytes)", () => {
    const { talk, connection } = flying(10);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(5)]] });
    expect(segments(talk)).toEqual([0]);
    expect(connection.tcpInfo().inRecovery).toBe(true);
  });

  it("lost segments go first, by the pipe, then new ones", () => {
    const { talk } = flying(20);
    // 0, 2 and 4 are lost.
    talk.say({
      seq: 1,
      ack: 1,
      sack: [
        [at(5), at(15)],
        [at(3), at(4)],
        [at(1), at(2)],
      ],
    });
    // The pipe: 15 … 19 and the retransmissions; the window: half of 20.
    expect(segments(talk)).toEqual([0, 2, 4, 20, 21]);
    talk.say({
      seq: 1,
      ack: at(2),
      sack: [
        [at(5), at(17)],
        [at(3), at(4)],
      ],
    });
    expect(segments(talk)).toEqual([22, 23, 24]);
    talk.say({ seq: 1, ack: at(22) });
    expect(talk.tcp.statistics.sackRecoveryEpisode).toBe(1);
  });

  it("recovery ends when what was in flight at its beginning is acknowledged", () => {
    const { talk, connection } = flying(10);
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(10)]] });
    expect(segments(talk)[0]).toBe(0);
    talk.say({ seq: 1, ack: at(10) });
    expect(connection.tcpInfo()).toMatchObject({ inRecovery: false, cwnd: 5 * MSS, ssthresh: 5 * MSS });
  });

  it("with nothing new to send, holes not yet known as lost go too, then the last segment (rules 3 and 4)", () => {
    const talk = new Conversation({ sysctl: { ...COUNTING, "net.inet.tcp.initcwnd_segments": 20 } });
    const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: true });
    connection.write(write(10 * MSS));
    talk.hearAll();
    talk.say({
      seq: 1,
      ack: 1,
      sack: [
        [at(1), at(6)],
        [at(7), at(8)],
      ],
    });
    // 0 is lost; 6 has but one segment above it.
    expect(segments(talk)).toEqual([0, 6]);
    // 8 and 9 are beyond all that is SACKed. The last of them is the rescue, once the first retransmission is known to have come.
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(8)]] });
    expect(segments(talk)).toEqual([]);
    talk.say({ seq: 1, ack: at(6), sack: [[at(7), at(8)]] });
    expect(segments(talk)).toEqual([9]);
    talk.say({ seq: 1, ack: at(8) });
    expect(segments(talk)).toEqual([]);
    expect(connection.tcpInfo().inRecovery).toBe(true);
  });

  it("the rescue is what is missing below the highest SACK if all above has come", () => {
    const talk = new Conversation({ sysctl: { ...COUNTING, "net.inet.tcp.initcwnd_segments": 20 } });
    const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: true });
    connection.write(write(10 * MSS));
    talk.hearAll();
    talk.say({
      seq: 1,
      ack: 1,
      sack: [
        [at(1), at(5)],
        [at(6), at(10)],
      ],
    });
    expect(segments(talk)).toEqual([0, 5]);
    talk.say({ seq: 1, ack: at(5), sack: [[at(6), at(10)]] });
    expect(segments(talk)).toEqual([5]);
    talk.say({ seq: 1, ack: at(10) });
    expect(connection.tcpInfo().inRecovery).toBe(false);
  });

  it("a loss right behind what recovery, or a timeout, has dealt with begins a new recovery (§5.1)", () => {
    for (const timeout of [false, true]) {
      const talk = new Conversation({ sysctl: COUNTING });
      const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: true });
      connection.write(write(5 * MSS));
      talk.hearAll();
      if (timeout) talk.pass(230_000);
      else talk.say({ seq: 1, ack: 1, sack: [[at(1), at(5)]] });
      expect(segments(talk)).toEqual([0]);
      talk.say({ seq: 1, ack: at(5) });
      connection.write(write(5 * MSS));
      talk.hearAll();
      // 5 is lost; each acknowledgment of one behind it lets another go.
      for (const last of [6, 7]) talk.say({ seq: 1, ack: at(5), sack: [[at(6), at(last + 1)]] });
      expect(segments(talk)).toEqual([7, 8]);
      talk.say({ seq: 1, ack: at(5), sack: [[at(6), at(9)]] });
      expect(segments(talk)[0]).toBe(5);
      expect(connection.tcpInfo().inRecovery).toBe(true);
    }
  });

  it("blocks that make no sense are counted and change nothing", () => {
    const { talk, connection } = flying(10);
    talk.say({
      seq: 1,
      ack: 1,
      sack: [
        [at(5), at(4)],
        [at(8), at(99)],
        [-5000, -4000],
      ],
    });
    expect(talk.tcp.statistics.sackBadBlocks).toBe(2);
    expect(connection.tcpInfo().duplicateAcks).toBe(0);
  });

  it("after a timeout what was SACKed is no longer believed (RFC 2018 §8), but what is SACKed anew is not sent", () => {
    const { talk } = flying(10);
    talk.say({ seq: 1, ack: 1, sack: [[at(4), at(5)]] });
    talk.hearAll();
    talk.pass(230_000);
    expect(segments(talk)).toEqual([0]);
    talk.say({ seq: 1, ack: at(1), sack: [[at(2), at(5)]] });
    expect(segments(talk)).toEqual([1, 5]);
  });

  it("a FIN is sent again as any other number is", () => {
    const talk = new Conversation({ sysctl: COUNTING });
    const connection = talk.accept({ mss: MSS, sackPermitted: true });
    connection.write(write(5 * MSS));
    connection.shutdown();
    talk.hearAll();
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(5)]] });
    talk.hear(flags("A"), seq(1), payload(MSS));
    talk.say({ seq: 1, ack: at(5) });
    talk.hear(flags("FA"), seq(at(5)), payload(0));
    talk.say({ seq: 1, ack: at(5) + 1 });
    expect(connection.tcpInfo().state).toBe("FIN-WAIT-2");
  });
});

describe("congestion window (RFC 5681 §3.1)", () => {
  it("begins with ten segments (RFC 6928)", () => {
    const talk = new Conversation({ sysctl: RENO });
    const connection = talk.accept({ mss: MSS, windowShift: 4 });
    connection.write(write(100 * MSS));
    expect(talk.hearAll()).toHaveLength(10);
    const jumbo = new Conversation({ capabilities: { mtu: 9000 } });
    const large = jumbo.accept({ mss: 8960, windowShift: 4 });
    large.write(write(100 * 8960));
    expect(jumbo.hearAll()).toHaveLength(2);
  });

  it("MUST-19 slow start: opens by what is acknowledged, at most two segments each time (RFC 3465)", () => {
    const talk = new Conversation({ sysctl: RENO });
    const connection = talk.accept({ mss: MSS, windowShift: 4 });
    connection.write(write(1000 * MSS));
    talk.hearAll();
    talk.say({ seq: 1, ack: at(1) });
    expect(connection.tcpInfo().cwnd).toBe(11 * MSS);
    talk.say({ seq: 1, ack: at(6) });
    expect(connection.tcpInfo().cwnd).toBe(13 * MSS);
  });

  it("MUST-19 congestion avoidance: one segment for a window's worth", () => {
    const talk = new Conversation({ sysctl: RENO });
    const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: true });
    connection.write(write(1000 * MSS));
    talk.hearAll();
    talk.say({ seq: 1, ack: 1, sack: [[at(1), at(10)]] });
    talk.say({ seq: 1, ack: at(10) });
    talk.hearAll();
    expect(connection.tcpInfo().cwnd).toBe(5 * MSS);
    let acknowledged = 10;
    for (let i = 0; i < 4; i++) talk.say({ seq: 1, ack: at(++acknowledged) });
    expect(connection.tcpInfo().cwnd).toBe(5 * MSS);
    talk.say({ seq: 1, ack: at(++acknowledged) });
    expect(connection.tcpInfo().cwnd).toBe(6 * MSS);
  });

  it("MUST-19 a timeout begins again with one segment, and half the flight as threshold", () => {
    const talk = new Conversation({ sysctl: { ...RENO, "net.inet.tcp.pmtud_blackhole_detection": 0 } });
    const connection = talk.accept({ mss: MSS, windowShift: 4 });
    connection.write(write(1000 * MSS));
    talk.hearAll();
    talk.pass(230_000);
    expect(connection.tcpInfo()).toMatchObject({ cwnd: MSS, ssthresh: 5 * MSS });
    talk.pass(460_000);
    expect(connection.tcpInfo()).toMatchObject({ cwnd: MSS, ssthresh: 5 * MSS });
  });

  it("does not grow while the application, not the window, is the limit", () => {
    const talk = new Conversation({ sysctl: RENO });
    const connection = talk.accept({ mss: MSS, windowShift: 4 });
    connection.setNoDelay(true);
    let acknowledged = 1;
    for (let i = 0; i < 50; i++) {
      connection.write(write(100));
      acknowledged += 100;
      talk.say({ seq: 1, ack: acknowledged });
    }
    expect(connection.tcpInfo().cwnd).toBe(10 * MSS);
  });

  it("restarts with the initial window after an idle RTO (RFC 5681 §4.1)", () => {
    const talk = new Conversation({ sysctl: { ...RENO, "net.inet.tcp.newcwv": false } });
    const connection = talk.accept({ mss: MSS, windowShift: 4 });
    connection.write(write(30 * MSS));
    for (let i = 1; i <= 30; i++) talk.say({ seq: 1, ack: at(i) });
    talk.hearAll();
    expect(connection.tcpInfo().cwnd).toBeGreaterThan(15 * MSS);
    talk.pass(10e6);
    connection.write(write(1000 * MSS));
    expect(talk.hearAll()).toHaveLength(10);
    talk.say({ seq: 1, ack: at(31) });
    talk.hear(ack(1));
  });
});
