import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, payload, sack, seq, window } from "./conversation.ts";
import { Collector } from "./pair.ts";

/** A connection past its first window update, so that only what a test does is acknowledged. */
function settled(options: ConstructorParameters<typeof Conversation>[0] = {}, peer = { mss: 1460 }) {
  const talk = new Conversation(options);
  const connection = talk.accept(peer);
  const collector = new Collector(connection);
  talk.pass(0);
  return { talk, connection, collector };
}

/** Acknowledgments that wait from the first segment on, and as long as they may at most. */
const PATIENT = { sysctl: { "net.inet.tcp.quickack": 0, "net.inet.tcp.delack_adaptive": false } };

describe("acknowledgments (RFC 9293 §3.8.6.3)", () => {
  it("SHLD-18, MUST-40 a single segment is acknowledged after 40 ms, well below half a second", () => {
    const { talk } = settled(PATIENT);
    talk.say({ seq: 1, ack: 1, payload: 100 });
    talk.pass(39_999);
    talk.hearNothing();
    talk.pass(1);
    talk.hear(flags("A"), ack(101));
    expect(talk.tcp.statistics.delAck).toBe(1);
    expect(talk.stack.sysctl.describe("net.inet.tcp.delacktime").maximum).toBeLessThan(500);
  });

  it("SHLD-19 every second segment is acknowledged at once", () => {
    const { talk } = settled(PATIENT);
    talk.say({ seq: 1, ack: 1, payload: 1460 });
    talk.hearNothing();
    talk.say({ seq: 1461, ack: 1, payload: 1460 });
    talk.hear(flags("A"), ack(2921));
    talk.pass(1e6);
    talk.hearNothing();
  });

  it("SHLD-19 and so is a super-segment", () => {
    const { talk } = settled();
    talk.driver.inject(talk.packet({ seq: 1, ack: 1, payload: 14_600 }), { segmentSize: 1460 });
    talk.hear(flags("A"), ack(14_601));
  });

  it("MUST-58, MUST-59 a batch of segments is processed as a whole before one acknowledgment goes out", () => {
    const { talk } = settled();
    talk.sayAll(Array.from({ length: 20 }, (_, i) => ({ seq: 1 + 1000 * i, ack: 1, payload: 1000 })));
    talk.hear(flags("A"), ack(20_001));
    talk.hearNothing();
  });

  it("rides on data when there is any", () => {
    const { talk, connection } = settled(PATIENT);
    talk.say({ seq: 1, ack: 1, payload: 100 });
    connection.write([{ bytes: new Uint8Array(10) }]);
    talk.hear(flags("PA"), seq(1), ack(101), payload(10));
    talk.pass(100_000);
    talk.hearNothing();
  });

  it("a reply that the sink writes carries it, in the same batch", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setSink({
      data: (_slab, _offset, length) => {
        connection.write([{ bytes: new Uint8Array(7) }]);
        return length;
      },
      end: () => {},
    });
    talk.pass(0);
    talk.say({ seq: 1, ack: 1, payload: 50 });
    talk.hear(flags("PA"), ack(51), payload(7));
    talk.hearNothing();
  });

  describe("how long they wait", () => {
    /** A connection over a way of `rtt` µs that `opening` segments of a byte have come over, each so many µs after the last. */
    async function after(opening: number, gap: number, rtt = 100_000) {
      const talk = new Conversation();
      const called = talk.callOut();
      talk.pass(rtt);
      talk.answer({ mss: 1460 });
      const connection = await called;
      new Collector(connection);
      talk.pass(0);
      let at = 1;
      const say = (): void => {
        talk.say({ seq: at++, ack: 1, payload: 1 });
      };
      for (let i = 0; i < opening; i++) {
        say();
        talk.pass(gap);
      }
      return { talk, connection, say };
    }

    it("the first sixteen do not", async () => {
      const { talk, say } = await after(0, 0);
      talk.hearAll();
      for (let i = 1; i <= 16; i++) {
        say();
        talk.hear(flags("A"), ack(1 + i));
      }
      say();
      talk.hearNothing();
    });

    it("nor the first sixteen after a pause longer than the retransmission timeout", async () => {
      const { talk, say } = await after(40, 1000);
      talk.pass(10e6);
      talk.hearAll();
      for (let i = 1; i <= 16; i++) {
        say();
        talk.hear(flags("A"));
      }
      say();
      talk.hearNothing();
    });

    it.each([
      ["three times the time between segments", 2_000, 100_000, 6_000],
      ["a quarter of the round trip", 8_000, 40_000, 10_000],
      ["40 ms", 30_000, 400_000, 40_000],
      ["at least 1 ms", 100, 100_000, 1000],
    ])("then %s", async (_what, gap, rtt, delay) => {
      const { talk, say } = await after(60, gap, rtt);
      talk.hearAll();
      say();
      // The average comes near from 40 ms.
      talk.pass(delay - 1);
      talk.hearNothing();
      talk.pass(100);
      talk.hear(flags("A"));
    });

    it("for a user who answers, its answer is waited for as long as may be, after a pause too", async () => {
      const { talk, connection, say } = await after(20, 1000, 2000);
      for (let i = 0; i < 3; i++) {
        talk.pass(5e6);
        talk.hearAll();
        say();
        // But for the first time.
        if (i === 0) talk.hear(flags("A"));
        talk.pass(30_000);
        talk.hearNothing();
        connection.write([{ bytes: new Uint8Array(1) }]);
        talk.hear(flags("PA"), payload(1));
        talk.say({ seq: 22 + i, ack: 2 + i });
      }
      talk.pass(5e6);
      say();
      talk.pass(39_999);
      talk.hearNothing();
      talk.pass(1);
      talk.hear(flags("A"));
    });
  });

  it("is not delayed with net.inet.tcp.delayed_ack off", () => {
    const { talk } = settled({ sysctl: { "net.inet.tcp.delayed_ack": false } });
    talk.say({ seq: 1, ack: 1, payload: 1 });
    talk.hear(flags("A"), ack(2));
  });

  it("an unacceptable segment is acknowledged and dropped; a pure one at most five times a second", () => {
    const { talk } = settled();
    talk.say({ seq: 200_000, ack: 1, payload: 5 });
    talk.hear(flags("A"), ack(1));
    talk.say({ seq: -10, ack: 1, payload: 5 });
    talk.hear(flags("A"), ack(1));
    for (let i = 0; i < 20; i++) talk.say({ seq: -10, ack: 1 });
    expect(talk.hearAll()).toHaveLength(5);
    talk.pass(1e6);
    talk.say({ seq: -10, ack: 1 });
    talk.hear(flags("A"));
  });

  it("an acknowledgment counts where the window ends, for a peer may have filled it and all of that may be lost", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.recvspace": 16_384 } });
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(1000) }]);
    talk.hearAll();
    talk.say({ seq: 1 + 16_384 + 1, ack: 1001 });
    expect(connection.tcpInfo().inFlight).toBe(1000);
    talk.say({ seq: 1 + 16_384, ack: 1001 });
    expect(connection.tcpInfo().inFlight).toBe(0);
    talk.hearAll();
    // Data and resets do not.
    talk.say({ seq: 1 + 16_384, ack: 1001, payload: Uint8Array.of(1) });
    talk.say({ seq: 1 + 16_384, ack: 1001, flags: "RA" });
    expect(connection.tcpInfo()).toMatchObject({ state: "ESTABLISHED", receiveQueue: 0, outOfOrder: 0 });
  });

  it("a segment partly old and partly beyond the window is trimmed to what is new and fits", () => {
    const { talk, connection, collector } = settled({ sysctl: { "net.inet.tcp.recvspace": 2048 } });
    talk.say({ seq: 1, ack: 1, payload: "abcdef" });
    talk.say({ seq: 4, ack: 1, payload: "defghi" });
    expect(new TextDecoder().decode(collector.bytes)).toBe("abcdefghi");
    expect(talk.tcp.statistics.rcvPartDupByte).toBe(3);
    connection.setSink({ data: () => 0, end: () => {} });
    talk.pass(0);
    talk.hearAll();
    talk.say({ seq: 10, ack: 1, payload: 5000, flags: "FA" });
    const last = talk.hearAll().at(-1)!;
    expect(last.window).toBe(0);
    expect(last.ack).toBeLessThanOrEqual(10 + 2048);
    expect(talk.tcp.statistics.rcvByteAfterWin).toBeGreaterThan(2900);
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
  });
});

