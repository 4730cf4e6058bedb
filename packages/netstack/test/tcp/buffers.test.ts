/** Buffers that follow the pace of a connection, and the memory that all of them share. */
import { describe, expect, it } from "vitest";
import { CHUNK } from "../../src/tcp/chunk-pool.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, type Options } from "./conversation.ts";
import { fillPipe } from "./fill-pipe.ts";
import { Collector } from "./pair.ts";

const KIB = 1024;
const SCALED: Options = { mss: 1460, windowShift: 7 };
const STAMPED: Options = { ...SCALED, timestamps: [500, 0] };

/** A peer that sends windows of `size` bytes, each a round trip of `rtt` µs after the acknowledgment of the one before. */
class Sender {
  at = 1;
  readonly talk: Conversation;

  constructor(talk: Conversation) {
    this.talk = talk;
  }

  /** One window in segments of 1000 bytes, and the time until the next. Returns the right edge that was offered behind it. */
  send(segments: number, rtt: number): void {
    const { talk } = this;
    for (let i = 0; i < segments; i++) {
      talk.say({ seq: this.at, ack: 1, payload: 1000 });
      this.at += 1000;
    }
    const last = talk.hearAll().at(-1);
    if (talk.timestamps !== null && last?.timestamps !== undefined && last.timestamps !== null) {
      talk.timestamps = [talk.timestamps[0] + rtt / 1000, last.timestamps[0]];
    }
    talk.pass(rtt);
  }
}

describe("the receive buffer (net.inet.tcp.recvbuf_auto)", () => {
  const open = (peer: Options, sysctl = {}): { talk: Conversation; connection: TcpConnection; sender: Sender } => {
    const talk = new Conversation({ sysctl });
    const connection = talk.accept(peer);
    return { talk, connection, sender: new Sender(talk) };
  };

  // Without timestamps only a whole window tells how long a round trip is at most.
  for (const [name, peer, most] of [
    ["with timestamps", STAMPED, 4],
    ["without", SCALED, 6],
  ] as const) {
    it(`grows to three times of what its user takes in a round trip, ${name}`, () => {
      const { talk, connection, sender } = open(peer, { "net.inet.tcp.recvspace": 64 * KIB });
      const collector = new Collector(connection);
      talk.pass(0);
      for (const segments of [10, 20, 40, 60, 60, 60, 60]) sender.send(segments, 20_000);
      const { receiveBuffer, rcvWnd } = connection.tcpInfo();
      expect(collector.length).toBe(310_000);
      expect(receiveBuffer).toBeGreaterThanOrEqual(3 * 60_000);
      expect(receiveBuffer).toBeLessThanOrEqual(most * 60_000);
      // And the peer hears of it.
      expect(rcvWnd).toBeGreaterThan(receiveBuffer / 2);
    });
  }

  /** The stack calls, over a way of that length. */
  const call = async (rtt: number): Promise<{ connection: TcpConnection; sender: Sender; talk: Conversation }> => {
    const talk = new Conversation();
    const called = talk.callOut();
    talk.pass(rtt);
    talk.answer(STAMPED);
    const connection = await called;
    const sender = new Sender(talk);
    new Collector(connection);
    talk.timestamps = [500, talk.hearAll().at(-1)!.timestamps![0]];
    talk.pass(rtt);
    return { talk, connection, sender };
  };

  it("knows the round trip to the µs, though timestamps tick by the ms", async () => {
    const { connection, sender } = await call(3_400);
    for (let i = 0; i < 30; i++) sender.send(4, 3_400);
    expect(connection.tcpInfo().receiveRtt).toBeGreaterThan(3_390);
    expect(connection.tcpInfo().receiveRtt).toBeLessThan(3_410);
  });

  it("does not take a peer's silence for a long way", async () => {
    const { talk, connection, sender } = await call(2_000);
    for (let i = 0; i < 5; i++) sender.send(4, 2_000);
    talk.pass(60e6);
    sender.send(4, 2_000);
    expect(connection.tcpInfo().receiveRtt).toBe(2_250);
  });

  it("stays for a user who does not read, and for one who reads slowly", () => {
    const { talk, connection, sender } = open(STAMPED, { "net.inet.tcp.recvspace": 64 * KIB });
    let allowance = 0;
    connection.setSink({
      data: (_slab, _offset, length) => {
        const taken = Math.min(length, allowance);
        allowance -= taken;
        return taken;
      },
      end: () => {},
    });
    talk.pass(0);
    for (let i = 0; i < 10; i++) {
      allowance += 5000;
      connection.resume();
      talk.pass(0);
      sender.send(Math.floor(connection.tcpInfo().rcvWnd / 1000), 20_000);
    }
    expect(connection.tcpInfo().receiveBuffer).toBe(64 * KIB);
  });

  it("what waited behind a gap and is then taken at once is not taken for haste", () => {
    const { talk, connection, sender } = open(
      { ...STAMPED, sackPermitted: true },
      { "net.inet.tcp.recvspace": 64 * KIB },
    );
    new Collector(connection);
    talk.pass(0);
    for (let i = 0; i < 4; i++) sender.send(15, 20_000);
    // The gap stays open for two round trips.
    sender.at += 1000;
    sender.send(15, 20_000);
    sender.send(15, 20_000);
    talk.say({ seq: sender.at - 31_000, ack: 1, payload: 1000 });
    talk.pass(20_000);
    sender.send(15, 20_000);
    expect(connection.tcpInfo().receiveBuffer).toBe(64 * KIB);
  });

  it("is at most recvbuf_max, and 65,535 without window scaling", () => {
    for (const [peer, most] of [
      [SCALED, 100_000],
      [{ mss: 1460 }, 65_535],
    ] as const) {
      const { talk, connection, sender } = open(peer, {
        "net.inet.tcp.recvspace": 32 * KIB,
        "net.inet.tcp.recvbuf_max": 100_000,
      });
      new Collector(connection);
      talk.pass(0);
      for (const segments of [10, 20, 30, 40, 50, 50]) sender.send(segments, 20_000);
      expect(connection.tcpInfo().receiveBuffer).toBe(most);
    }
  });

  it("stays as it is where that is switched off", () => {
    const { talk, connection, sender } = open(STAMPED, { "net.inet.tcp.recvbuf_auto": false });
    new Collector(connection);
    talk.pass(0);
    for (let i = 0; i < 6; i++) sender.send(100, 20_000);
    expect(connection.tcpInfo().receiveBuffer).toBe(128 * KIB);
  });

  it("a small buffer has a scale that can tell of it (RFC 7323 §2.3)", () => {
    const { connection } = open(SCALED, { "net.inet.tcp.recvspace": 4096 });
    expect(2 ** connection.tcpInfo().rcvWindowScale).toBe(4096 / 32);
    expect(2 ** open(SCALED).connection.tcpInfo().rcvWindowScale * 65_536).toBe(256 << 20);
  });
});

