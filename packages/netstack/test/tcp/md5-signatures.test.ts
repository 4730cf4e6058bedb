import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { InboundPacket } from "../../src/packet.ts";
import { Md5Key } from "../../src/tcp/signatures/md5-key.ts";
import { ack, Conversation, type ConversationOptions, flags, payload, sack, seq, signed } from "./conversation.ts";
import { Collector, Pair, pattern, pump } from "./pair.ts";

const SESAME = "open sesame";
const OTHER = "barley";

/** A conversation whose peer must sign, and does. */
function keyed(options: ConversationOptions = {}): Conversation & { reasons: string[] } {
  const talk = Object.assign(new Conversation(options), { reasons: [] as string[] });
  talk.stack.oddPackets = { mark: (_packet: InboundPacket, reason: string) => void talk.reasons.push(reason) };
  talk.listen({ signatureKeys: [{ peer: talk.peers.toString(), key: new Md5Key(SESAME) }] });
  talk.md5 = SESAME;
  return talk;
}

function drops(talk: Conversation): Record<string, number> {
  const { sigRcvBadSig, sigErrSigOpt, sigErrNoSigOpt } = talk.tcp.statistics;
  return { bad: sigRcvBadSig, unexpected: sigErrSigOpt, missing: sigErrNoSigOpt };
}

