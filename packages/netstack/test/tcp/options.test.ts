import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, mss, payload, seq, window } from "./conversation.ts";
import { Collector } from "./pair.ts";

const write = (length: number) => [{ bytes: new Uint8Array(length) }];

describe("maximum segment size (RFC 9293 §3.7.1)", () => {
  it("MUST-14, MAY-3, SHLD-5 (IPv4) every SYN says our MSS", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    talk.hear(flags("SA"), mss(1460));
    const small = new Conversation({ capabilities: { mtu: 576 } });
    small.tcp.connect({ address: "10.0.0.2", port: 9 }).catch(() => {});
    small.hear(flags("S"), mss(536));
  });

  it("MUST-14, SHLD-5 (IPv6) over IPv6 too", () => {
    const talk = new Conversation({ family: 6 });
    talk.listen();
    talk.say({ flags: "S" });
    talk.hear(flags("SA"), mss(1440));
  });

  it("MUST-15 (IPv4) a peer that says none gets segments of 536 bytes", () => {
    const talk = new Conversation();
    const connection = talk.accept({});
    connection.write(write(2000));
    talk.hear(payload(536));
  });

  it("MUST-15 (IPv6) and 1220 over IPv6", () => {
    const talk = new Conversation({ family: 6 });
    const connection = talk.accept({});
    connection.write(write(2000));
    talk.hear(payload(1220));
  });

  it("MUST-16 the segment is the smaller of what the peer takes and the path carries, less the options in it", () => {
    for (const [peer, expected] of [
      [{ mss: 1000 }, 1000],
      [{ mss: 9000 }, 1460],
      [{ mss: 9000, timestamps: [1, 0] as const }, 1448],
      [{ mss: 1, sackPermitted: true }, 216],
    ] as const) {
      const talk = new Conversation();
      const connection = talk.accept(peer);
      connection.write(write(4000));
      talk.hear(payload(expected));
      expect(connection.tcpInfo().sndMss).toBe(expected);
    }
  });

  it("MUST-16 SACK blocks in a data segment make its payload smaller, not the segment larger", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460, sackPermitted: true, timestamps: [1, 0] });
    talk.say({ seq: 100, ack: 1, payload: 10 });
    talk.hear(flags("A"));
    connection.write(write(4000));
    talk.hear(payload(1460 - 12 - 12));
  });

  it("MUST-16 the smallest MTU of IPv4 leaves room for data, and none for SACK blocks", () => {
    const talk = new Conversation({ capabilities: { mtu: 68 } });
    const connection = talk.accept({ mss: 1460, sackPermitted: true, timestamps: [1, 0] });
    connection.setNoDelay(true);
    for (let i = 1; i <= 4; i++) talk.say({ seq: 100 * i, ack: 1, payload: 10 });
    talk.hearAll();
    connection.write(write(40));
    for (const length of [16, 16, 8]) expect(talk.hear(payload(length)).sack).toEqual([]);
  });

  it("SHLD-6 follows the path's MTU", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.stack.ip.updatePathMtu(talk.peers.w0, talk.peers.w1, talk.peers.w2, talk.peers.w3, 1400);
    connection.setNoDelay(true);
    connection.write(write(4000));
    const lengths = talk.hearAll().map((segment) => segment.payload.length);
    expect(Math.max(...lengths)).toBe(1360);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(4000);
  });

  it("MUST-65 no segment without SYN carries an MSS", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(10));
    talk.hear(mss(null));
    connection.shutdown();
    talk.hear(mss(null), flags("FA"));
  });

  it("an MSS in a segment without SYN is not believed", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.say({ seq: 1, ack: 1, mss: 300, payload: "x" });
    expect(connection.tcpInfo().sndMss).toBe(1460);
  });

  it("MUST-67 the MSS we say is what the interface can receive, whatever the path can carry", () => {
    const talk = new Conversation({ capabilities: { mtu: 9000 } });
    talk.stack.ip.updatePathMtu(talk.peers.w0, talk.peers.w1, talk.peers.w2, talk.peers.w3, 1280);
    talk.tcp.connect({ address: "10.0.0.2", port: 9 }).catch(() => {});
    talk.hear(flags("S"), mss(8960));
  });
});

