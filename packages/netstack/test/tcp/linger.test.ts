import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, payload, seq } from "./conversation.ts";
import { Collector, Pair, pattern } from "./pair.ts";

describe("close() (close(2) with SO_LINGER)", () => {
  it("resolves once everything and our FIN is acknowledged", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: pattern(100) }]);
    let done: boolean | null = null;
    void connection.close().then((value) => {
      done = value;
    });
    talk.hear(payload(100));
    talk.hear(flags("FA"), seq(101));
    await talk.clock.runFor(0);
    talk.say({ seq: 1, ack: 101 });
    await talk.clock.runFor(0);
    expect(done).toBeNull();
    talk.say({ seq: 1, ack: 102 });
    await talk.clock.runFor(0);
    expect([done, connection.tcpInfo().state]).toEqual([true, "FIN-WAIT-2"]);
    expect(await connection.close()).toBe(true);
  });

  it("after lingerMs it is false, and TCP goes on by itself", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: pattern(100) }]);
    const closing = connection.close({ lingerMs: 500 });
    talk.hearAll();
    await talk.clock.runFor(500_000);
    expect(await closing).toBe(false);
    expect(connection.tcpInfo().state).toBe("FIN-WAIT-1");
    talk.hearAll();
    talk.say({ flags: "FA", seq: 1, ack: 102 });
    expect((await connection.closed).how).toBe("closed");
  });

  it("lingerMs 0 throws away what was not sent, and resets", async () => {
    const talk = new Conversation();
    talk.peerWindow = 10;
    const connection = talk.accept();
    connection.write([{ bytes: pattern(100) }]);
    talk.hear(payload(10));
    expect(await connection.close({ lingerMs: 0 })).toBe(false);
    talk.hear(flags("RA"), seq(11));
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("SHLD-3 resets at once when something is unread, and when more comes after close()", async () => {
    const unread = new Conversation();
    const connection = unread.accept();
    unread.say({ seq: 1, ack: 1, payload: "unread" });
    unread.hearAll();
    expect(await connection.close()).toBe(false);
    unread.hear(flags("RA"));

    const late = new Conversation();
    const other = late.accept();
    const closing = other.close();
    late.hear(flags("FA"), seq(1));
    late.say({ seq: 1, ack: 2 });
    expect(await closing).toBe(true);
    await late.clock.runFor(0);
    late.say({ seq: 1, ack: 2, payload: "late" });
    late.hear(flags("RA"));
    expect(late.tcp.connectionCount).toBe(0);
    expect(late.tcp.statistics.rcvAfterClose).toBe(1);
  });

  it("a peer that never closes is waited for in FIN-WAIT-2 for a minute; without close(), for ever", async () => {
    for (const isClosed of [true, false]) {
      const talk = new Conversation();
      const connection = talk.accept();
      if (isClosed) void connection.close();
      else connection.shutdown();
      talk.hear(flags("FA"));
      talk.say({ seq: 1, ack: 2 });
      await talk.clock.runFor(59e6);
      expect(connection.tcpInfo().state).toBe("FIN-WAIT-2");
      await talk.clock.runFor(2e6);
      expect(connection.tcpInfo().state).toBe(isClosed ? "CLOSED" : "FIN-WAIT-2");
      expect(talk.tcp.statistics.finwait2Drops).toBe(isClosed ? 1 : 0);
    }
  });

  it("after the peer's FIN it resolves with our FIN's acknowledgment, and is false when the connection is lost", async () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.say({ flags: "FA", seq: 1, ack: 1 });
    const closing = connection.close();
    expect(talk.hearAll().at(-1)!.flags).toContain("F");
    talk.say({ seq: 2, ack: 2 });
    await talk.clock.runFor(0);
    expect(await closing).toBe(true);
    const lost = new Conversation();
    const other = lost.accept();
    const failing = other.close();
    lost.say({ flags: "R", seq: 1 });
    expect(await failing).toBe(false);
    expect(await other.close()).toBe(false);
  });

  it("two of ours both close: each hears that its bytes have arrived", async () => {
    const pair = new Pair({ delay: 1000, loss: 0.1, seed: 4 });
    const { client, server } = await pair.connect();
    const got = new Collector(server);
    client.write([{ bytes: pattern(50_000) }]);
    expect(await pair.clock.runToSettle(client.close())).toBe(true);
    expect([got.length, got.ended]).toEqual([50_000, true]);
  });
});

