import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/tcp/deadlines.ts";
import type { StateChange } from "../../src/tcp/state.ts";
import type { Tcb } from "../../src/tcp/tcb.ts";
import { Conversation, flags, payload } from "./conversation.ts";
import { Collector, Pair, pattern } from "./pair.ts";

const write = (length: number) => [{ bytes: new Uint8Array(length) }];

function onlyTcb(talk: Conversation): Tcb {
  return [...talk.tcp.flows()][0] as Tcb;
}

describe("timers", () => {
  it("one callout serves all timers of a connection; a deadline that moves later leaves it where it is", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.quickack": 0, "net.inet.tcp.delack_adaptive": false } });
    const connection = talk.accept();
    const tcb = onlyTcb(talk);
    // The SYN cache's comes up once more, for nothing.
    talk.pass(2e6);
    expect(nextDeadline(tcb)).toBe(Number.POSITIVE_INFINITY);
    expect(talk.clock.armed).toBe(0);
    connection.setKeepAlive(true, { idleMs: 10_000 });
    connection.setUserTimeout(60_000);
    connection.write(write(10));
    talk.say({ seq: 1, ack: 1, payload: 1 });
    expect(talk.clock.armed).toBe(1);
    const now = talk.clock.coarse();
    expect(nextDeadline(tcb)).toBe(now + 40_000);
    talk.pass(10_000);
    connection.write(write(10));
    const stands = tcb.callout!.deadline;
    talk.say({ seq: 2, ack: 11 });
    expect(nextDeadline(tcb)).toBeGreaterThan(stands);
    expect(tcb.callout!.deadline).toBe(stands);
    connection.abort();
    expect(talk.clock.armed).toBe(0);
  });

  it("the callout that comes too early arms itself for what is next", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setKeepAlive(true, { idleMs: 5000 });
    connection.write(write(10));
    talk.hear(payload(10));
    talk.say({ seq: 1, ack: 11 });
    talk.pass(4.9e6);
    talk.hearNothing();
    talk.pass(0.2e6);
    talk.hear(flags("A"), payload(0));
  });
});