describe.each([4, 6] as const)("a connection with an MD5 key, IPv%i (RFC 2385)", (family) => {
  it("every segment is signed: SYN,ACK, acknowledgment, data, FIN, TIME-WAIT's answer", async () => {
    const talk = keyed({ family });
    talk.listener!.accept((stream) => {
      stream.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
      stream.write([{ bytes: pattern(3000) }]);
      stream.shutdown();
    });
    talk.say({ flags: "S", mss: 1440, sackPermitted: true, timestamps: [7, 0] });
    talk.hearSyn(flags("SA"), signed(SESAME));
    talk.timestamps = [8, 0];
    talk.say({ seq: 1, ack: 1 });
    const data = 1440 - 12 - 20;
    talk.hear(flags("A"), payload(data), signed(SESAME));
    talk.hear(flags("A"), payload(data), signed(SESAME));
    talk.hear(flags("FA"), payload(3000 - 2 * data), signed(SESAME));
    talk.say({ flags: "FA", seq: 1, ack: 3002 });
    talk.hear(flags("A"), ack(2), signed(SESAME));
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.say({ flags: "FA", seq: 1, ack: 3002 });
    talk.hear(flags("A"), ack(2), signed(SESAME));
    expect(talk.tcp.statistics.sigRcvGoodSig).toBe(4);
  });

  it("when we call: SYN, acknowledgment, data, window probe, keep-alive, reset", async () => {
    const talk = new Conversation({ family });
    talk.md5 = SESAME;
    const promise = talk.tcp.connect(
      { address: talk.peers.toString(), port: talk.peerPort },
      { signatureKey: new Md5Key(SESAME) },
    );
    const syn = talk.hearSyn(flags("S"), signed(SESAME));
    talk.ourPort = syn.sourcePort;
    talk.answer({ mss: 1440 });
    const connection = await promise;
    talk.hear(flags("A"), seq(1), ack(1), signed(SESAME));
    connection.setKeepAlive(true, { idleMs: 1000, intervalMs: 1000 });
    talk.pass(1e6);
    talk.hear(flags("A"), seq(0), signed(SESAME));
    talk.say({ seq: 1, ack: 1, window: 0 });
    connection.write([{ bytes: pattern(10) }]);
    talk.pass(2e6);
    for (const probe of talk.hearAll())
      expect([probe.flags.includes("A"), signed(SESAME)(probe)]).toEqual([true, null]);
    connection.abort();
    talk.hear(flags("RA"), signed(SESAME));
  });

  it("drops without an answer what is not signed, signed with another key, or signed without being asked", () => {
    const talk = keyed({ family });
    talk.say({ flags: "S", md5: undefined });
    talk.say({ flags: "S", md5: OTHER });
    talk.hearNothing();
    expect(talk.tcp.halfOpenCount).toBe(0);
    expect(drops(talk)).toEqual({ bad: 1, unexpected: 0, missing: 1 });
    talk.tcp.listen({ port: 80 });
    talk.say({ flags: "S", destinationPort: 80 });
    talk.hearNothing();
    expect(drops(talk)).toEqual({ bad: 1, unexpected: 1, missing: 1 });
    expect(talk.reasons).toEqual([
      "TCP segment not signed as its key asks",
      "TCP signature that does not hold",
      "TCP signature that nobody expects",
    ]);
  });

  it("believes nothing of a segment before its signature: neither its acknowledgment nor its number, timestamps, RST, SYN or data", () => {
    const talk = keyed({ family });
    const connection = talk.accept({ mss: 1440, timestamps: [100, 0] });
    const collector = new Collector(connection);
    connection.write([{ bytes: pattern(100) }]);
    talk.hear(payload(100), signed(SESAME));
    const before = connection.tcpInfo();
    for (const md5 of [undefined, OTHER]) {
      talk.say({ seq: 1, ack: 101, payload: "evil", timestamps: [1e6, 0], md5 });
      talk.say({ flags: "R", seq: 1, md5 });
      talk.say({ flags: "S", seq: 1, md5 });
      talk.say({ flags: "FA", seq: 1, ack: 101, md5 });
      talk.say({ seq: 70_000, ack: 101, md5 });
      talk.say({ seq: 1, ack: 1, timestamps: [1, 0], md5 });
    }
    talk.pass(0);
    talk.hearNothing();
    expect(connection.tcpInfo()).toEqual({ ...before, signatureDrops: 12 });
    expect(collector.length).toBe(0);
    expect(drops(talk)).toEqual({ bad: 6, unexpected: 0, missing: 6 });
    talk.say({ seq: 1, ack: 101, payload: "good", timestamps: [101, 0] });
    talk.pass(0);
    expect(collector.length).toBe(4);
  });

  it("challenges, and refuses an unacceptable acknowledgment, with signed segments", () => {
    const talk = keyed({ family });
    talk.accept();
    talk.say({ flags: "S", seq: 5000 });
    talk.hear(flags("A"), seq(1), signed(SESAME));
    talk.say({ flags: "R", seq: 2 });
    talk.hear(flags("A"), seq(1), signed(SESAME));
    talk.say({ flags: "S", sourcePort: 7, seq: 0 });
    talk.hearSyn(flags("SA"), signed(SESAME));
    talk.say({ sourcePort: 7, seq: 1, ack: 77 });
    talk.hear(flags("R"), seq(77), signed(SESAME));
    talk.say({ sourcePort: 7, seq: 300_000, ack: 1 });
    talk.hear(flags("A"), seq(1), signed(SESAME));
  });

  it("resets for a connection that we know nothing of are signed, for a segment that is", () => {
    const talk = keyed({ family });
    talk.say({ seq: 1, ack: 5, sourcePort: 9 });
    talk.hear(flags("R"), seq(5), signed(SESAME));
    talk.say({ seq: 1, ack: 5, sourcePort: 9, md5: OTHER });
    talk.hearNothing();
    // A port where nobody listens, of a peer on the port where we do: as after a crash of ours, when we had called.
    talk.say({ seq: 1, ack: 5, sourcePort: talk.ourPort, destinationPort: 50_000 });
    talk.hear(flags("R"), seq(5), signed(SESAME));
    // Others hear an ordinary one.
    talk.say({ flags: "S", destinationPort: 81, md5: undefined });
    talk.hear(flags("RA"), signed(null));
  });
});

