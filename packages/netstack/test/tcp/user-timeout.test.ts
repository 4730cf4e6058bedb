/** The user timeout option (RFC 5482). */
import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, flags, payload } from "./conversation.ts";
import { Pair } from "./pair.ts";

const SECOND = 1e6;
const MINUTES = 0x8000;

function begin(sysctl: Record<string, number | boolean> = {}): [Conversation, TcpConnection] {
  const talk = new Conversation({ sysctl });
  return [talk, talk.accept({ mss: 1460, sackPermitted: true, timestamps: [1, 0] })];
}

function timeouts(connection: TcpConnection): readonly [number, number] {
  const { userTimeout, peerUserTimeout } = connection.tcpInfo();
  return [userTimeout / SECOND, peerUserTimeout / SECOND];
}

describe("the user timeout option (RFC 5482)", () => {
  it("goes with one segment, at once; in minutes, rounded up, where seconds do not fit (§3.3)", () => {
    const [talk, connection] = begin();
    connection.advertiseUserTimeout(400_000);
    expect(talk.hear(flags("A"), payload(0)).userTimeout).toBe(400);
    connection.write([{ bytes: new Uint8Array(10) }]);
    expect(talk.hear(payload(10)).userTimeout).toBeNull();
    connection.advertiseUserTimeout(40_001_000);
    expect(talk.hear().userTimeout).toBe(MINUTES | 667);
    for (const wrong of [0, -5, Number.NaN, 1e12])
      expect(() => connection.advertiseUserTimeout(wrong)).toThrow(RangeError);
  });

  it("leaves room for itself: no segment becomes too long", () => {
    const [talk, connection] = begin();
    connection.advertiseUserTimeout(400_000);
    talk.hearAll();
    talk.say({ seq: 101, ack: 1, payload: 10 });
    talk.hearAll();
    connection.setCork(true);
    connection.write([{ bytes: new Uint8Array(4000) }]);
    connection.advertiseUserTimeout(500_000);
    const told = talk.hearAll();
    expect(told.some((segment) => segment.userTimeout === 500)).toBe(true);
    for (const segment of told) expect(segment.optionBytes.length + segment.payload.length).toBeLessThanOrEqual(1460);
  });

  it("the longer of what both ends want is adopted, within net.inet.tcp.uto.low and high (§3.1)", () => {
    const [talk, connection] = begin();
    connection.advertiseUserTimeout(400_000);
    expect(timeouts(connection)).toEqual([400, 0]);
    talk.say({ seq: 1, ack: 1, userTimeout: 300 });
    expect(timeouts(connection)).toEqual([400, 300]);
    talk.say({ seq: 1, ack: 1, userTimeout: MINUTES | 10 });
    expect(timeouts(connection)).toEqual([600, 600]);
    talk.say({ seq: 1, ack: 1, userTimeout: MINUTES | 0x7fff });
    expect(timeouts(connection)).toEqual([3600, 0x7fff * 60]);
    connection.advertiseUserTimeout(5000);
    talk.say({ seq: 1, ack: 1, userTimeout: 2 });
    expect(timeouts(connection)).toEqual([100, 2]);
    expect(talk.tcp.statistics.userTimeoutsReceived).toBe(4);
  });

  it("comes with data as well, whose order it does not change", () => {
    const [talk, connection] = begin();
    connection.advertiseUserTimeout(100_000);
    talk.say({ seq: 1, ack: 1, userTimeout: 500, payload: 100 });
    expect(connection.tcpInfo()).toMatchObject({ userTimeout: 500 * SECOND, receiveQueue: 100 });
  });

  it("zero is ignored (§3.4), as is everything where the option is not in use (§3)", () => {
    const [talk, connection] = begin();
    talk.say({ seq: 1, ack: 1, userTimeout: 500 });
    expect(timeouts(connection)).toEqual([0, 0]);
    connection.advertiseUserTimeout(200_000);
    for (const zero of [0, MINUTES]) talk.say({ seq: 1, ack: 1, userTimeout: zero });
    expect(timeouts(connection)).toEqual([200, 0]);
  });

  it("what the user has set himself holds, and he can see what the peer wants (§3.1)", () => {
    const [talk, connection] = begin();
    connection.advertiseUserTimeout(200_000);
    connection.setUserTimeout(7000);
    talk.say({ seq: 1, ack: 1, userTimeout: 500 });
    expect(timeouts(connection)).toEqual([7, 500]);
    connection.setUserTimeout(0);
    expect(timeouts(connection)).toEqual([500, 500]);
  });

  it("a keep-alive does not give up sooner, whichever was asked for first (§4.2)", () => {
    for (const isFirst of [true, false]) {
      const [talk, connection] = begin();
      if (!isFirst) connection.advertiseUserTimeout(200_000);
      connection.setKeepAlive(true, { idleMs: 1000, intervalMs: 1000, count: 1 });
      if (isFirst) connection.advertiseUserTimeout(200_000);
      talk.pass(199 * SECOND);
      expect(talk.tcp.statistics.keepProbe).toBe(0);
      talk.pass(3 * SECOND);
      expect(talk.tcp.statistics.keepProbe).toBe(1);
    }
  });

  it("what was agreed on counts, and not how often data was sent again: longer and shorter than rexmit_tries takes", async () => {
    for (const seconds of [150, 3000]) {
      const [talk, connection] = begin();
      connection.advertiseUserTimeout(seconds * 1000);
      connection.write([{ bytes: new Uint8Array(10) }]);
      talk.pass((seconds - 1) * SECOND);
      expect(talk.tcp.connectionCount).toBe(1);
      talk.pass(2 * SECOND);
      expect((await connection.closed).how).toBe("timeout");
      expect(talk.tcp.statistics).toMatchObject({ userTimeoutDrop: 1, timeoutDrop: 0 });
    }
  });

  it("two stacks with net.inet.tcp.uto.enable tell each other as soon as they are connected", async () => {
    const pair = new Pair({ sysctl: { "net.inet.tcp.uto.enable": true } });
    pair.b.sysctl.set("net.inet.tcp.uto.advertise", 900);
    const { client, server } = await pair.connect();
    await pair.clock.runFor(1 * SECOND);
    expect(timeouts(client)).toEqual([900, 900]);
    expect(timeouts(server as TcpConnection)).toEqual([900, 300]);
  });
});