describe("a connection", () => {
  it("publishes its changes of state on a diagnostics channel, to whoever listens", () => {
    const changes: string[] = [];
    const listen = (message: unknown): void => {
      const { stack, from, to } = message as StateChange;
      changes.push(`${stack}: ${from} → ${to}`);
    };
    subscribe("nfs4:netstack:tcp:state", listen);
    const talk = new Conversation();
    const connection = talk.accept();
    connection.shutdown();
    connection.abort();
    unsubscribe("nfs4:netstack:tcp:state", listen);
    new Conversation().accept().abort();
    expect(changes).toEqual([
      "ours: CLOSED → SYN-RECEIVED",
      "ours: SYN-RECEIVED → ESTABLISHED",
      "ours: ESTABLISHED → FIN-WAIT-1",
      "ours: FIN-WAIT-1 → CLOSED",
    ]);
  });

  it("that only waits has no more objects than these, not even when it is looked at", () => {
    const talk = new Conversation();
    const connection = talk.accept({ sackPermitted: true, timestamps: [1, 0] });
    connection.tcpInfo();
    const objects = Object.entries(onlyTcb(talk)).filter(([, value]) => typeof value === "object" && value !== null);
    const names = ["callout", "context", "deadlines", "owner", "receiveBuffer", "route", "rtt", "sendBuffer", "stream"];
    expect(objects.map(([name]) => name).sort()).toEqual(names);
  });

  it("is listed, with what is known of it", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1400, windowShift: 3, sackPermitted: true, timestamps: [1, 0] });
    connection.write(write(100));
    talk.say({ seq: 1, ack: 101, payload: 50 });
    const [listed] = [...talk.tcp.connections()];
    expect(listed).toMatchObject({
      localAddress: "10.0.0.1",
      localPort: 2049,
      peerAddress: "10.0.0.2",
      peerPort: 40_000,
      state: "ESTABLISHED",
      passive: true,
      sndMss: 1388,
      rcvMss: 1460,
      windowScaling: true,
      timestamps: true,
      sack: true,
      sndWindowScale: 3,
      bytesSent: 100,
      bytesReceived: 50,
      receiveQueue: 50,
      sendQueue: 0,
      inFlight: 0,
    });
    expect([...talk.tcp.listeners()].map((listener) => listener.port)).toEqual([2049]);
    expect(talk.stack.statistics.snapshot()["tcp"]).toMatchObject({ accepts: 1, connects: 1 });
  });

  it("a sink that throws loses its connection, and says so", async () => {
    for (const where of ["data", "end"] as const) {
      const talk = new Conversation();
      const connection = talk.accept();
      const fail = (): never => {
        throw new Error(`bug in ${where}`);
      };
      connection.setSink({ data: where === "data" ? fail : (_slab, _offset, length) => length, end: fail });
      talk.pass(0);
      talk.say({ flags: "FA", seq: 1, ack: 1, payload: 5 });
      expect(await connection.closed).toMatchObject({ how: "aborted", error: { message: `bug in ${where}` } });
      expect(talk.hearAll().at(-1)!.flags).toBe("RA");
      expect(talk.tcp.connectionCount).toBe(0);
    }
  });

  it("ends when its stack is closed, and so do listeners and attempts", async () => {
    const pair = new Pair();
    const { client, server } = await pair.connect();
    const attempt = pair.tcpA.connect({ address: "10.0.0.77", port: 1 });
    const failed = expect(attempt).rejects.toMatchObject({ code: "ABORT_ERR" });
    await pair.a.close();
    await pair.b.close();
    await failed;
    expect((await client.closed).how).toBe("aborted");
    expect((await server.closed).how).toBe("aborted");
    expect(pair.clock.armed).toBe(0);
  });

  it("talks to itself over the loopback interface", async () => {
    const pair = new Pair();
    for (const address of ["10.0.0.1", "127.0.0.1"]) {
      const listener = pair.tcpA.listen({ port: 7, address });
      const accepted = new Promise<Collector>((resolve) =>
        listener.accept((stream) => {
          stream.onDrain = null;
          resolve(new Collector(stream));
        }),
      );
      const client = await pair.clock.runToSettle(pair.tcpA.connect({ address, port: 7 }));
      const collector = await pair.clock.runToSettle(accepted);
      client.write([{ bytes: pattern(500_000) }]);
      client.shutdown();
      await pair.clock.runWhile(() => !collector.ended);
      expect(Buffer.compare(collector.bytes, pattern(500_000))).toBe(0);
      await listener.close();
    }
  });

  it("a link that goes down and up again is survived", async () => {
    const pair = new Pair({ delay: 1000 });
    const { client, server } = await pair.connect();
    const collector = new Collector(server);
    client.write([{ bytes: pattern(300_000) }]);
    pair.link.setLink(false);
    await pair.clock.runFor(20e6);
    pair.link.setLink(true);
    await pair.clock.runWhile(() => collector.length < 300_000);
    expect(Buffer.compare(collector.bytes, pattern(300_000))).toBe(0);
  });

  it("a partition that lasts is survived too, and the RTO falls again after it", async () => {
    const pair = new Pair({ delay: 1000 });
    const { client, server } = await pair.connect();
    const collector = new Collector(server);
    pair.link.impair({ loss: 1 });
    client.write([{ bytes: pattern(300_000) }]);
    await pair.clock.runFor(60e6);
    expect(client.tcpInfo().rto).toBeGreaterThan(30e6);
    pair.link.impair({ loss: 0 });
    await pair.clock.runWhile(() => collector.length < 300_000);
    expect(client.tcpInfo().rto).toBeLessThan(1e6);
  });
});

describe("sysctls", () => {
  it("bear FreeBSD's names, and a wrong value is refused", () => {
    const talk = new Conversation();
    const names = talk.stack.sysctl.list("net.inet.tcp.").map(({ name }) => name);
    for (const name of [
      "recvspace",
      "sendspace",
      "rexmit_min",
      "rexmit_slop",
      "msl",
      "keepidle",
      "delacktime",
      "rfc1323",
    ]) {
      expect(names).toContain(`net.inet.tcp.${name}`);
    }
    expect(() => talk.stack.sysctl.set("net.inet.tcp.delacktime", 500)).toThrow(RangeError);
    expect(() => talk.stack.sysctl.set("net.inet.tcp.cc.algorithm", "none")).toThrow(RangeError);
  });
});