describe("options", () => {
  it("MUST-4 understands End of List, No-Operation and MSS", () => {
    const talk = new Conversation();
    talk.listen().accept((stream) => stream.write(write(3000)));
    talk.say({ flags: "S", rawOptions: [1, 1, 2, 4, 3, 232, 0, 2, 4, 0, 1] });
    talk.hearSyn(flags("SA"));
    talk.say({ seq: 1, ack: 1 });
    talk.hear(payload(1000));
  });

  it("MUST-5 takes options in any segment", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    talk.say({ seq: 1, ack: 1, payload: "a", rawOptions: [1, 1, 1, 1] });
    talk.say({ seq: 2, ack: 1, payload: "b", rawOptions: [0, 0, 0, 0] });
    talk.say({ flags: "FA", seq: 3, ack: 1, rawOptions: [1, 0, 0, 0] });
    talk.pass(0);
    expect(collector.length).toBe(2);
    expect(collector.ended).toBe(true);
  });

  it("MUST-6, MUST-68 skips options that it does not know by their length", () => {
    const talk = new Conversation();
    talk.listen().accept((stream) => stream.write(write(3000)));
    talk.say({ flags: "S", rawOptions: [253, 6, 1, 2, 3, 4, 77, 2, 2, 4, 3, 232] });
    talk.hearSyn(flags("SA"));
    talk.say({ seq: 1, ack: 1 });
    talk.hear(payload(1000));
    expect(talk.tcp.statistics.rcvBadOpt).toBe(0);
  });

  it("MUST-7 survives impossible lengths, and counts them", () => {
    const bad = [
      [2, 0, 5, 5],
      [2, 1, 5, 5],
      [2, 40, 5, 5],
      [253, 0, 0, 0],
      [2],
      [1, 1, 1, 2],
      [8, 10, 0, 0],
      [3, 4, 7, 7],
      [5, 7, 1, 2, 3, 4, 5, 0],
      [4, 3, 0, 0],
      [8, 4, 0, 0],
    ];
    const talk = new Conversation();
    talk.listen();
    for (const [i, rawOptions] of bad.entries()) {
      talk.say({ flags: "S", sourcePort: 100 + i, rawOptions });
      talk.hear(flags("SA"));
    }
    const connection = talk.accept();
    const collector = new Collector(connection);
    for (const [i, rawOptions] of bad.entries()) talk.say({ seq: 1 + i, ack: 1, payload: "x", rawOptions });
    talk.pass(0);
    expect(collector.length).toBe(bad.length);
    expect(talk.tcp.statistics.rcvBadOpt).toBeGreaterThanOrEqual(2 * (bad.length - 2));
  });

  it("MUST-64 reads options at any alignment", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", rawOptions: [1, 2, 4, 5, 180, 3, 3, 7, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 4, 2] });
    const answer = talk.hear(flags("SA"));
    expect(answer.timestamps?.[1]).toBe(9);
    expect(answer.windowShift).not.toBeNull();
    expect(answer.sackPermitted).toBe(true);
  });

  it("MUST-69 pads the options with zeros", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.rfc1323": false } });
    talk.listen();
    talk.say({ flags: "S", sackPermitted: true });
    const answer = talk.hear(flags("SA"));
    expect([...answer.optionBytes]).toEqual([2, 4, 5, 180, 4, 2, 0, 0]);
  });

  it("offers in its SYN,ACK only what the SYN offered, and honours the sysctls", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", mss: 1460 });
    expect(talk.hear(flags("SA"))).toMatchObject({ windowShift: null, sackPermitted: false, timestamps: null });
    const off = new Conversation({ sysctl: { "net.inet.tcp.rfc1323": false, "net.inet.tcp.sack.enable": false } });
    off.listen();
    off.say({ flags: "S", mss: 1460, windowShift: 3, sackPermitted: true, timestamps: [1, 0] });
    expect(off.hear(flags("SA"))).toMatchObject({ windowShift: null, sackPermitted: false, timestamps: null });
  });
});

describe("window scale (RFC 7323 §2)", () => {
  it("REC-1 keeps windows as 32-bit numbers: a peer may offer a gigabyte", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460, windowShift: 14 });
    expect(connection.tcpInfo().sndWnd).toBe(65_535 * 2 ** 14);
    expect(connection.tcpInfo().sndWindowScale).toBe(14);
  });

  it("takes a scale above 14 for 14", () => {
    const talk = new Conversation();
    expect(talk.accept({ windowShift: 99 }).tcpInfo().sndWindowScale).toBe(14);
  });

  it("the window in a SYN is never scaled", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", windowShift: 14, window: 100 });
    talk.hearSyn(flags("SA"), window(65_535));
    let connection: unknown;
    talk.listener!.accept((stream) => {
      connection = stream;
    });
    talk.peerWindow = 50;
    talk.say({ seq: 1, ack: 1 });
    expect((connection as { tcpInfo(): { sndWnd: number } }).tcpInfo().sndWnd).toBe(50 << 14);
  });

  it("without scaling never offers more than 65,535 bytes", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    expect(connection.tcpInfo().windowScaling).toBe(false);
    new Collector(connection);
    talk.pass(0);
    for (let i = 0; i < 100; i++) talk.say({ seq: 1 + 1000 * i, ack: 1, payload: 1000 });
    talk.pass(40_000);
    const sent = talk.hearAll();
    expect(Math.max(...sent.map((segment) => segment.window))).toBe(65_535);
    expect(connection.tcpInfo().bytesReceived).toBe(100_000);
  });

  it("offers as much as fits the receive buffer", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460, windowShift: 0 });
    new Collector(connection);
    talk.pass(0);
    talk.say({ seq: 1, ack: 1, payload: 1000 });
    const { window: field } = talk.hear(flags("A"), ack(1001));
    expect(field << connection.tcpInfo().rcvWindowScale).toBe(128 << 10);
  });
});

