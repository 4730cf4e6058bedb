import { describe, expect, it } from "vitest";
import { bench } from "../ip/bench.ts";
import { concat, ethernet, mac, viewOf } from "../ip/packets.ts";
import { ack, Conversation, flags, payload, seq } from "./conversation.ts";

const write = (length: number) => [{ bytes: new Uint8Array(length) }];
/** With no round-trip time to speak of: 30 ms at least, and the slop of 200 ms. */
const RTO = 230_000;

describe("the retransmission timer (RFC 6298)", () => {
  it("MUST-19 backs off exponentially, to 64 s at most", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(100));
    talk.hear(seq(1), payload(100));
    for (const [i, factor] of [1, 2, 4, 8, 16, 32, 64, 128, 256].entries()) {
      talk.pass(RTO * factor - 1);
      talk.hearNothing();
      talk.pass(1);
      talk.hear(seq(1), payload(100));
      expect(connection.tcpInfo().timeouts).toBe(i + 1);
    }
    expect(connection.tcpInfo().rto).toBe(64e6);
  });

  it("MUST-18 (Karn) a segment that was sent again gives no round-trip time, and the backoff stays until one is had", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(100));
    talk.hear(payload(100));
    talk.pass(RTO);
    talk.hear(payload(100));
    const before = connection.tcpInfo().srtt;
    talk.pass(100_000);
    talk.say({ seq: 1, ack: 101 });
    expect(connection.tcpInfo().srtt).toBe(before);
    expect(connection.tcpInfo().rto).toBe(2 * RTO);
    connection.write(write(100));
    talk.hear(payload(100));
    talk.pass(50_000);
    talk.say({ seq: 1, ack: 201 });
    expect(connection.tcpInfo().srtt).toBeGreaterThan(before);
    expect(connection.tcpInfo().rto).toBeLessThan(2 * RTO);
  });

  it("with timestamps the echo tells which transmission was acknowledged (RFC 7323 §4)", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460, timestamps: [1, 0] });
    connection.write(write(100));
    talk.hear(payload(100));
    talk.pass(RTO);
    const again = talk.hear(payload(100)).timestamps!;
    talk.pass(80_000);
    talk.timestamps = [2, again[0]];
    talk.say({ seq: 1, ack: 101 });
    // The handshake's sample was next to nothing: an eighth of 80 ms.
    expect(connection.tcpInfo().srtt).toBeGreaterThan(9_900);
    expect(connection.tcpInfo().srtt).toBeLessThan(10_100);
  });

  it("takes SRTT and RTTVAR as RFC 6298 says, and an RTO of at least rexmit_min + rexmit_slop", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setNoDelay(true);
    let at = 1;
    let srtt = connection.tcpInfo().srtt;
    let rttVar = connection.tcpInfo().rttVar;
    for (const rtt of [100_000, 200_000, 50_000, 100_000]) {
      connection.write(write(10));
      talk.hear(payload(10), seq(at));
      talk.pass(rtt);
      at += 10;
      talk.say({ seq: 1, ack: at });
      rttVar = (3 * rttVar + Math.abs(srtt - rtt)) / 4;
      srtt = (7 * srtt + rtt) / 8;
      expect(connection.tcpInfo().srtt).toBeCloseTo(srtt, 0);
      expect(connection.tcpInfo().rttVar).toBeCloseTo(rttVar, 0);
      expect(connection.tcpInfo().rto).toBeCloseTo(Math.max(30_000, srtt + 4 * rttVar) + 200_000, 0);
    }
  });

  it("begins with 3 s when the handshake had to be repeated (RFC 6298 5.7)", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.pass(1e6);
    talk.hear(flags("S"));
    talk.answer();
    const connection = await promise;
    expect(connection.tcpInfo().rto).toBe(3e6);
    expect(connection.tcpInfo().cwnd).toBe(1460);
  });

  it("MAY-4 a segment sent again has the IP identification that it had (0: atomic datagrams, RFC 6864)", () => {
    const talk = new Conversation();
    talk.accept().write(write(100));
    const first = talk.hear(payload(100));
    talk.pass(RTO);
    const again = talk.hear(payload(100));
    expect([again.identification, again.dontFragment]).toEqual([first.identification, true]);
  });

  it("restarts when something new is acknowledged, and stops when everything is", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(2920));
    talk.hearAll();
    talk.pass(200_000);
    talk.say({ seq: 1, ack: 1461 });
    const { rto } = connection.tcpInfo();
    talk.pass(rto - 1);
    talk.hearNothing();
    talk.pass(1);
    talk.hear(seq(1461), payload(1460));
    talk.say({ seq: 1, ack: 2921 });
    talk.pass(100e6);
    talk.hearNothing();
  });

  it("everything in flight is sent again after a timeout, in slow start", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(4 * 1460));
    expect(talk.hearAll()).toHaveLength(4);
    talk.pass(RTO);
    talk.hear(seq(1), payload(1460));
    talk.hearNothing();
    talk.say({ seq: 1, ack: 1461 });
    talk.hear(seq(1461));
    talk.hear(seq(2921));
    talk.hearNothing();
    talk.say({ seq: 1, ack: 4381 });
    talk.hear(seq(4381));
  });
});