describe("the send buffer (net.inet.tcp.sendbuf_auto)", () => {
  const open = (sysctl = {}): { talk: Conversation; connection: TcpConnection } => {
    const talk = new Conversation({
      sysctl: { "net.inet.tcp.sendspace": 16 * KIB, "net.inet.tcp.sendbuf_inc": 4096, ...sysctl },
    });
    talk.peerWindow = 65_535;
    return { talk, connection: talk.accept({ mss: 1460, windowShift: 7 }) };
  };
  /** Writes up to the mark, and has all of it acknowledged. */
  const round = (talk: Conversation, connection: TcpConnection): void => {
    while (connection.queued < connection.highWater) connection.write([{ bytes: new Uint8Array(4096) }]);
    for (const { seq, payload } of talk.hearAll()) {
      if (payload.length > 0) talk.say({ seq: 1, ack: seq + payload.length });
    }
  };

  it("its high-water mark follows the congestion window, up and down", () => {
    const { talk, connection } = open();
    expect(connection.highWater).toBe(16 * KIB);
    for (let i = 0; i < 6; i++) round(talk, connection);
    const { cwnd } = connection.tcpInfo();
    expect(cwnd).toBeGreaterThan(100_000);
    expect(connection.highWater).toBeGreaterThanOrEqual(2 * cwnd);
    expect(connection.highWater).toBeLessThanOrEqual(2 * cwnd + 4096);
    // Nothing is heard until the timer has run out: the window is one segment again.
    while (connection.queued < connection.highWater) connection.write([{ bytes: new Uint8Array(4096) }]);
    talk.hearAll();
    talk.pass(1e6);
    const again = talk.hearAll()[0]!;
    talk.say({ seq: 1, ack: again.seq + again.payload.length });
    expect(connection.highWater).toBe(16 * KIB);
  });

  it("does not hold more than the peer's window could take, nor than sendbuf_max", () => {
    for (const [peerWindow, most] of [
      [160, 2 * 65_535 + 4096],
      [65_535, 300_000],
    ] as const) {
      const { talk, connection } = open({ "net.inet.tcp.sendbuf_max": 300_000 });
      talk.peerWindow = peerWindow;
      for (let i = 0; i < 8; i++) round(talk, connection);
      expect(connection.highWater).toBeLessThanOrEqual(most);
      expect(connection.highWater).toBeGreaterThan(most / 3);
    }
  });
});