describe("SYN cookies", () => {
  it("are signed, and taken from segments that are", () => {
    const talk = keyed({ sysctl: { "net.inet.tcp.syncookies_only": true } });
    talk.listener!.accept((stream) => stream.write([{ bytes: pattern(5) }]));
    talk.say({ flags: "S", md5: OTHER });
    talk.hearNothing();
    talk.say({ flags: "S", mss: 1460 });
    talk.hearSyn(flags("SA"), signed(SESAME));
    expect(talk.tcp.halfOpenCount).toBe(0);
    talk.say({ seq: 1, ack: 1, md5: undefined });
    talk.say({ seq: 1, ack: 1, md5: OTHER });
    talk.hearNothing();
    expect(talk.tcp.statistics.scFailCookie).toBe(0);
    talk.say({ seq: 1, ack: 1 });
    talk.hear(payload(5), signed(SESAME));
  });
});

describe("keys", () => {
  it("of the stack hold for whoever connects and for what we open; a listener's come first; null is none", async () => {
    const talk = new Conversation();
    talk.tcp.signatureKeys.set({ peer: "10.0.0.0/24" }, new Md5Key(OTHER));
    talk.listen({ signatureKeys: [{ peer: "10.0.0.2", key: new Md5Key(SESAME) }] });
    talk.tcp.listen({ port: 80 });
    talk.say({ flags: "S", md5: SESAME });
    talk.hear(flags("SA"), signed(SESAME));
    talk.say({ flags: "S", md5: OTHER, destinationPort: 80 });
    talk.hear(flags("SA"), signed(OTHER));
    void talk.tcp.connect({ address: "10.0.0.2", port: 5 }).catch(() => {});
    talk.hear(flags("S"), signed(OTHER));
    void talk.tcp.connect({ address: "10.0.0.2", port: 6 }, { signatureKey: null }).catch(() => {});
    talk.hear(flags("S"), signed(null));
    await talk.stack.close();
  });

  it("are chosen by the longest prefix, then by ports", () => {
    const talk = new Conversation();
    const keys = talk.listen().signatureKeys;
    const say = (md5: string, sourcePort: number, source: string): void => {
      talk.say({ flags: "S", md5, sourcePort, source });
      talk.hear(flags("SA"), signed(md5));
    };
    keys.set({ peer: "10.0.0.0/8" }, new Md5Key("net"));
    keys.set({ peer: "10.0.0.9/32" }, new Md5Key("host"));
    keys.set({ peer: "10.0.0.9", port: 179 }, new Md5Key("port"));
    say("net", 1, "10.0.0.7");
    say("host", 1, "10.0.0.9");
    say("port", 179, "10.0.0.9");
    expect(keys.delete({ peer: "10.0.0.9" })).toBe(true);
    expect(keys.delete({ peer: "10.0.0.9" })).toBe(false);
    say("net", 2, "10.0.0.9");
    expect([...keys].map(({ peer, port, key }) => [peer, port, key.kind])).toEqual([
      ["10.0.0.9/32", 179, "md5"],
      ["10.0.0.0/8", undefined, "md5"],
    ]);
    expect(() => keys.set({ peer: "ten" }, new Md5Key("x"))).toThrow(RangeError);
    expect(() => keys.set({ peer: "::/0", port: 65_536 }, new Md5Key("x"))).toThrow(RangeError);
  });

  it("that change under a handshake have it begin anew", () => {
    const talk = keyed();
    talk.say({ flags: "S" });
    talk.hear(flags("SA"), signed(SESAME));
    talk.listener!.signatureKeys.set({ peer: "10.0.0.2" }, new Md5Key(OTHER));
    expect(talk.tcp.halfOpenCount).toBe(0);
    talk.md5 = OTHER;
    talk.say({ flags: "S" });
    talk.hear(flags("SA"), signed(OTHER));
    talk.tcp.signatureKeys.set({ peer: "10.0.0.0/24" }, new Md5Key("not for this listener's peer"));
    expect(talk.tcp.halfOpenCount).toBe(1);
  });

  it("change on an open connection, and go: what the old one signed is dropped, and sent again", async () => {
    const talk = keyed();
    const connection = talk.accept({ mss: 1460 });
    expect(connection.tcpInfo()).toMatchObject({ signature: { kind: "md5" }, sndMss: 1440 });
    connection.setSignatureKey(new Md5Key(OTHER));
    connection.write([{ bytes: pattern(5) }]);
    talk.hear(payload(5), signed(OTHER));
    talk.say({ seq: 1, ack: 6 });
    talk.pass(300_000);
    talk.hear(payload(5), signed(OTHER));
    talk.md5 = OTHER;
    talk.say({ seq: 1, ack: 6 });
    connection.setSignatureKey(null);
    expect(connection.tcpInfo()).toMatchObject({ signature: null, sndMss: 1460 });
    connection.write([{ bytes: pattern(7) }]);
    talk.hear(payload(7), signed(null));
    talk.say({ seq: 1, ack: 13 });
    talk.say({ seq: 1, ack: 13, md5: undefined });
    expect(drops(talk)).toMatchObject({ bad: 1, unexpected: 1 });
    expect(connection.tcpInfo().sendQueue).toBe(0);
  });

  it("show nowhere: not in the listing, not in tcpInfo(), not in an inspection of the stack", () => {
    const talk = keyed();
    const connection = talk.accept();
    const shown = inspect([talk.tcp, talk.listener, connection.tcpInfo(), [...talk.tcp.connections()]], {
      depth: 12,
      showHidden: true,
    });
    const bytes = [...Buffer.from(SESAME)].slice(0, 5).join(", ");
    expect(shown).toContain("md5");
    expect(shown).not.toContain(SESAME);
    expect(shown).not.toContain(bytes);
  });

  it("of a peer in TIME-WAIT: a new SYN is judged by the listener's key, everything else by the connection's", () => {
    const talk = keyed();
    const connection = talk.accept({ mss: 1460, timestamps: [100, 0] });
    connection.shutdown();
    talk.hear(flags("FA"));
    new Collector(connection);
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hear(flags("A"));
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.listener!.signatureKeys.set({ peer: "10.0.0.2" }, new Md5Key(OTHER));
    talk.say({ flags: "S", seq: 9000, timestamps: [200, 0] });
    talk.say({ flags: "R", seq: 2, md5: OTHER });
    expect([talk.tcp.timeWaitCount, talk.tcp.statistics.sigRcvBadSig]).toEqual([1, 2]);
    talk.say({ flags: "S", seq: 9000, timestamps: [200, 0], md5: OTHER });
    talk.hear(flags("SA"), signed(OTHER));
    expect(talk.tcp.timeWaitCount).toBe(0);
  });

  it("a TIME-WAIT of ours whose listener is gone is no prey for unsigned SYNs", () => {
    const talk = keyed();
    const connection = talk.accept({ mss: 1460, timestamps: [100, 0] });
    connection.shutdown();
    new Collector(connection);
    talk.say({ flags: "FA", seq: 1, ack: 2 });
    talk.hearAll();
    void talk.listener!.close();
    talk.say({ flags: "S", seq: 9000, timestamps: [200, 0], md5: undefined });
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.hearNothing();
  });
});