describe("connection failures (RFC 9293 §3.8.3)", () => {
  it("MUST-20 (R1), SHLD-9, SHLD-10 after three retransmissions IP is asked for another way, and the application is told", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const told: string[] = [];
    connection.onError = (error) => told.push((error as Error & { code: string }).code);
    connection.write(write(10));
    talk.pass(RTO * 3);
    expect(told).toEqual([]);
    talk.pass(RTO * 4);
    expect(told).toEqual(["ETIMEDOUT"]);
    expect(connection.tcpInfo().timeouts).toBe(3);
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
  });

  it("MUST-20 (R1) on an Ethernet the next hop is asked whether it is there, and looked for anew if it does not answer", async () => {
    const [OURS, THEIRS, ALL] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"];
    const b = bench({ medium: "ethernet", macAddress: mac(OURS), addresses: ["10.0.0.1/24"], sysctl: {} });
    // To whom ARP requests go.
    const asked = (): string[] =>
      b
        .sent()
        .filter((frame) => viewOf(frame).getUint32(12) === 0x0806_0001 && viewOf(frame).getUint16(20) === 1)
        .map((frame) =>
          Buffer.from(frame.subarray(0, 6))
            .toString("hex")
            .replace(/..(?=.)/g, "$&:"),
        );
    await b.clock.runFor(10e6);
    b.sent();
    b.stack.tcp.connect({ address: "10.0.0.2", port: 9 }).catch(() => {});
    expect(asked()).toEqual([ALL]);
    const isAt = concat(Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 2), mac(THEIRS), Uint8Array.of(10, 0, 0, 2));
    b.driver.inject(ethernet(OURS, THEIRS, 0x0806, concat(isAt, mac(OURS), Uint8Array.of(10, 0, 0, 1))));
    await b.clock.runFor(6.9e6);
    expect(asked()).toEqual([]);
    await b.clock.runFor(0.2e6);
    expect(asked()).toEqual([THEIRS]);
    await b.clock.runFor(20e6);
    expect(asked()).toEqual([THEIRS, THEIRS, ALL, ALL, ALL, ALL, ALL]);
  });

  it("MUST-20 (R2), SHLD-11 after net.inet.tcp.rexmit_tries, well over 100 seconds, the connection is closed", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const started = talk.clock.coarse();
    connection.write(write(10));
    let ended = 0;
    void connection.closed.then(() => {
      ended = talk.clock.coarse();
    });
    await talk.clock.runWhile(() => ended === 0);
    expect((await connection.closed).how).toBe("timeout");
    expect((await connection.closed).error).toMatchObject({ code: "ETIMEDOUT" });
    expect(ended - started).toBeGreaterThan(100e6);
    // Twelve times, and a last word.
    expect(talk.hearAll().map((segment) => segment.flags)).toEqual([...new Array(13).fill("PA"), "RA"]);
  });

  it("MUST-21 the application can set R2: the user timeout", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setUserTimeout(5000);
    connection.write(write(10));
    talk.pass(4.999e6);
    expect(talk.tcp.connectionCount).toBe(1);
    talk.pass(1000);
    expect((await connection.closed).how).toBe("timeout");
    expect(talk.tcp.statistics.userTimeoutDrop).toBe(1);
  });

  it("the user timeout counts from the last progress, and not while there is nothing to send", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setUserTimeout(1000);
    talk.pass(100e6);
    connection.write(write(2920));
    talk.pass(0.9e6);
    talk.say({ seq: 1, ack: 1461 });
    talk.pass(0.9e6);
    expect(talk.tcp.connectionCount).toBe(1);
    talk.pass(0.1e6);
    expect(talk.tcp.connectionCount).toBe(0);
  });
});

