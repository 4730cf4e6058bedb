/** What a connection leaves to the next one to the same peer. */
import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, flags } from "./conversation.ts";

/** A connection over a way of 40 ms that measures it a few times, and ends. */
function learn(talk: Conversation, lose = false): void {
  const connection = talk.accept();
  for (let i = 0; i < 12; i++) {
    connection.write([{ bytes: new Uint8Array(100) }]);
    talk.pass(40_000);
    talk.say({ seq: 1, ack: 101 + 100 * i });
  }
  if (lose) {
    connection.write([{ bytes: new Uint8Array(100) }]);
    talk.pass(2e6);
  }
  talk.hearAll();
  connection.abort();
  talk.hearAll();
}

/** The stack calls, and its first SYN is lost: the handshake measures nothing. */
async function callAgain(talk: Conversation): Promise<TcpConnection> {
  const called = talk.callOut();
  talk.pass(1e6);
  talk.hear(flags("S"));
  talk.answer();
  return called;
}

describe("the host cache (RFC 9040; net.inet.tcp.hostcache)", () => {
  it("a connection whose handshake had to be repeated begins with the round trip of the ones before", async () => {
    const fresh = await callAgain(new Conversation());
    expect(fresh.tcpInfo().rto).toBe(3e6);
    const talk = new Conversation();
    learn(talk);
    const connection = await callAgain(talk);
    expect(connection.tcpInfo().rto).toBeLessThan(400_000);
    expect(connection.tcpInfo().srtt).toBeGreaterThan(25_000);
  });

  it("one whose handshake has measured takes that", () => {
    const talk = new Conversation();
    learn(talk);
    expect(talk.accept().tcpInfo().srtt).toBe(1);
  });

  it("the slow-start threshold is kept, and used where net.inet.tcp.hostcache.ssthresh asks for it", () => {
    for (const wanted of [false, true]) {
      const talk = new Conversation({ sysctl: { "net.inet.tcp.hostcache.ssthresh": wanted } });
      learn(talk, true);
      expect([...talk.stack.ip.hostCache.list()][0]!.ssthresh).toBeGreaterThan(0);
      const { ssthresh, sndMss } = talk.accept().tcpInfo();
      expect(ssthresh).toBe(wanted ? 10 * sndMss : 0x3fffffff);
    }
  });

  it("lists what it knows; forgets it when asked, after net.inet.tcp.hostcache.expire, and has none if switched off", () => {
    const talk = new Conversation();
    const { sysctl, ip } = talk.stack;
    learn(talk);
    learn(talk);
    const [entry] = [...ip.hostCache.list()];
    expect(entry).toMatchObject({ address: "10.0.0.2", mtu: 0, ssthresh: 0, updates: 2, expires: 600 });
    expect(entry!.rtt).toBeGreaterThan(25_000);
    sysctl.set("net.inet.tcp.hostcache.purgenow", true);
    expect(sysctl.get("net.inet.tcp.hostcache.purgenow")).toBe(false);
    const born = new Conversation({ sysctl: { "net.inet.tcp.hostcache.purgenow": true } });
    expect(born.stack.sysctl.get("net.inet.tcp.hostcache.purgenow")).toBe(false);
    expect([...ip.hostCache.list()]).toEqual([]);
    learn(talk);
    talk.pass(601e6);
    expect([...ip.hostCache.list()]).toEqual([]);
    sysctl.set("net.inet.tcp.hostcache.enable", false);
    learn(talk);
    expect([...ip.hostCache.list()]).toEqual([]);
  });

  it("a path MTU is not kept longer because connections go on to tell of the rest; no more than cachelimit are held", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.hostcache.cachelimit": 2 } });
    const { ip } = talk.stack;
    const { w0, w1, w2, w3 } = talk.peers;
    ip.updatePathMtu(w0, w1, w2, w3, 1000);
    talk.pass(400e6);
    learn(talk);
    expect(ip.hostCache.mtu(w0, w1, w2, w3)).toBe(1000);
    talk.pass(300e6);
    expect(ip.hostCache.mtu(w0, w1, w2, w3)).toBe(Number.POSITIVE_INFINITY);
    expect([...ip.hostCache.list()]).toHaveLength(1);
    for (let i = 10; i < 20; i++) ip.updatePathMtu(w0, w1, w2, w3 + i, 1000);
    expect([...ip.hostCache.list()]).toHaveLength(2);
  });
});