describe("setCork() (TCP_NOPUSH)", () => {
  it("lets full segments go, and the rest when it is taken off", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setNoDelay(true);
    connection.setCork(true);
    expect(connection.tcpInfo().corked).toBe(true);
    connection.write([{ bytes: pattern(100) }]);
    talk.hearNothing();
    connection.write([{ bytes: pattern(1500) }]);
    talk.hear(flags("A"), seq(1), payload(1460));
    talk.say({ seq: 1, ack: 1461 });
    talk.pass(10e6);
    talk.hearNothing();
    connection.setCork(false);
    talk.hear(flags("PA"), seq(1461), payload(140));
  });

  it("holds back neither a FIN with what is before it, nor retransmissions", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setCork(true);
    connection.write([{ bytes: pattern(1500) }]);
    talk.hear(payload(1460));
    talk.pass(1.5e6);
    talk.hear(seq(1), payload(1460));
    talk.hearAll();
    talk.say({ seq: 1, ack: 1461 });
    talk.hearNothing();
    connection.shutdown();
    talk.hear(flags("FA"), seq(1461), payload(40));
  });

  it("still finds out by probes when the peer's window opens, and is never stuck before a small one", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setCork(true);
    talk.say({ seq: 1, ack: 1, window: 0 });
    connection.write([{ bytes: pattern(3000) }]);
    talk.hearNothing();
    talk.pass(2e6);
    expect(talk.hearAll()[0]).toMatchObject({ seq: 1 });
    talk.say({ seq: 1, ack: 1, window: 65_535 });
    expect(talk.hearAll().map((segment) => segment.payload.length)).toEqual([1460, 1460]);
  });
});

describe("listeners that share a port (SO_REUSEPORT_LB)", () => {
  const open = (talk: Conversation, sourcePort: number): void => {
    talk.say({ flags: "S", sourcePort });
    talk.hearSyn(flags("SA"), ack(1));
    talk.say({ seq: 1, ack: 1, sourcePort });
  };

  it("each get their share of the connections, the same ends always the same", async () => {
    const talk = new Conversation();
    const took = [0, 0, 0, 0];
    const listeners = took.map((_, i) => {
      const listener = talk.tcp.listen({ port: 2049, reusePort: true });
      listener.accept(() => {
        took[i]!++;
      });
      return listener;
    });
    for (let port = 1; port <= 400; port++) open(talk, port);
    expect(took.reduce((sum, count) => sum + count)).toBe(400);
    for (const count of took) expect(count).toBeGreaterThan(60);
    const before = [...took];
    for (let i = 0; i < 3; i++) {
      talk.say({ flags: "R", seq: 1, sourcePort: 77 });
      open(talk, 77);
    }
    expect(took.filter((count, i) => count !== before[i]).length).toBe(1);
    // One leaves: the others have its share.
    await listeners[0]!.close();
    talk.hearAll();
    const [left] = took;
    for (let port = 1001; port <= 1100; port++) open(talk, port);
    expect(took[0]).toBe(left);
  });

  it("must all say so; one on an address of its own goes before them", () => {
    const talk = new Conversation();
    talk.tcp.listen({ port: 2049, reusePort: true });
    expect(() => talk.tcp.listen({ port: 2049 })).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    talk.tcp.listen({ port: 2050 });
    expect(() => talk.tcp.listen({ port: 2050, reusePort: true })).toThrow(
      expect.objectContaining({ code: "EADDRINUSE" }),
    );
    let own = 0;
    talk.tcp.listen({ port: 2049, reusePort: true });
    talk.tcp.listen({ port: 2049, address: "10.0.0.1" }).accept(() => {
      own++;
    });
    for (let port = 1; port <= 20; port++) open(talk, port);
    expect(own).toBe(20);
  });
});