describe("timestamps and PAWS (RFC 7323)", () => {
  it("stand in every segment once both have offered them, and echo what was last in order", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.quickack": 0 } });
    const connection = talk.accept({ timestamps: [500, 0] });
    new Collector(connection);
    connection.write(write(5));
    expect(talk.hear(payload(5)).timestamps?.[1]).toBe(500);
    talk.timestamps = [600, 0];
    talk.say({ seq: 1, ack: 6, payload: "one" });
    talk.timestamps = [700, 0];
    talk.say({ seq: 4, ack: 6, payload: "two" });
    // RFC 7323 §4.3: of two segments that one acknowledgment covers, the earlier is echoed.
    expect(talk.hear(flags("A"), ack(7)).timestamps?.[1]).toBe(600);
  });

  it("a segment with an older timestamp is dropped and acknowledged", () => {
    const talk = new Conversation();
    const connection = talk.accept({ timestamps: [500, 0] });
    const collector = new Collector(connection);
    talk.timestamps = [400, 0];
    talk.say({ seq: 1, ack: 1, payload: "old" });
    talk.hear(flags("A"), ack(1));
    talk.pass(0);
    expect(collector.length).toBe(0);
    expect(talk.tcp.statistics.pawsDrop).toBe(1);
  });

  it("but not after 24 days of silence", () => {
    const talk = new Conversation();
    const connection = talk.accept({ timestamps: [500, 0] });
    const collector = new Collector(connection);
    talk.pass(25 * 86_400e6);
    talk.timestamps = [400, 0];
    talk.say({ seq: 1, ack: 1, payload: "hello" });
    talk.pass(0);
    expect(collector.length).toBe(5);
  });

  it("a segment without the timestamps agreed on is dropped (§3.2), unless tolerate_missing_ts is set; resets are taken", () => {
    const talk = new Conversation();
    const connection = talk.accept({ timestamps: [500, 0] });
    const collector = new Collector(connection);
    talk.pass(0);
    talk.timestamps = null;
    talk.say({ seq: 1, ack: 1, payload: "x" });
    expect(collector.length).toBe(0);
    expect(talk.tcp.statistics.tsMissing).toBe(1);
    talk.stack.sysctl.set("net.inet.tcp.tolerate_missing_ts", true);
    talk.say({ seq: 1, ack: 1, payload: "x" });
    expect(collector.length).toBe(1);
    talk.say({ flags: "R", seq: 2 });
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("without agreement they are left out", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(1));
    expect(talk.hear(payload(1)).timestamps).toBeNull();
  });
});

describe("checksum", () => {
  it("MUST-2 every segment carries a good one, over IPv4 and IPv6", () => {
    for (const family of [4, 6] as const) {
      const talk = new Conversation({ family });
      const connection = talk.accept({ mss: 1000, timestamps: [1, 0] });
      connection.write([{ bytes: new Uint8Array(333).fill(0xfe) }, { bytes: new Uint8Array(100).fill(7) }]);
      expect(talk.hear(flags("PA"), seq(1)).checksumGood).toBe(true);
    }
  });

  it("MUST-3 a segment with a wrong one is dropped and counted", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", badChecksum: true });
    talk.hearNothing();
    expect(talk.tcp.statistics.rcvBadSum).toBe(1);
  });

  it("segments too short for their header, or with an impossible data offset, are dropped and counted", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", dataOffset: 4 });
    talk.say({ flags: "S", dataOffset: 15 });
    expect(talk.tcp.statistics.rcvBadOff).toBe(2);
    const whole = talk.packet({ flags: "S" });
    const cut = whole.slice(0, 30);
    new DataView(cut.buffer).setUint16(2, 30);
    new DataView(cut.buffer).setUint16(10, 0);
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += new DataView(cut.buffer).getUint16(i);
    new DataView(cut.buffer).setUint16(10, ~((sum & 0xffff) + (sum >>> 16)));
    talk.inject(cut);
    expect(talk.tcp.statistics.rcvShort).toBe(1);
    talk.hearNothing();
  });
});
