import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, payload, seq } from "./conversation.ts";

const write = (length: number) => [{ bytes: new Uint8Array(length) }];
const lengths = (talk: Conversation): number[] => talk.hearAll().map((segment) => segment.payload.length);

describe("Nagle's algorithm (RFC 9293 §3.7.4)", () => {
  it("SHLD-7, MAY-16 gathers small writes while something is unacknowledged", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(10));
    connection.write(write(20));
    connection.write(write(30));
    expect(lengths(talk)).toEqual([10]);
    talk.say({ seq: 1, ack: 11 });
    expect(lengths(talk)).toEqual([50]);
  });

  it("MUST-17 the application can switch it off, also later", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(10));
    connection.write(write(20));
    connection.setNoDelay(true);
    connection.write(write(30));
    expect(lengths(talk)).toEqual([10, 20, 30]);
  });

  it("full segments do not wait, the rest behind them does", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(3000));
    expect(lengths(talk)).toEqual([1460, 1460]);
    talk.say({ seq: 1, ack: 2921 });
    expect(lengths(talk)).toEqual([80]);
  });

  it("what a FIN follows does not wait", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(10));
    connection.write(write(5));
    connection.shutdown();
    const sent = talk.hearAll();
    expect(sent.map((segment) => segment.payload.length)).toEqual([10, 5]);
    expect(sent[1]!.flags).toContain("F");
  });
});

describe("PSH", () => {
  it("MUST-60 what was written is sent at once, not kept for more", () => {
    const talk = new Conversation();
    talk.accept().write(write(1));
    talk.hear(flags("PA"), payload(1));
  });

  it("MUST-61 the last segment of what was written has PSH, those before have not", () => {
    const talk = new Conversation();
    talk.accept().write(write(2920));
    expect(talk.hearAll().map((segment) => segment.flags)).toEqual(["A", "PA"]);
  });

  it("SHLD-27 successive writes that go in one segment have one PSH", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.stack.enter();
    for (let i = 0; i < 5; i++) connection.write(write(100));
    talk.stack.leave();
    talk.hear(flags("PA"), payload(500));
    talk.hearNothing();
  });

  it("SHLD-28 sends segments of the largest size", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const slices = Array.from({ length: 146 }, () => ({ bytes: new Uint8Array(100) }));
    connection.write(slices);
    expect(lengths(talk)).toEqual(new Array(10).fill(1460));
  });
});

describe("silly window avoidance (RFC 9293 §3.8.6.2.1)", () => {
  it("MUST-38 a window smaller than a segment is not used up bit by bit", () => {
    const talk = new Conversation();
    talk.peerWindow = 4000;
    const connection = talk.accept();
    connection.setNoDelay(true);
    connection.write(write(20_000));
    // 1080 bytes of window are left: less than a segment, but more than half of nothing the peer ever offered.
    expect(lengths(talk)).toEqual([1460, 1460]);
    talk.peerWindow = 1580;
    talk.say({ seq: 1, ack: 1461 });
    expect(lengths(talk)).toEqual([]);
    talk.peerWindow = 4000;
    talk.say({ seq: 1, ack: 2921 });
    expect(lengths(talk)).toEqual([1460, 1460]);
  });

  it("MUST-38 half of the largest window ever offered is enough, when a peer has small buffers", () => {
    const talk = new Conversation();
    talk.peerWindow = 1000;
    const connection = talk.accept();
    connection.write(write(5000));
    expect(lengths(talk)).toEqual([1000]);
    talk.peerWindow = 400;
    talk.say({ seq: 1, ack: 1001 });
    expect(lengths(talk)).toEqual([]);
    talk.peerWindow = 500;
    talk.say({ seq: 1, ack: 1001 });
    expect(lengths(talk)).toEqual([500]);
  });

  it("MUST-38 and after a while what the window allows goes all the same", () => {
    const talk = new Conversation();
    talk.peerWindow = 1000;
    const connection = talk.accept();
    connection.write(write(5000));
    talk.hear(payload(1000));
    talk.peerWindow = 300;
    talk.say({ seq: 1, ack: 1001 });
    talk.hearNothing();
    talk.pass(1e6);
    talk.hear(payload(300), seq(1001));
  });
});

