import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, flags, type Options, seq } from "./conversation.ts";
import { Collector } from "./pair.ts";
import type { Segment } from "./segment-codec.ts";

const ONLY = { "net.inet.tcp.syncookies_only": true } as const;

/** A stack that answers with cookies alone, its listener ready. */
function cookieTalk(sysctl: Record<string, number | boolean> = {}): Conversation {
  const talk = new Conversation({ sysctl: { ...ONLY, ...sysctl } });
  talk.listen().accept(() => {});
  return talk;
}

/** Asks for a cookie, and gives the SYN,ACK that brings it. */
function ask(talk: Conversation, peer: Options = { mss: 1460 }): Segment {
  talk.say({ flags: "S", ...peer });
  return talk.hearSyn(flags("SA"));
}

describe("SYN cookies (RFC 4987 §3.6)", () => {
  it("keep nothing until the handshake is complete", () => {
    const talk = cookieTalk();
    ask(talk);
    expect([...talk.tcp.flows()]).toHaveLength(0);
    expect(talk.tcp.halfOpenCount).toBe(0);
    talk.say({ seq: 1, ack: 1 });
    talk.hearNothing();
    expect([...talk.tcp.connections()].map(({ state }) => state)).toEqual(["ESTABLISHED"]);
    expect(talk.tcp.statistics).toMatchObject({ scSendCookie: 1, scRecvCookie: 1, scAdded: 0, accepts: 1 });
  });

  it("are taken with data, and with a FIN behind it", () => {
    const talk = new Conversation({ sysctl: ONLY });
    let collector: Collector | null = null;
    talk.listen().accept((stream) => {
      collector = new Collector(stream);
    });
    ask(talk);
    talk.say({ flags: "PFA", seq: 1, ack: 1, payload: "all at once" });
    talk.pass(0);
    expect(new TextDecoder().decode(collector!.bytes)).toBe("all at once");
    expect(collector!.ended).toBe(true);
  });

  it("make a connection that is as good as another, whatever the peer's SYN offered", () => {
    const shifts = [undefined, 0, 1, 7, 8, 14];
    for (const mss of [216, 536, 1460, 8960]) {
      for (const windowShift of shifts) {
        for (const sackPermitted of [false, true]) {
          for (const timestamps of [undefined, [9_000_000, 0] as const]) {
            const peer = {
              mss,
              sackPermitted,
              ...(windowShift === undefined ? {} : { windowShift }),
              ...(timestamps === undefined ? {} : { timestamps }),
            };
            const [plain, cookie] = [false, true].map((only) => {
              const talk = new Conversation({ sysctl: { "net.inet.tcp.syncookies_only": only } });
              const info = talk.accept(peer).tcpInfo();
              expect(talk.tcp.statistics.scRecvCookie).toBe(only ? 1 : 0);
              // It has measured no round trip: nobody remembers when the SYN,ACK went out.
              return { ...info, srtt: 0, rttVar: 0, minRtt: 0, rto: 0 };
            });
            if (timestamps !== undefined) expect(cookie).toEqual(plain);
            else expect({ ...cookie, sndWnd: 0 }).toEqual({ ...plain, ...roundedScale(cookie!, plain!), sndWnd: 0 });
          }
        }
      }
    }
  });

  /** Only timestamps have room for every scale. One below the peer's makes its window look smaller, never larger. */
  function roundedScale(cookie: { sndWindowScale: number }, plain: { sndWindowScale: number }): object {
    expect(cookie.sndWindowScale).toBeLessThanOrEqual(plain.sndWindowScale);
    expect(plain.sndWindowScale - cookie.sndWindowScale).toBeLessThanOrEqual(4);
    return { sndWindowScale: cookie.sndWindowScale };
  }

  it("round the MSS down to one of eight", () => {
    for (const [mss, taken] of [
      [100, 216],
      [600, 536],
      [1459, 1440],
      [1460, 1460],
      [9000, 8960],
    ] as const) {
      const sysctl = { ...ONLY, "net.inet.tcp.minmss": 88 };
      const talk = new Conversation({ sysctl, capabilities: { mtu: 9200 } });
      expect(talk.accept({ mss }).tcpInfo().sndMss).toBe(taken);
    }
  });

  it("carry the scale in our timestamp, which is never ahead of the clock and times no round trip", () => {
    const talk = cookieTalk();
    const answers = Array.from({ length: 50 }, () => {
      talk.pass(1000);
      return ask(talk, { mss: 1460, windowShift: 9, timestamps: [5, 0] }).timestamps![0];
    });
    const last = answers.at(-1)!;
    expect(answers.every((value) => (value & 15) === 9)).toBe(true);
    expect((last - answers[0]!) >>> 0).toBeLessThanOrEqual(49 + 15);
    talk.say({ seq: 1, ack: 1, timestamps: [6, last] });
    const [connection] = [...talk.tcp.connections()];
    expect(connection).toMatchObject({ sndWindowScale: 9, srtt: 0 });
  });

  it("hold for a peer, its port, its sequence number and each of their bits, and for nothing else", () => {
    const talk = cookieTalk();
    ask(talk);
    for (let bit = 0; bit < 32; bit++) {
      const wrong = (((talk.iss + 1) ^ (1 << bit)) - talk.iss) | 0;
      talk.say({ seq: 1, ack: wrong });
      talk.hear(flags("R"), seq(wrong >>> 0));
      const seqWrong = (((talk.peerIss + 1) ^ (1 << bit)) - talk.peerIss) | 0;
      talk.say({ seq: seqWrong, ack: 1 });
      talk.hear(flags("R"), seq(1));
    }
    talk.say({ seq: 1, ack: 1, sourcePort: 40_001 });
    talk.hear(flags("R"));
    talk.say({ seq: 1, ack: 1, source: "10.0.0.3" });
    talk.hear(flags("R"));
    expect([talk.tcp.connectionCount, talk.tcp.statistics.scFailCookie]).toEqual([0, 66]);
    talk.say({ seq: 1, ack: 1 });
    expect(talk.tcp.connectionCount).toBe(1);
  });

  it("hold while their secret is the current one or the one before", () => {
    const answered = (seconds: number): number => {
      const talk = cookieTalk();
      talk.pass(13e6); // the clock began at 1: an epoch ends in one second
      ask(talk);
      talk.pass(seconds * 1e6);
      // Somebody else's keeps the listener open for them.
      talk.say({ flags: "S", sourcePort: 5 });
      talk.hearAll();
      talk.say({ seq: 1, ack: 1 });
      return talk.tcp.connectionCount;
    };
    expect([0, 2, 15, 17, 31, 45, 62].map(answered)).toEqual([1, 1, 1, 0, 0, 0, 0]);
  });

  it("are not looked for where none were sent of late", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ seq: 1, ack: 1 });
    talk.hear(flags("R"));
    expect(talk.tcp.statistics).toMatchObject({ scFailCookie: 0, badSyn: 1 });
  });

  it("are no way into a listener that is full: the peer is left to try again", () => {
    const talk = new Conversation({ sysctl: ONLY });
    const listener = talk.listen({ backlog: 1 });
    talk.say({ flags: "S", sourcePort: 7 });
    const { seq: iss } = talk.hearSyn(flags("SA"));
    ask(talk);
    talk.say({ seq: 1, ack: 1 });
    expect(listener.waiting).toBe(1);
    talk.iss = iss;
    talk.say({ seq: 1, ack: 1, sourcePort: 7, payload: "hello" });
    talk.hearNothing();
    listener.accept(() => {});
    talk.say({ seq: 1, ack: 1, sourcePort: 7, payload: "hello" });
    expect(talk.tcp.connectionCount).toBe(2);
  });

  it("after TIME-WAIT only with timestamps, for their numbers do not stay beyond the old ones (RFC 9293 §3.6.1)", () => {
    for (const timestamps of [undefined, [10, 0] as [number, number]]) {
      const talk = new Conversation({ sysctl: ONLY });
      const connection = talk.accept({ mss: 1460, ...(timestamps === undefined ? {} : { timestamps }) });
      new Collector(connection);
      connection.shutdown();
      const { seq: fin } = talk.hear(flags("FA"));
      talk.say({ flags: "FA", seq: 1, ack: fin + 1 });
      expect(talk.tcp.timeWaitCount).toBe(1);
      talk.hearAll();
      talk.say({ flags: "S", seq: 100_000, ...(timestamps === undefined ? {} : { timestamps: [20, 0] }) });
      talk.hear(flags("SA"));
      expect(talk.tcp.halfOpenCount).toBe(timestamps === undefined ? 1 : 0);
    }
  });
});