describe("a window that is closed (RFC 9293 §3.8.6.1)", () => {
  function closed(): { talk: Conversation; connection: ReturnType<Conversation["accept"]> } {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(1000));
    talk.hear(payload(1000));
    talk.peerWindow = 0;
    talk.say({ seq: 1, ack: 1001 });
    connection.write(write(3000));
    talk.hearNothing();
    return { talk, connection };
  }

  it("MUST-35, MUST-36, SHLD-29, SHLD-30 is probed, first after an RTO, then ever more slowly", () => {
    const { talk } = closed();
    for (const factor of [1, 2, 4, 8]) {
      talk.pass(RTO * factor - 1);
      talk.hearNothing();
      talk.pass(1);
      talk.hear(flags("A"), seq(1001), payload(1));
      talk.say({ seq: 1, ack: 1001 });
    }
  });

  it("MUST-37 a peer that answers the probes may keep it closed for ever", () => {
    const { talk } = closed();
    for (let i = 0; i < 100; i++) {
      talk.pass(64e6);
      expect(talk.hearAll().length).toBeGreaterThan(0);
      talk.say({ seq: 1, ack: 1001 });
    }
    expect(talk.tcp.connectionCount).toBe(1);
    talk.peerWindow = 5000;
    talk.say({ seq: 1, ack: 1001 });
    expect(talk.hearAll().map((segment) => segment.payload.length)).toEqual([1460, 1460]);
  });

  it("a peer that takes a probe's byte but opens nothing goes on being probed", () => {
    const { talk } = closed();
    talk.pass(RTO);
    talk.hear(seq(1001), payload(1));
    talk.say({ seq: 1, ack: 1002 });
    talk.pass(2 * RTO);
    talk.hear(seq(1002), payload(1));
    talk.peerWindow = 65_535;
    talk.say({ seq: 1, ack: 1002 });
    talk.hear(seq(1002), payload(1460));
  });

  it("one that does not answer is given up (RFC 6429)", async () => {
    const { talk, connection } = closed();
    await talk.clock.runFor(3600e6);
    expect((await connection.closed).how).toBe("timeout");
    expect(talk.tcp.statistics.persistDrop).toBe(1);
  });

  it("a FIN goes out though the window is closed", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.peerWindow = 0;
    talk.say({ seq: 1, ack: 1 });
    connection.shutdown();
    talk.hear(flags("FA"), seq(1));
  });
});

describe("a window that shrinks (RFC 9293 §3.8.6)", () => {
  it("MUST-34, SHLD-15 no new data is sent into what was taken back", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(2920));
    expect(talk.hearAll()).toHaveLength(2);
    talk.peerWindow = 1460;
    talk.say({ seq: 1, ack: 1 });
    connection.write(write(5000));
    talk.hearNothing();
    talk.say({ seq: 1, ack: 1461 });
    talk.hearNothing();
  });

  it("SHLD-16 old data is still sent again, within the window", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(2920));
    talk.hearAll();
    talk.peerWindow = 1460;
    talk.say({ seq: 1, ack: 1 });
    talk.pass(RTO);
    talk.hear(seq(1), payload(1460));
    talk.peerWindow = 1000;
    talk.say({ seq: 1, ack: 1461 });
    talk.pass(10 * RTO);
    expect(talk.hearAll().some((segment) => segment.seq === 1461)).toBe(true);
  });

  it("SHLD-17 data past the right edge of a closed window does not time the connection out", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write(write(2920));
    talk.hearAll();
    talk.peerWindow = 0;
    talk.say({ seq: 1, ack: 1 });
    for (let i = 0; i < 60; i++) {
      talk.pass(60e6);
      talk.hearAll();
      talk.say({ seq: 1, ack: 1 });
    }
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
    talk.peerWindow = 10_000;
    talk.say({ seq: 1, ack: 1 });
    talk.hear(seq(1), payload(1460));
    talk.hear(seq(1461), payload(1460), ack(1));
  });
});