describe("option space", () => {
  it("a SYN has room for everything: 40 bytes, in FreeBSD's order", async () => {
    const talk = new Conversation();
    talk.tcp.connect({ address: "10.0.0.2", port: 5 }, { signatureKey: new Md5Key(SESAME) }).catch(() => {});
    const syn = talk.hear(flags("S"), signed(SESAME));
    expect(syn.optionBytes).toHaveLength(40);
    expect(kinds(syn.optionBytes)).toEqual(["mss", "nop", "ws", "sackok", "ts", "nop", "nop", "md5"]);
    await talk.stack.close();
  });

  it("beside timestamps and a signature one SACK block finds room, beside a signature alone two", () => {
    for (const timestamps of [true, false]) {
      const talk = keyed();
      talk.accept({ mss: 1460, sackPermitted: true, ...(timestamps ? { timestamps: [100, 0] } : {}) });
      talk.say({ seq: 101, ack: 1, payload: 100 });
      const first = talk.hear(sack([101, 201]), signed(SESAME));
      expect(kinds(first.optionBytes)).toEqual([...(timestamps ? ["nop", "nop", "ts"] : []), "sack", "md5"]);
      talk.say({ seq: 301, ack: 1, payload: 100 });
      const second = talk.hear(sack([301, 401], ...(timestamps ? [] : [[101, 201] as const])), signed(SESAME));
      expect(second.optionBytes.length).toBe(timestamps ? 40 : 36);
      talk.say({ seq: 501, ack: 1, payload: 100 });
      expect(talk.hear(signed(SESAME)).sack).toHaveLength(timestamps ? 1 : 2);
    }
  });

  it("data leaves room for timestamps, a SACK block and the signature, and never goes as a super-segment", () => {
    const talk = keyed({ capabilities: { transmitChecksum: true, segmentation4: 65_535, segmentation6: 65_535 } });
    const connection = talk.accept({ mss: 1460, sackPermitted: true, timestamps: [100, 0] });
    connection.write([{ bytes: pattern(7 * 1428) }]);
    for (let i = 0; i < 7; i++) {
      const segment = talk.hear(payload(1460 - 32), signed(SESAME));
      expect([segment.segmentSize, segment.packet.length]).toEqual([0, 1500]);
    }
    talk.hearNothing();
    talk.say({ seq: 101, ack: 9997, payload: 100 });
    talk.hear(flags("A"), sack([101, 201]));
    connection.write([{ bytes: pattern(5000) }]);
    const [segment] = talk.hearAll();
    expect([segment!.payload.length, segment!.packet.length]).toEqual([1460 - 40, 1500]);
  });

  it("a smaller path MTU makes smaller signed segments", () => {
    const talk = keyed();
    const connection = talk.accept({ mss: 1460, timestamps: [100, 0] });
    connection.write([{ bytes: pattern(3000) }]);
    talk.hearAll();
    talk.stack.enter();
    talk.stack.ip.updatePathMtu(talk.peers.w0, talk.peers.w1, talk.peers.w2, talk.peers.w3, 600);
    talk.stack.leave();
    talk.pass(500_000);
    for (const segment of talk.hearAll()) expect([segment.packet.length, signed(SESAME)(segment)]).toEqual([600, null]);
  });
});

