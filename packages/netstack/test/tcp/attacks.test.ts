import { describe, expect, it } from "vitest";
import { ControlError, type ControlErrorKind } from "../../src/transport.ts";
import { icmp, ipv4, viewOf } from "../ip/packets.ts";
import { ack, Conversation, flags, payload, seq } from "./conversation.ts";
import { Collector } from "./pair.ts";

describe("blind attacks (RFC 5961)", () => {
  it("a reset with the exact sequence number ends the connection; elsewhere in the window it is challenged; outside it is dropped", () => {
    const talk = new Conversation();
    talk.accept();
    talk.say({ flags: "R", seq: 2 });
    talk.hear(flags("A"), seq(1), ack(1));
    talk.say({ flags: "R", seq: 65_000 });
    talk.hear(flags("A"), seq(1), ack(1));
    talk.say({ flags: "R", seq: 66_000 });
    talk.say({ flags: "R", seq: 0 });
    talk.hearNothing();
    expect(talk.tcp.connectionCount).toBe(1);
    expect(talk.tcp.statistics.challengeAcks).toBe(2);
    talk.say({ flags: "R", seq: 1 });
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("insecure_rst obeys a reset anywhere in the window", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.insecure_rst": true } });
    talk.accept();
    talk.say({ flags: "R", seq: 3000 });
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("a SYN on an established connection is challenged, whatever its number", () => {
    const talk = new Conversation();
    talk.accept();
    for (const number of [0, 1, 500, -70_000]) {
      talk.say({ flags: "S", seq: number });
      talk.hear(flags("A"), seq(1), ack(1));
    }
    talk.say({ flags: "SA", seq: 0, ack: 1 });
    talk.hear(flags("A"), seq(1), ack(1));
    expect(talk.tcp.connectionCount).toBe(1);
  });

  it("so it is when the peer has lost its memory, its timestamps with it (§4.2)", () => {
    const talk = new Conversation();
    const stamped = { mss: 1460, timestamps: [5_000_000, 0] } as const;
    talk.accept(stamped);
    talk.timestamps = null;
    talk.say({ flags: "S", seq: -9000, mss: 1460 });
    talk.hear(flags("A"), seq(1), ack(1));
    talk.say({ flags: "S", seq: -9000, mss: 1460, timestamps: [1, 0] });
    talk.hear(flags("A"), seq(1), ack(1));
    // What it answers is exact, and ends the old connection: the next SYN opens one anew.
    talk.say({ flags: "R", seq: 1 });
    expect(talk.tcp.connectionCount).toBe(0);
    talk.say({ flags: "S", seq: -9000, mss: 1460, timestamps: [1001, 0] });
    talk.hear(flags("SA"));
  });

  it("a SYN that carries data is no way round the bound on challenges", () => {
    const talk = new Conversation();
    talk.accept();
    for (let i = 0; i < 20; i++) talk.say({ flags: "S", seq: 2_000_000, payload: "data" });
    expect(talk.hearAll()).toHaveLength(5);
  });

  it("a peer that has forgotten the connection may answer our last acknowledgment though more had come (FreeBSD: last_ack_sent)", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.quickack": 0 } });
    const collector = new Collector(talk.accept());
    talk.pass(0);
    talk.say({ seq: 1, ack: 1, payload: 10 });
    talk.hearNothing();
    expect(collector.length).toBe(10);
    talk.say({ flags: "R", seq: 1 });
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("a half-open connection challenges resets in its window as well (§3.2)", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    talk.hearSyn(flags("SA"));
    talk.say({ flags: "R", seq: 500 });
    talk.hear(flags("A"), seq(1), ack(1));
    talk.say({ flags: "R", seq: 70_000 });
    talk.hearNothing();
    expect([talk.tcp.halfOpenCount, talk.tcp.statistics.badRst]).toEqual([1, 2]);
    talk.stack.sysctl.set("net.inet.tcp.insecure_rst", true);
    talk.say({ flags: "R", seq: 500 });
    expect(talk.tcp.halfOpenCount).toBe(0);
  });

  it("a segment refused for its acknowledgment does not move the timestamp that later ones are measured by", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460, timestamps: [1000, 0] });
    const collector = new Collector(connection);
    talk.pass(0);
    const echo = talk.timestamps![1];
    talk.say({ seq: 1, ack: 77_777, payload: "evil", timestamps: [2_000_000_000, echo] });
    talk.hear(flags("A"), ack(1));
    talk.say({ seq: 1, ack: 1, payload: "true", timestamps: [1001, echo] });
    expect(new TextDecoder().decode(collector.bytes)).toBe("true");
    expect(talk.tcp.statistics.pawsDrop).toBe(0);
  });

  it("insecure_syn resets for a SYN in the window", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.insecure_syn": true } });
    talk.accept();
    talk.say({ flags: "S", seq: 500 });
    talk.hear(flags("RA"));
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("MAY-12 data whose acknowledgment is out of range is not taken (§5)", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    talk.pass(0);
    talk.say({ seq: 1, ack: 2, payload: "evil" });
    talk.hear(flags("A"), ack(1));
    talk.say({ seq: 1, ack: -65_600, payload: "evil" });
    talk.hear(flags("A"), ack(1));
    expect(collector.length).toBe(0);
    talk.say({ seq: 1, ack: -65_000, payload: "old but fine" });
    expect(collector.length).toBe(12);
    expect(talk.tcp.statistics.rcvAckTooMuch).toBe(1);
    expect(talk.tcp.statistics.ackOutOfWindow).toBe(1);
  });

  it("segments that lack the flag their state asks for, or come behind the peer's FIN, are dropped and counted", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const collector = new Collector(connection);
    talk.pass(0);
    talk.say({ flags: "", seq: 1, payload: "no acknowledgment" });
    talk.hearNothing();
    expect(talk.tcp.statistics.rcvBadFlags).toBe(1);
    talk.say({ flags: "FA", seq: 1, ack: 1 });
    talk.say({ flags: "A", seq: 2, ack: 1, payload: "more" });
    expect([talk.tcp.statistics.rcvAfterClose, collector.length, collector.ended]).toEqual([1, 0, true]);
    const calling = new Conversation();
    void calling.callOut();
    calling.say({ flags: "A", ack: 1 });
    expect(calling.tcp.statistics.rcvBadFlags).toBe(1);
  });

  it("a flood of SYNs takes a bounded table, and no one's handshake that is quicker than it (RFC 4987 §3.4)", () => {
    const talk = new Conversation();
    const listener = talk.listen();
    const connection = talk.accept();
    const collector = new Collector(connection);
    for (let i = 0; i < 20_000; i++) {
      talk.say({ flags: "S", sourcePort: 1024 + (i % 60_000), source: `10.0.0.${3 + (i % 200)}` });
      if (i % 100 === 0) talk.hearAll();
    }
    talk.hearAll();
    expect(talk.tcp.halfOpenCount).toBe(listener.halfOpenLimit);
    expect([...talk.tcp.flows()]).toHaveLength(listener.halfOpenLimit + 1);
    expect(talk.stack.outstandingPackets).toBe(0);
    talk.say({ seq: 1, ack: 1, payload: "undisturbed" });
    talk.peerPort = 1;
    talk.hearAll();
    expect(talk.accept().tcpInfo().state).toBe("ESTABLISHED");
    talk.pass(60e6);
    expect([collector.length, talk.tcp.halfOpenCount]).toEqual([11, 0]);
  });

  it("challenges are limited: for one connection, and for the stack by a number nobody can foresee", () => {
    const talk = new Conversation();
    talk.accept();
    for (let i = 0; i < 50; i++) talk.say({ flags: "S", seq: 7 });
    expect(talk.hearAll()).toHaveLength(5);
    expect(talk.tcp.statistics.challengeAcksSuppressed).toBe(45);
    const budgets = [1, 2, 3].map((seed) => {
      const busy = new Conversation({ seed, sysctl: { "net.inet.tcp.ack_war_cnt": 0 } });
      busy.accept();
      for (let i = 0; i < 2000; i++) busy.say({ flags: "S", seq: 7 });
      const sent = busy.hearAll().length;
      expect(busy.tcp.statistics.challengeBudgetSpent).toBe(2000 - sent);
      return sent;
    });
    for (const budget of budgets) expect(budget).toBeGreaterThanOrEqual(500);
    for (const budget of budgets) expect(budget).toBeLessThan(1500);
    expect(new Set(budgets).size).toBe(3);
  });

  it("a segment without ACK is dropped, but for SYN and RST", () => {
    const talk = new Conversation();
    const collector = new Collector(talk.accept());
    talk.pass(0);
    talk.say({ flags: "P", seq: 1, payload: "x" });
    talk.say({ flags: "F", seq: 1 });
    talk.pass(1e6);
    talk.hearNothing();
    expect(collector.length).toBe(0);
  });

  it("nothing follows a FIN", () => {
    const talk = new Conversation();
    const collector = new Collector(talk.accept());
    talk.pass(0);
    talk.say({ flags: "FA", seq: 5, ack: 1, payload: "e" });
    talk.say({ seq: 5, ack: 1, payload: "extra" });
    talk.say({ seq: 1, ack: 1, payload: "here" });
    expect(new TextDecoder().decode(collector.bytes)).toBe("heree");
    expect(collector.ended).toBe(true);
    talk.say({ seq: 7, ack: 1, payload: "more" });
    expect(collector.length).toBe(5);
  });
});