describe("a flood of SYNs", () => {
  it("100,000 forged ones fill no more than the table, and honest clients get in all the while; guesses do not", () => {
    const talk = new Conversation();
    const listener = talk.listen();
    const random = new SeededRandom(7);
    const honest: TcpConnection[] = [];
    const peer = { mss: 1460, windowShift: 7, sackPermitted: true, timestamps: [77, 0] } as const;
    for (let i = 1; i <= 100_000; i++) {
      const r = random.uint32();
      talk.say({ flags: "S", seq: r, sourcePort: 1 + (r % 65_535), source: `10.0.0.${3 + ((r >>> 16) % 250)}` });
      if (i % 200 === 0) talk.hearAll();
      if (i % 5000 !== 0) continue;
      talk.pass(1000);
      talk.hearAll();
      talk.peerPort = i / 5000;
      talk.timestamps = null;
      honest.push(talk.accept(peer));
    }
    expect(talk.tcp.halfOpenCount).toBeLessThanOrEqual(listener.halfOpenLimit);
    expect([...talk.tcp.flows()].length).toBeLessThanOrEqual(listener.halfOpenLimit + honest.length);
    expect(talk.stack.outstandingPackets).toBe(0);
    const { statistics } = talk.tcp;
    expect(statistics.scSendCookie).toBeGreaterThan(99_000);
    expect(statistics.scRecvCookie).toBe(20);
    for (const connection of honest) {
      expect(connection.tcpInfo()).toMatchObject({
        state: "ESTABLISHED",
        sndWindowScale: 7,
        sack: true,
        timestamps: true,
      });
    }
    // Those who saw no SYN,ACK must guess.
    talk.timestamps = null;
    for (let i = 0; i < 20_000; i++) {
      talk.say({ seq: random.uint32(), ack: random.uint32(), sourcePort: 50_000, source: `10.0.0.${3 + (i % 250)}` });
      if (i % 200 === 0) talk.hearAll();
    }
    expect(statistics.scFailCookie).toBe(20_000);
    expect(talk.tcp.connectionCount).toBe(20);
  });

  it("one peer that opens without end takes its share of the table; its further SYNs get cookies", () => {
    for (const family of [4, 6] as const) {
      const talk = new Conversation({ family, sysctl: { "net.inet.tcp.syncache.peerlimit": 10 } });
      const listener = talk.listen();
      listener.accept(() => {});
      // An IPv6 host has a /64 to itself.
      const source = (i: number): string => (family === 4 ? "10.0.0.77" : `fd00::${(i + 16).toString(16)}`);
      for (let i = 0; i < 50; i++) talk.say({ flags: "S", sourcePort: 1 + i, source: source(i) });
      expect(talk.tcp.halfOpenCount).toBe(10);
      expect(talk.tcp.statistics.scSendCookie).toBe(40);
      if (family === 4) {
        talk.say({ flags: "S" });
        expect(talk.tcp.halfOpenCount).toBe(11);
      }
      talk.pass(60e6);
      talk.hearAll();
      talk.say({ flags: "S", sourcePort: 1000, source: source(0) });
      expect(talk.tcp.halfOpenCount).toBe(1);
    }
  });

  it("without cookies a peer's surplus is not answered", () => {
    const sysctl = { "net.inet.tcp.syncookies": false, "net.inet.tcp.syncache.peerlimit": 10 };
    const talk = new Conversation({ sysctl });
    talk.listen();
    for (let i = 0; i < 50; i++) talk.say({ flags: "S", sourcePort: 1 + i });
    expect(talk.hearAll()).toHaveLength(10);
    expect(talk.tcp.statistics.scPeerLimit).toBe(40);
  });
});