describe("net.inet.tcp.signature_verify_input", () => {
  it("off: the signature must be there, and may be wrong", () => {
    const talk = keyed({ sysctl: { "net.inet.tcp.signature_verify_input": false } });
    talk.say({ flags: "S", md5: undefined });
    talk.hearNothing();
    talk.say({ flags: "S", md5: OTHER });
    talk.hear(flags("SA"), signed(SESAME));
  });
});

describe("two stacks that sign, over a bad link", () => {
  it("get every byte across, each in a segment of its own", async () => {
    const pair = new Pair({ loss: 0.02, reorder: 0.02, duplicate: 0.01, delay: 2000 });
    pair.tcpB.signatureKeys.set({ peer: "10.0.0.1" }, new Md5Key(SESAME));
    pair.tcpA.signatureKeys.set({ peer: "10.0.0.2" }, new Md5Key(SESAME));
    const { client, server } = await pair.connect();
    const collector = new Collector(server);
    const bytes = pattern(300_000);
    await pair.clock.runToSettle(pump(client, bytes));
    pair.clock.runForSync(5e6);
    expect(Buffer.compare(collector.bytes, bytes)).toBe(0);
    for (const { statistics } of [pair.tcpA, pair.tcpB]) {
      expect(statistics.sigRcvGoodSig).toBeGreaterThan(20);
      expect(statistics.sigRcvBadSig + statistics.sigErrNoSigOpt + statistics.sndTso).toBe(0);
    }
  });
});

function kinds(options: Uint8Array): string[] {
  const names: Record<number, string> = {
    0: "end",
    1: "nop",
    2: "mss",
    3: "ws",
    4: "sackok",
    5: "sack",
    8: "ts",
    19: "md5",
  };
  const found: string[] = [];
  for (let at = 0; at < options.length; at += options[at]! < 2 ? 1 : options[at + 1]!) found.push(names[options[at]!]!);
  return found;
}