describe("the memory of all buffers", () => {
  it("under pressure receive buffers fall back to what is used, and grow again when it is over", () => {
    const talk = new Conversation({
      sysctl: { "net.inet.tcp.recvmem_max": 16 * CHUNK, "net.inet.tcp.recvspace": 64 * KIB },
    });
    const connection = talk.accept(STAMPED);
    new Collector(connection);
    const sender = new Sender(talk);
    talk.pass(0);
    for (let i = 0; i < 5; i++) sender.send(60, 20_000);
    expect(connection.tcpInfo().receiveBuffer).toBeGreaterThanOrEqual(180_000);
    expect(talk.tcp.memoryState).toBe("normal");
    // Three others whose users take nothing.
    const { timestamps: stamps, iss } = talk;
    talk.timestamps = null;
    const idle: TcpConnection[] = [];
    for (let i = 0; i < 3; i++) {
      talk.peerPort++;
      talk.hearAll();
      idle.push(talk.accept(SCALED));
      for (let at = 1; at < 64_000; at += 1000) talk.say({ seq: at, ack: 1, payload: 1000 });
    }
    expect(talk.tcp.memoryState).toBe("pressure");
    talk.peerPort -= 3;
    talk.timestamps = stamps;
    talk.iss = iss;
    talk.hearAll();
    for (let i = 0; i < 3; i++) sender.send(20, 20_000);
    expect(connection.tcpInfo().receiveBuffer).toBe(64 * KIB);
    expect(talk.tcp.statistics).toMatchObject({ memPressure: 1, memHard: 0 });
    for (const each of idle) each.abort();
    expect(talk.tcp.memoryState).toBe("normal");
    talk.hearAll();
    for (let i = 0; i < 4; i++) sender.send(60, 20_000);
    expect(connection.tcpInfo().receiveBuffer).toBeGreaterThanOrEqual(180_000);
  });

  it("at sendmem_max nobody may keep more waiting than 16 KiB; what is released counts no more", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.sendmem_max": 200_000 } });
    const connection = talk.accept(SCALED);
    connection.write([{ bytes: new Uint8Array(160_000) }]);
    expect([talk.tcp.memoryState, talk.tcp.sendMemory]).toEqual(["pressure", 160_000]);
    connection.write([{ bytes: new Uint8Array(50_000) }]);
    expect(talk.tcp.memoryState).toBe("hard");
    talk.say({ seq: 1, ack: 1461 });
    expect(connection.highWater).toBe(16 * KIB);
    connection.abort();
    expect([talk.tcp.memoryState, talk.tcp.sendMemory]).toEqual(["normal", 0]);
    expect(talk.tcp.statistics).toMatchObject({ memPressure: 1, memHard: 1 });
  });
});

describe("a pipe is filled by buffers no larger than four times what it holds", () => {
  // The whole table: npm run bench:sim -w packages/netstack.
  for (const [rate, rtt, offload] of [
    [10e6, 1_000, false],
    [10e6, 100_000, false],
    [100e6, 10_000, false],
    [1e9, 1_000, false],
    [10e9, 1_000, true],
  ] as const) {
    it(`${rate / 1e6} Mbit/s × ${rtt / 1000} ms`, async () => {
      const filled = await fillPipe({ rate, rtt, offload }, 15);
      expect(filled.utilisation).toBeGreaterThan(0.9);
      expect(filled.receiveExcess).toBeLessThanOrEqual(4);
      expect(filled.sendExcess).toBeLessThanOrEqual(4);
    });
  }
});
