import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, payload, seq } from "./conversation.ts";
import { Collector } from "./pair.ts";

const MSL_TWICE = 60e6;

describe("closing in order (RFC 9293 §3.6)", () => {
  it("we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    connection.shutdown();
    talk.hear(flags("FA"), seq(1), ack(1));
    expect(connection.tcpInfo().state).toBe("FIN-WAIT-1");
    talk.say({ seq: 1, ack: 2 });
    expect(connection.tcpInfo().state).toBe("FIN-WAIT-2");
    talk.say({ seq: 1, ack: 2, payload: "still talking" });
    talk.pass(40_000);
    talk.hear(flags("A"), seq(2), ack(14));
    talk.say({ flags: "FA", seq: 14, ack: 2 });
    talk.hear(flags("A"), seq(2), ack(15));
    expect(collector.length).toBe(13);
    expect(collector.ended).toBe(true);
    expect(await connection.closed).toEqual({ how: "closed" });
    expect(talk.tcp.connectionCount).toBe(0);
    expect(talk.tcp.timeWaitCount).toBe(1);
  });

  it("the peer closes first: CLOSE-WAIT, LAST-ACK, CLOSED", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    talk.say({ flags: "FA", seq: 1, ack: 1 });
    talk.hear(flags("A"), ack(2));
    talk.pass(0);
    expect(collector.ended).toBe(true);
    expect(connection.tcpInfo().state).toBe("CLOSE-WAIT");
    connection.write([{ bytes: new Uint8Array(10) }]);
    talk.hear(flags("PA"), seq(1), payload(10));
    connection.shutdown();
    talk.hear(flags("FA"), seq(11), ack(2));
    expect(connection.tcpInfo().state).toBe("LAST-ACK");
    talk.say({ seq: 2, ack: 12 });
    expect(await connection.closed).toEqual({ how: "closed" });
    expect(talk.tcp.connectionCount + talk.tcp.timeWaitCount).toBe(0);
  });

  it("both close at once: CLOSING, TIME-WAIT", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    new Collector(connection);
    connection.shutdown();
    talk.hear(flags("FA"), seq(1), ack(1));
    talk.say({ flags: "FA", seq: 1, ack: 1 });
    talk.hear(flags("A"), seq(2), ack(2));
    expect(connection.tcpInfo().state).toBe("CLOSING");
    talk.say({ seq: 2, ack: 2 });
    talk.pass(0);
    expect(await connection.closed).toEqual({ how: "closed" });
    expect(talk.tcp.timeWaitCount).toBe(1);
  });

  it("the peer's FIN comes with the acknowledgment of ours", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    new Collector(connection);
    connection.shutdown();
    talk.hear(flags("FA"));
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hear(flags("A"), seq(2), ack(2));
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.pass(0);
    expect(await connection.closed).toEqual({ how: "closed" });
  });

  it("a FIN waits for everything before it, theirs and ours", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    talk.pass(0);
    talk.say({ flags: "FA", seq: 4, ack: 1, payload: "def" });
    talk.hear(flags("A"), ack(1));
    expect(collector.ended).toBe(false);
    talk.say({ seq: 1, ack: 1, payload: "abc" });
    talk.hear(flags("A"), ack(8));
    expect(new TextDecoder().decode(collector.bytes)).toBe("abcdef");
    expect(collector.ended).toBe(true);
    connection.write([{ bytes: new Uint8Array(3000) }]);
    connection.shutdown();
    const sent = talk.hearAll();
    expect(sent.map((segment) => [segment.flags.replace("P", ""), segment.payload.length])).toEqual([
      ["A", 1460],
      ["A", 1460],
      ["FA", 80],
    ]);
  });

  it("a bare FIN that overtakes the last data counts when that has come (RFC 9293 §3.10.7.4 step 8)", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    talk.pass(0);
    talk.say({ flags: "FA", seq: 4, ack: 1 });
    talk.hear(flags("A"), ack(1));
    talk.say({ seq: 1, ack: 1, payload: "abc" });
    talk.hear(flags("A"), ack(5));
    expect(collector.ended).toBe(true);
    expect(connection.tcpInfo().state).toBe("CLOSE-WAIT");
  });

  it("what a peer has sent from beyond its own FIN holds no memory", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    connection.shutdown();
    talk.say({ seq: 10, ack: 2, payload: 10 });
    expect(talk.tcp.receiveMemory).toBeGreaterThan(0);
    talk.say({ seq: 1, ack: 2, flags: "FA" });
    expect(talk.tcp).toMatchObject({ connectionCount: 0, timeWaitCount: 1, receiveMemory: 0 });
  });

  it("sends its FIN again when it is lost", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.shutdown();
    talk.hear(flags("FA"), seq(1));
    talk.pass(230_000);
    talk.hear(flags("FA"), seq(1));
    talk.pass(460_000);
    talk.hear(flags("FA"), seq(1));
    talk.say({ seq: 1, ack: 2 });
    talk.pass(10e6);
    talk.hearNothing();
  });
});