describe("what goes to IP with a segment", () => {
  it("MUST-49 the time to live can be set", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setHopLimit(3);
    connection.write(write(1));
    expect(talk.hear(payload(1)).hopLimit).toBe(3);
    talk.stack.sysctl.set("net.inet.ip.ttl", 99);
    connection.setHopLimit(0);
    connection.shutdown();
    expect(talk.hear(flags("FA")).hopLimit).toBe(99);
  });

  it("MUST-48, SHLD-21, SHLD-22 the Differentiated Services field can be set and changed, and goes to IP unchanged", () => {
    for (const family of [4, 6] as const) {
      const talk = new Conversation({ family });
      const connection = talk.accept();
      connection.setNoDelay(true);
      for (const trafficClass of [0xb8, 0x28]) {
        connection.setTrafficClass(trafficClass);
        connection.write(write(1));
        expect(talk.hear(payload(1)).trafficClass).toBe(trafficClass);
      }
    }
  });

  it("SHLD-23 it stays as it is unless the application changes it", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setTrafficClass(0xb8);
    connection.setNoDelay(true);
    for (let i = 0; i < 5; i++) connection.write(write(1));
    expect(new Set(talk.hearAll().map((segment) => segment.trafficClass))).toEqual(new Set([0xb8]));
  });

  it("MAY-9 what the peer sends can be seen", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.say({ seq: 1, ack: 1, payload: "x", trafficClass: 0x48 });
    expect(connection.tcpInfo().trafficClass).toBe(0x48);
  });

  it("MUST-50 IP options that TCP does not understand are ignored", () => {
    const talk = new Conversation();
    talk.listen();
    // Router alert.
    talk.say({ flags: "S", ipOptions: [0x94, 4, 0, 0] });
    talk.hear(flags("SA"), ack(1));
  });

  it("MUST-51, MUST-52, MUST-53, SHLD-24 source-routed segments are refused by IP (deviation: RFC 7126 §4.3, §4.4)", () => {
    const talk = new Conversation();
    talk.listen();
    for (const kind of [0x83, 0x89]) {
      talk.say({ flags: "S", ipOptions: [kind, 7, 4, 10, 0, 0, 7, 0] });
    }
    talk.hearNothing();
    expect(talk.stack.statistics.ip.sourceRouted).toBe(2);
    expect(talk.tcp.halfOpenCount).toBe(0);
  });
});

describe("super-segments", () => {
  const capabilities = { segmentation4: 65_535, segmentation6: 65_535, transmitChecksum: true };

  it("go to an interface that cuts them, as multiples of the segment size but for the last", () => {
    const talk = new Conversation({ capabilities, sysctl: { "net.inet.tcp.initcwnd_segments": 100 } });
    talk.peerWindow = 65_535;
    const connection = talk.accept({ mss: 1460, windowShift: 4, timestamps: [1, 0] });
    connection.setNoDelay(true);
    connection.write(write(100_000));
    const sent = talk.hearAll();
    expect(sent.map((segment) => [segment.payload.length, segment.segmentSize])).toEqual([
      [45 * 1448, 1448],
      [100_000 - 45 * 1448, 1448],
    ]);
    expect(45 * 1448 + 52).toBeLessThanOrEqual(65_535);
    expect(sent[1]!.flags).toBe("PA");
  });

  it("with Nagle's algorithm the short end waits", () => {
    const talk = new Conversation({ capabilities });
    const connection = talk.accept({ mss: 1460, windowShift: 4 });
    connection.write(write(10_000));
    expect(talk.hearAll().map((segment) => segment.payload.length)).toEqual([6 * 1460]);
    talk.say({ seq: 1, ack: 1 + 6 * 1460 });
    expect(lengths(talk)).toEqual([10_000 - 6 * 1460]);
  });

  it("end at a segment's end when a packet cannot hold all the slices", () => {
    const talk = new Conversation({ capabilities, sysctl: { "net.inet.tcp.initcwnd_segments": 100 } });
    const connection = talk.accept({ mss: 1460, windowShift: 4 });
    connection.setNoDelay(true);
    const slices = Array.from({ length: 1000 }, (_, i) => ({ bytes: new Uint8Array(37).fill(i) }));
    connection.write(slices);
    const sent = talk.hearAll();
    for (const segment of sent.slice(0, -1)) expect(segment.payload.length % 1460).toBe(0);
    const all = Buffer.concat(sent.map((segment) => segment.payload));
    expect(Buffer.compare(all, Buffer.concat(slices.map((slice) => slice.bytes)))).toBe(0);
  });

  it("are not made when net.inet.tcp.tso is off", () => {
    const talk = new Conversation({ capabilities, sysctl: { "net.inet.tcp.tso": false } });
    const connection = talk.accept();
    connection.write(write(2920));
    expect(lengths(talk)).toEqual([1460, 1460]);
  });
});