describe("segments out of order", () => {
  it("SHLD-31, MAY-13 are kept and acknowledged at once; the gap filled, all is delivered and acknowledged", () => {
    const { talk, collector } = settled();
    talk.say({ seq: 11, ack: 1, payload: "second" });
    talk.hear(flags("A"), ack(1));
    talk.say({ seq: 17, ack: 1, payload: "third" });
    talk.hear(flags("A"), ack(1));
    talk.say({ seq: 1, ack: 1, payload: "the first " });
    talk.hear(flags("A"), ack(22));
    expect(new TextDecoder().decode(collector.bytes)).toBe("the first secondthird");
  });

  it("a peer without SACK gets one duplicate acknowledgment for each, also of one batch (RFC 5681 §4.2)", () => {
    const { talk } = settled();
    talk.sayAll([11, 21, 31].map((at) => ({ seq: at, ack: 1, payload: 10 })));
    for (let i = 0; i < 3; i++) talk.hear(flags("A"), ack(1));
    talk.hearNothing();
  });

  it("with SACK the latest block comes first (RFC 2018 §4)", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460, sackPermitted: true });
    new Collector(connection);
    talk.pass(0);
    talk.say({ seq: 11, ack: 1, payload: 10 });
    talk.hear(ack(1), sack([11, 21]));
    talk.say({ seq: 31, ack: 1, payload: 10 });
    talk.hear(ack(1), sack([31, 41], [11, 21]));
    talk.say({ seq: 51, ack: 1, payload: 10 });
    talk.hear(ack(1), sack([51, 61], [31, 41], [11, 21]));
    talk.say({ seq: 21, ack: 1, payload: 10 });
    talk.hear(ack(1), sack([11, 41], [51, 61]));
    talk.say({ seq: 1, ack: 1, payload: 10 });
    talk.hear(ack(41), sack([51, 61]));
    talk.say({ seq: 41, ack: 1, payload: 10 });
    talk.hear(ack(61), sack());
  });

  it("four blocks fit, three beside timestamps", () => {
    for (const [timestamps, most] of [
      [undefined, 4],
      [[5, 0] as const, 3],
    ] as const) {
      const talk = new Conversation();
      talk.accept({ mss: 1460, sackPermitted: true, ...(timestamps === undefined ? {} : { timestamps }) });
      for (let i = 1; i <= 6; i++) talk.say({ seq: 1 + 20 * i, ack: 1, payload: 10 });
      expect(talk.hearAll().at(-1)!.sack).toHaveLength(most);
    }
  });

  it("no more gaps are kept than net.inet.tcp.reass.maxqueuelen", () => {
    const { talk } = settled({ sysctl: { "net.inet.tcp.reass.maxqueuelen": 3 } });
    for (let i = 1; i <= 5; i++) talk.say({ seq: 1 + 20 * i, ack: 1, payload: 10 });
    expect(talk.tcp.statistics.rcvReassFull).toBe(2);
    talk.say({ seq: 31, ack: 1, payload: 10 });
    expect(talk.tcp.statistics.rcvReassFull).toBe(2);
  });
});