describe("the peer's window", () => {
  it("MUST-1 is an unsigned number: more than 32,767 bytes are a large window", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.initcwnd_segments": 100 } });
    talk.peerWindow = 65_535;
    const connection = talk.accept();
    connection.setNoDelay(true);
    connection.write(write(100_000));
    const total = talk.hearAll().reduce((sum, segment) => sum + segment.payload.length, 0);
    expect(total).toBeGreaterThan(65_535 - 1460);
    expect(total).toBeLessThanOrEqual(65_535);
  });

  it("an old segment does not set it (SND.WL1, SND.WL2)", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.peerWindow = 5000;
    talk.say({ seq: 1, ack: 1, payload: 10 });
    talk.peerWindow = 9000;
    talk.say({ seq: 0, ack: 1, payload: 1 });
    expect(connection.tcpInfo().sndWnd).toBe(5000);
  });
});

describe("keep-alive (RFC 9293 §3.8.4)", () => {
  it("MUST-25 is off unless asked for", () => {
    const talk = new Conversation();
    talk.accept();
    talk.pass(100 * 3600e6);
    talk.hearNothing();
    expect(talk.tcp.connectionCount).toBe(1);
  });

  it("MAY-5, MUST-24, MUST-28, SHLD-12 asked for, sends a segment without data after two hours of silence", () => {
    const talk = new Conversation();
    talk.accept().setKeepAlive(true);
    talk.pass(7200e6 - 1);
    talk.hearNothing();
    talk.pass(1);
    talk.hear(flags("A"), seq(0), ack(1), payload(0));
    talk.say({ seq: 1, ack: 1 });
    talk.pass(7200e6 - 1);
    talk.hearNothing();
  });

  it("MUST-26 only on a connection that is idle", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setKeepAlive(true, { idleMs: 10_000, intervalMs: 1000 });
    for (let i = 0; i < 10; i++) {
      talk.pass(9e6);
      talk.say({ seq: 1, ack: 1 });
      talk.hearNothing();
    }
    connection.write(write(10));
    talk.hear(payload(10));
    talk.pass(12e6);
    expect(talk.hearAll().every((segment) => segment.payload.length === 10)).toBe(true);
  });

  it("MUST-27 the interval can be set, for one connection and for all", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.keepidle": 5000, "net.inet.tcp.always_keepalive": true } });
    const connection = talk.accept();
    talk.pass(5e6);
    talk.hear(flags("A"), seq(0));
    talk.say({ seq: 1, ack: 1 });
    connection.setKeepAlive(true, { idleMs: 1000 });
    talk.pass(1e6);
    talk.hear(flags("A"), seq(0));
  });

  it("what its user has not set of it is as the sysctls are at the time", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setKeepAlive(true, { idleMs: 10_000 });
    talk.stack.sysctl.set("net.inet.tcp.keepidle", 1000);
    talk.stack.sysctl.set("net.inet.tcp.keepintvl", 2000);
    talk.stack.sysctl.set("net.inet.tcp.keepcnt", 2);
    talk.pass(9.9e6);
    talk.hearNothing();
    talk.pass(3e6);
    expect(talk.hearAll()).toHaveLength(2);
    talk.pass(2e6);
    talk.hear(flags("RA"));
  });

  it("MUST-29 tolerates lost answers: only after several unanswered probes is the connection dropped", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setKeepAlive(true, { idleMs: 10_000, intervalMs: 1000, count: 5 });
    talk.pass(10e6 + 3e6);
    expect(talk.hearAll()).toHaveLength(4);
    talk.say({ seq: 1, ack: 1 });
    talk.pass(10e6 + 4e6);
    expect(talk.hearAll()).toHaveLength(5);
    talk.pass(1e6);
    expect(await connection.closed).toMatchObject({ how: "timeout", error: { code: "ETIMEDOUT" } });
    talk.hear(flags("RA"));
  });

  it("probes of the peer are answered", () => {
    const talk = new Conversation();
    talk.accept();
    talk.say({ seq: 0, ack: 1 });
    talk.hear(flags("A"), seq(1), ack(1));
    talk.say({ seq: 0, ack: 1, payload: "?" });
    talk.hear(flags("A"), seq(1), ack(1));
  });
});