describe("ICMP errors (RFC 9293 §3.9.2.2, RFC 5927)", () => {
  function error(talk: Conversation, kind: ControlErrorKind, sequence: number, mtu = 0): ControlError {
    const told = new ControlError();
    told.kind = kind;
    told.mtu = mtu;
    told.protocol = 6;
    told.family = talk.ours.family;
    [told.l0, told.l1, told.l2, told.l3] = [talk.ours.w0, talk.ours.w1, talk.ours.w2, talk.ours.w3];
    [told.r0, told.r1, told.r2, told.r3] = [talk.peers.w0, talk.peers.w1, talk.peers.w2, talk.peers.w3];
    const view = new DataView(new ArrayBuffer(8));
    view.setUint16(0, talk.ourPort);
    view.setUint16(2, talk.peerPort);
    view.setUint32(4, (talk.iss + sequence) >>> 0);
    told.view = view;
    told.slab = new Uint8Array(view.buffer);
    told.quotedLength = 8;
    return told;
  }

  function tell(talk: Conversation, kind: ControlErrorKind, sequence: number, mtu = 0): void {
    talk.stack.enter();
    talk.tcp.controlInput(error(talk, kind, sequence, mtu));
    talk.stack.leave();
  }

  /** An ICMP message from a router that quotes the first segment of data. */
  function icmpFrom(talk: Conversation, type: number, code: number): Uint8Array {
    const quoted = new Uint8Array(8);
    const view = viewOf(quoted);
    view.setUint16(0, talk.ourPort);
    view.setUint16(2, talk.peerPort);
    view.setUint32(4, (talk.iss + 1) >>> 0);
    const segment = ipv4({ from: "10.0.0.1", to: "10.0.0.2", protocol: 6 }, quoted);
    return ipv4({ from: "10.0.0.77", to: "10.0.0.1", protocol: 1 }, icmp(type, code, 0, segment));
  }

  it("MUST-54 reach the connection that they are about, by IP", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(10) }]);
    talk.hear(payload(10));
    talk.inject(icmpFrom(talk, 3, 1));
    expect(connection.tcpInfo().softError).toBe("EHOSTUNREACH");
  });

  it("SHLD-25, MUST-47, MUST-56 (destination unreachable) a soft error is reported, and ends nothing; SHLD-20 unless nobody listens", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    const told: string[] = [];
    connection.write([{ bytes: new Uint8Array(10) }]);
    tell(talk, "unreachable-net", 1);
    expect(connection.tcpInfo().softError).toBe("ENETUNREACH");
    connection.onError = (problem) => told.push((problem as Error & { code: string }).code);
    tell(talk, "unreachable-net", 1);
    tell(talk, "unreachable-host", 1);
    expect(told).toEqual(["ENETUNREACH", "EHOSTUNREACH"]);
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
  });

  it("MUST-56 (time exceeded) ends nothing", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(10) }]);
    tell(talk, "time-exceeded", 1);
    expect(connection.tcpInfo()).toMatchObject({ state: "ESTABLISHED", softError: "EHOSTUNREACH" });
  });

  it("MUST-56 (parameter problem) ends nothing", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(10) }]);
    tell(talk, "parameter-problem", 1);
    expect(connection.tcpInfo()).toMatchObject({ state: "ESTABLISHED", softError: "EHOSTUNREACH" });
  });

  it("SHLD-26 a hard error ends a connection that is being opened, but not one that is open (RFC 5927 §5.2)", async () => {
    for (const [kind, code] of [
      ["unreachable-port", "ECONNREFUSED"],
      ["unreachable-protocol", "ECONNREFUSED"],
      ["admin-prohibited", "EHOSTUNREACH"],
    ] as const) {
      const opening = new Conversation();
      const promise = opening.callOut();
      tell(opening, kind, 0);
      await expect(promise).rejects.toMatchObject({ code });
      const open = new Conversation();
      const connection = open.accept();
      connection.write([{ bytes: new Uint8Array(10) }]);
      tell(open, kind, 1);
      expect(connection.tcpInfo().state).toBe("ESTABLISHED");
    }
  });

  it("say why a connection timed out", async () => {
    const talk = new Conversation();
    const promise = talk.callOut({ timeoutMs: 5000 });
    tell(talk, "unreachable-host", 0);
    const failed = expect(promise).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    await talk.clock.runFor(5e6);
    await failed;
  });

  it("are not believed unless they quote a sequence number in flight", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(10) }]);
    for (const sequence of [0, 11, 5000]) tell(talk, "unreachable-host", sequence);
    expect(connection.tcpInfo().softError).toBe("");
    expect(talk.tcp.statistics.icmpIgnored).toBe(3);
    talk.ourPort++;
    tell(talk, "unreachable-host", 1);
    expect(talk.tcp.statistics.icmpIgnored).toBe(4);
  });

  it("packet too big: what was in flight goes again in smaller segments", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.setNoDelay(true);
    connection.write([{ bytes: new Uint8Array(2920) }]);
    expect(talk.hearAll()).toHaveLength(2);
    tell(talk, "packet-too-big", 1, 1300);
    expect(talk.hearAll().map((segment) => [segment.seq, segment.payload.length])).toEqual([
      [1, 1260],
      [1261, 1260],
      [2521, 400],
    ]);
    expect(connection.tcpInfo().sndMss).toBe(1260);
  });

  it("but not for a number that is not in flight, nor when path_mtu_discovery is off", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(1460) }]);
    talk.hearAll();
    tell(talk, "packet-too-big", 50_000, 600);
    talk.stack.sysctl.set("net.inet.tcp.path_mtu_discovery", false);
    tell(talk, "packet-too-big", 1, 600);
    expect(connection.tcpInfo().sndMss).toBe(1460);
    talk.hearNothing();
  });

  it("a half-open connection goes when its SYN,ACK was unreachable time and again", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    talk.hearSyn(flags("SA"));
    tell(talk, "unreachable-host", 0);
    expect(talk.tcp.halfOpenCount).toBe(1);
    talk.pass(3e6);
    tell(talk, "unreachable-host", 0);
    expect(talk.tcp.halfOpenCount).toBe(0);
  });

  it("MUST-55 a source quench is discarded silently", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    connection.write([{ bytes: new Uint8Array(10) }]);
    talk.hear(payload(10));
    const before = connection.tcpInfo();
    talk.inject(icmpFrom(talk, 4, 0));
    expect(talk.stack.statistics.icmp.inOther).toBe(1);
    talk.hearNothing();
    expect(connection.tcpInfo()).toEqual(before);
  });
});