describe("the window that we offer", () => {
  it("SHLD-14 its right edge never moves back", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.recvspace": 20_000 } });
    const connection = talk.accept({ mss: 1460, windowShift: 0 });
    let edge = 0;
    const check = (): void => {
      for (const segment of talk.hearAll()) {
        const right = segment.ack + segment.window * 2 ** connection.tcpInfo().rcvWindowScale;
        expect(right).toBeGreaterThanOrEqual(edge);
        edge = right;
      }
    };
    let at = 1;
    for (const length of [1, 500, 1460, 1460, 3, 999, 1460, 1460, 1460, 1460]) {
      talk.say({ seq: at, ack: 1, payload: length });
      at += length;
      talk.pass(40_000);
      check();
    }
    connection.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    talk.pass(0);
    check();
    expect(edge - at).toBeGreaterThan(19_000);
  });

  it("MUST-39 does not open by less than a segment", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.recvspace": 8000, "net.inet.tcp.rfc1323": false } });
    const connection = talk.accept();
    let take = 0;
    connection.setSink({
      data: (_slab, _offset, length) => {
        const taken = Math.min(take, length);
        take -= taken;
        return taken;
      },
      end: () => {},
    });
    talk.pass(0);
    for (let i = 0; i < 8; i++) talk.say({ seq: 1 + 1000 * i, ack: 1, payload: 1000 });
    expect(talk.hearAll().at(-1)!.window).toBe(0);
    take = 1000;
    connection.resume();
    talk.pass(0);
    talk.hearNothing();
    talk.say({ seq: 8001, ack: 1, payload: 1 });
    talk.hear(window(0));
    take = 3000;
    connection.resume();
    talk.pass(0);
    talk.hear(flags("A"), ack(8001), window(4000));
  });

  it("MAY-8 may stay closed for as long as the application does not read", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.recvspace": 4096 } });
    const connection = talk.accept();
    talk.say({ seq: 1, ack: 1, payload: 4096 });
    talk.hear(window(0));
    for (let i = 0; i < 50; i++) {
      talk.pass(60e6);
      talk.say({ seq: 4097, ack: 1, payload: 1 });
      talk.hear(flags("A"), ack(4097), window(0));
    }
    const collector = new Collector(connection);
    talk.pass(0);
    talk.hear(flags("A"), ack(4097), window(4096));
    expect(collector.length).toBe(4096);
  });

  it("MUST-66 with a closed window acknowledgments, urgent pointers and resets are still processed", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.recvspace": 4096 } });
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(10) }]);
    talk.hear(payload(10));
    talk.say({ seq: 1, ack: 1, payload: 4096 });
    talk.hear(window(0));
    let urgent = 0;
    connection.onUrgent = (pending) => {
      urgent = pending;
    };
    talk.say({ flags: "AU", seq: 4097, ack: 11, urgent: 9, payload: 20 });
    expect(connection.queued).toBe(0);
    expect(urgent).toBe(4096 + 9);
    talk.say({ flags: "R", seq: 4097 });
    expect(talk.tcp.connectionCount).toBe(0);
  });
});