describe("reset and abort", () => {
  it("MUST-12 a reset ends the connection and tells the application", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    let released = 0;
    connection.write([{ bytes: new Uint8Array(10), release: () => released++ }]);
    talk.hear(payload(10));
    talk.say({ flags: "R", seq: 1 });
    expect(released).toBe(1);
    const end = await connection.closed;
    expect(end.how).toBe("reset");
    expect(end.error).toMatchObject({ code: "ECONNRESET" });
    expect(collector.ended).toBe(false);
    expect(talk.tcp.connectionCount).toBe(0);
    talk.hearNothing();
  });

  it("SHLD-2 a reset may carry data", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.say({ flags: "R", seq: 1, payload: "too many users" });
    expect((await connection.closed).how).toBe("reset");
  });

  it("SHLD-3 abort() with data unread, or unsent, sends a reset", async () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.quickack": 0 } });
    const connection = talk.accept();
    talk.say({ seq: 1, ack: 1, payload: "unread" });
    const reason = new Error("no more");
    connection.abort(reason);
    talk.hear(flags("RA"), seq(1), ack(7));
    expect(await connection.closed).toEqual({ how: "aborted", error: reason });
    expect(talk.tcp.connectionCount).toBe(0);
    talk.say({ seq: 7, ack: 1, payload: "more" });
    talk.hear(flags("R"));
  });

  it("resets in CLOSING and LAST-ACK end the connection", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.shutdown();
    talk.hear(flags("FA"));
    talk.say({ flags: "FA", seq: 1, ack: 1 });
    talk.hear(flags("A"));
    talk.say({ flags: "R", seq: 2 });
    expect(talk.tcp.connectionCount).toBe(0);
    expect((await connection.closed).how).toBe("reset");
  });

  it("a segment of a connection that is gone is answered by a reset", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.abort();
    talk.hear(flags("RA"));
    talk.say({ seq: 1, ack: 1, payload: 5 });
    talk.hear(flags("R"), seq(1));
  });
});

describe("TIME-WAIT", () => {
  function inTimeWait(timestamps = false): Conversation {
    const talk = new Conversation();
    const connection = talk.accept(timestamps ? { timestamps: [1000, 0] } : {});
    new Collector(connection);
    connection.shutdown();
    talk.hear(flags("FA"));
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hear(flags("A"), seq(2), ack(2));
    expect(talk.tcp.timeWaitCount).toBe(1);
    return talk;
  }

  it("MUST-13 lasts two maximum segment lifetimes", () => {
    const talk = inTimeWait();
    talk.pass(MSL_TWICE - 1000);
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.pass(1000);
    expect(talk.tcp.timeWaitCount).toBe(0);
  });

  it("acknowledges a FIN that comes again, and waits anew", () => {
    const talk = inTimeWait();
    talk.pass(50e6);
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hear(flags("A"), seq(2), ack(2));
    talk.pass(50e6);
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.pass(10e6);
    expect(talk.tcp.timeWaitCount).toBe(0);
  });

  it("keeps silent to an acknowledgment that tells nothing", () => {
    const talk = inTimeWait();
    talk.say({ seq: 2, ack: 2 });
    talk.hearNothing();
  });

  it("answers what is out of place at most five times a second (RFC 5961 §7), but every FIN", () => {
    const talk = inTimeWait();
    for (let i = 0; i < 20; i++) talk.say({ seq: 5, ack: 2 });
    expect(talk.hearAll()).toHaveLength(5);
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hear(flags("A"), seq(2), ack(2));
    talk.pass(1e6);
    talk.say({ seq: 5, ack: 2 });
    talk.hear(flags("A"), seq(2), ack(2));
  });

  it("MAY-2 a new SYN with a higher sequence number opens a new connection, beyond the numbers of the old", () => {
    const talk = inTimeWait();
    const before = talk.iss;
    talk.say({ flags: "S", seq: 1000 });
    const answer = talk.hearSyn(flags("SA"), ack(1001));
    expect((answer.seq - (before + 2)) | 0).toBeGreaterThan(0);
    talk.say({ seq: 1001, ack: 1 });
    expect(talk.tcp.connectionCount).toBe(1);
    expect(talk.tcp.timeWaitCount).toBe(0);
    expect(talk.tcp.statistics.twReused).toBe(1);
  });

  it("a SYN with an old sequence number is answered by an acknowledgment", () => {
    const talk = inTimeWait();
    talk.say({ flags: "S", seq: -1000 });
    talk.hear(flags("A"), ack(2));
    expect(talk.tcp.timeWaitCount).toBe(1);
  });

  it("SHLD-4 with timestamps, a later timestamp is enough (RFC 6191), and an earlier one is not", () => {
    const talk = inTimeWait(true);
    talk.say({ flags: "S", seq: -1000, timestamps: [999, 0] });
    talk.hear(flags("A"), ack(2));
    talk.say({ flags: "S", seq: -1000, timestamps: [1001, 0] });
    talk.hearSyn(flags("SA"));
  });

  it("a reset ends it only with the exact sequence number (RFC 5961)", () => {
    const talk = inTimeWait();
    talk.say({ flags: "R", seq: 3 });
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.say({ flags: "R", seq: 2 });
    expect(talk.tcp.timeWaitCount).toBe(0);
  });

  it("holds at most net.inet.tcp.maxtcptw connections: the oldest goes", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.maxtcptw": 3 } });
    for (let i = 0; i < 5; i++) {
      talk.peerPort = 1000 + i;
      talk.timestamps = null;
      const connection = talk.accept();
      new Collector(connection);
      connection.shutdown();
      talk.say({ flags: "FA", seq: 1, ack: 2 });
      talk.hearAll();
    }
    expect(talk.tcp.timeWaitCount).toBe(3);
    expect(talk.tcp.statistics.twRecycles).toBe(2);
    talk.pass(MSL_TWICE);
    expect(talk.tcp.timeWaitCount).toBe(0);
  });

  it("an active open from the same port takes its place", async () => {
    const talk = new Conversation();
    const connection = await talk.connect();
    new Collector(connection);
    const { ourPort } = talk;
    connection.shutdown();
    talk.hear(flags("FA"));
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hear(flags("A"));
    const before = talk.iss;
    talk.callOut({ localPort: ourPort }).catch(() => {});
    expect((talk.iss - before) | 0).toBeGreaterThan(2);
    expect(talk.tcp.timeWaitCount).toBe(0);
  });
});