describe("slices", () => {
  it("are released once, each when its last byte is acknowledged", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const released: number[] = [];
    const slice = (index: number, length: number) => ({
      bytes: new Uint8Array(length),
      release: () => released.push(index),
    });
    connection.write([slice(0, 10), slice(1, 0), slice(2, 10), slice(3, 10)]);
    expect(released).toEqual([1]);
    expect(connection.queued).toBe(30);
    talk.say({ seq: 1, ack: 15 });
    expect(released).toEqual([1, 0]);
    expect(connection.queued).toBe(16);
    talk.say({ seq: 1, ack: 21 });
    talk.say({ seq: 1, ack: 21 });
    expect(released).toEqual([1, 0, 2]);
    connection.abort();
    expect(released).toEqual([1, 0, 2, 3]);
    connection.write([slice(4, 5)]);
    expect(released).toEqual([1, 0, 2, 3, 4]);
    expect(connection.queued).toBe(0);
  });

  it("a release may write again", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setNoDelay(true);
    connection.write([{ bytes: new Uint8Array(5), release: () => connection.write(write(7)) }]);
    talk.hear(payload(5));
    talk.say({ seq: 1, ack: 6 });
    talk.hear(payload(7), seq(6));
  });
});

describe("urgent data (RFC 9293 §3.8.5, RFC 6093)", () => {
  it("MUST-30, MUST-62 the pointer names the first byte that is not urgent, both ways", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setNoDelay(true);
    connection.writeUrgent(write(10));
    expect(talk.hear(flags("PAU"), seq(1), payload(10)).urgent).toBe(10);
    connection.write(write(4));
    talk.hear(flags("PA"), payload(4));
    let told = -1;
    connection.onUrgent = (pending) => {
      told = pending;
    };
    talk.say({ flags: "AU", seq: 1, ack: 1, urgent: 6, payload: "urgent now" });
    expect(told).toBe(6);
  });

  it("MUST-31 urgent data may be of any length", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.initcwnd_segments": 100 } });
    const connection = talk.accept({ mss: 1460, windowShift: 2 });
    connection.setNoDelay(true);
    connection.writeUrgent(write(100_000));
    const sent = talk.hearAll();
    expect(sent.every((segment) => segment.flags.includes("U"))).toBe(true);
    expect(sent[0]!.urgent).toBe(65_535);
    expect(sent.at(-1)!.urgent).toBe(sent.at(-1)!.payload.length);
    expect(sent.reduce((sum, segment) => sum + segment.payload.length, 0)).toBe(100_000);
  });

  it("MUST-32, MUST-33 the application is told when urgent mode begins, and can ask how much of it is to come", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const told: number[] = [];
    connection.onUrgent = (pending) => told.push(pending);
    talk.say({ flags: "AU", seq: 1, ack: 1, urgent: 100 });
    talk.say({ flags: "AU", seq: 1, ack: 1, urgent: 120, payload: 20 });
    expect(told).toEqual([100]);
    expect(connection.urgentPending).toBe(120);
    connection.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    talk.pass(0);
    expect(connection.urgentPending).toBe(100);
    talk.say({ seq: 21, ack: 1, payload: 150 });
    expect(connection.urgentPending).toBe(0);
    talk.say({ flags: "AU", seq: 171, ack: 1, urgent: 3, payload: 3 });
    expect(told).toEqual([100, 3]);
    expect(connection.tcpInfo().urgentSegments).toBe(3);
  });

  it("the pointer counts from the segment's own sequence number, though its beginning came before", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const told: number[] = [];
    connection.onUrgent = (pending) => told.push(pending);
    connection.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    talk.pass(0);
    talk.say({ seq: 1, ack: 1, payload: 5 });
    talk.say({ flags: "AU", seq: 1, ack: 1, urgent: 4, payload: 10 });
    expect(told).toEqual([]);
    talk.say({ flags: "AU", seq: 1, ack: 1, urgent: 15, payload: 12 });
    expect(told).toEqual([5]);
  });

  it("SHLD-13 nothing is urgent that was not written so, and what is comes in line", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    let received = 0;
    connection.setSink({
      data: (_slab, _offset, length) => {
        received += length;
        return length;
      },
      end: () => {},
    });
    talk.pass(0);
    talk.say({ flags: "AU", seq: 1, ack: 1, urgent: 1, payload: 10 });
    expect(received).toBe(10);
    connection.write(write(10));
    expect(talk.hearAll().every((segment) => !segment.flags.includes("U"))).toBe(true);
  });
});
