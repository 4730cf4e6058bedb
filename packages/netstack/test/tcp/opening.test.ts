import type { ConnectError } from "@nfs4/bytestream";
import { describe, expect, it } from "vitest";
import { ack, Conversation, flags, mss, PEER_ISS, payload, seq, window } from "./conversation.ts";
import { Collector } from "./pair.ts";

describe("passive open (RFC 9293 §3.10.7.2)", () => {
  it("answers a SYN, and gives the connection when the handshake is complete", () => {
    const talk = new Conversation();
    const accepted: unknown[] = [];
    talk.listen().accept((stream) => accepted.push(stream));
    talk.say({ flags: "S", mss: 1460 });
    const answer = talk.hearSyn(flags("SA"));
    expect(answer.ack).toBe(1);
    expect(talk.tcp.halfOpenCount).toBe(1);
    expect(accepted).toHaveLength(0);
    talk.say({ seq: 1, ack: 1 });
    talk.hearNothing();
    expect(accepted).toHaveLength(1);
    expect(talk.tcp.halfOpenCount).toBe(0);
    expect([...talk.tcp.connections()].map((connection) => connection.state)).toEqual(["ESTABLISHED"]);
  });

  it("takes data that comes with the acknowledgment of our SYN", () => {
    const talk = new Conversation();
    const listener = talk.listen();
    let collector: Collector | null = null;
    listener.accept((stream) => {
      collector = new Collector(stream);
    });
    talk.say({ flags: "S" });
    talk.hearSyn(flags("SA"));
    talk.say({ seq: 1, ack: 1, flags: "PA", payload: "early" });
    talk.pass(0);
    expect(new TextDecoder().decode(collector!.bytes)).toBe("early");
  });

  it("waits for accept() with at most `backlog` connections, and lets further handshakes wait", () => {
    const talk = new Conversation();
    const listener = talk.listen({ backlog: 2 });
    for (const sourcePort of [1, 2, 3]) {
      talk.say({ flags: "S", sourcePort });
      if (sourcePort === 3) continue;
      talk.hearSyn(flags("SA"));
      talk.say({ seq: 1, ack: 1, sourcePort });
    }
    talk.hearNothing();
    expect(listener.waiting).toBe(2);
    expect(talk.tcp.statistics.listenDrop).toBe(1);
    const ports: number[] = [];
    listener.accept((stream) => ports.push(stream.peerAddress.port));
    expect(ports).toEqual([1, 2]);
  });

  it("bounds the connections of all listeners and callers (kern.ipc.maxsockets), and goes on when one ends", async () => {
    const talk = new Conversation({ sysctl: { "kern.ipc.maxsockets": 2 } });
    const listener = talk.listen();
    listener.accept(() => {});
    talk.say({ flags: "S", sourcePort: 3 });
    talk.hearSyn(flags("SA"));
    const { iss } = talk;
    for (const sourcePort of [1, 2]) {
      talk.say({ flags: "S", sourcePort });
      talk.hearSyn(flags("SA"));
      talk.say({ seq: 1, ack: 1, sourcePort });
    }
    talk.say({ flags: "S", sourcePort: 4 });
    talk.iss = iss;
    talk.say({ seq: 1, ack: 1, sourcePort: 3 });
    talk.hearNothing();
    expect([talk.tcp.connectionCount, talk.tcp.statistics.listenDrop]).toEqual([2, 2]);
    await expect(talk.tcp.connect({ address: "10.0.0.2", port: 1 })).rejects.toMatchObject({ code: "ENOBUFS" });
    talk.say({ flags: "R", seq: 1, sourcePort: 1 });
    talk.say({ seq: 1, ack: 1, sourcePort: 3 });
    expect([talk.tcp.connectionCount, talk.tcp.statistics.accepts]).toEqual([2, 3]);
  });

  it("bounds the half-open connections of a listener: without cookies the oldest goes", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.syncookies": false } });
    const listener = talk.listen({ backlog: 1 });
    for (let i = 0; i < 100; i++) talk.say({ flags: "S", sourcePort: 1000 + i });
    expect(talk.hearAll()).toHaveLength(100);
    expect(talk.tcp.halfOpenCount).toBe(listener.halfOpenLimit);
    expect(talk.tcp.statistics.scBucketOverflow).toBe(100 - listener.halfOpenLimit);
  });

  it("MUST-22 sends a SYN,ACK again with growing pauses, and gives up", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    const first = talk.hear(flags("SA"));
    for (const seconds of [1, 2, 4]) {
      talk.pass(seconds * 1e6 - 1);
      talk.hearNothing();
      talk.pass(1);
      talk.hear(flags("SA"), seq(first.seq));
    }
    talk.pass(8e6);
    talk.hearNothing();
    expect(talk.tcp.halfOpenCount).toBe(0);
    expect(talk.tcp.statistics.scStale).toBe(1);
  });

  it("answers the same SYN again when it comes again", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    const first = talk.hear(flags("SA"));
    talk.say({ flags: "S" });
    talk.hear(flags("SA"), seq(first.seq));
    expect(talk.tcp.halfOpenCount).toBe(1);
  });

  it("a reset returns the half-open connection to LISTEN, if its sequence number is exact", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    talk.hear(flags("SA"));
    talk.say({ flags: "R", seq: 2 });
    talk.hear(flags("A"), ack(1));
    expect(talk.tcp.halfOpenCount).toBe(1);
    talk.say({ flags: "R", seq: 1 });
    expect(talk.tcp.halfOpenCount).toBe(0);
    talk.hearNothing();
  });

  it("MUST-11 a new SYN in the window of a half-open passive connection returns it to LISTEN, which answers it", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    talk.hear(flags("SA"), ack(1));
    talk.say({ flags: "S", seq: 100 });
    talk.hear(flags("SA"), ack(101));
    expect(talk.tcp.halfOpenCount).toBe(1);
  });

  it("what is out of the window of a half-open connection is acknowledged, at most five times a second", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S" });
    talk.hearSyn(flags("SA"));
    for (let i = 0; i < 20; i++) talk.say({ seq: 100_000, ack: 1 });
    expect(talk.hearAll()).toHaveLength(5);
    expect(talk.tcp.statistics.rcvPackAfterWin).toBe(20);
  });

  it("what lacks the timestamps that were agreed on completes no handshake (RFC 7323 §3.2)", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", mss: 1460, timestamps: [7, 0] });
    const { timestamps } = talk.hearSyn();
    talk.say({ seq: 1, ack: 1 });
    expect(talk.tcp).toMatchObject({ connectionCount: 0, halfOpenCount: 1 });
    expect(talk.tcp.statistics.tsMissing).toBe(1);
    talk.say({ seq: 1, ack: 1, timestamps: [8, timestamps![0]] });
    expect(talk.tcp).toMatchObject({ connectionCount: 1, halfOpenCount: 0 });
  });

  it("a wrong acknowledgment of our SYN is answered by a reset (RFC 9293 §3.10.7.4 step 5)", () => {
    const talk = new Conversation();
    talk.listen().accept(() => {});
    talk.say({ flags: "S" });
    talk.hearSyn(flags("SA"));
    talk.say({ seq: 1, ack: 77 });
    talk.hear(flags("R"), seq(77));
    expect(talk.tcp.statistics.scBadAck).toBe(1);
    talk.say({ seq: 1, ack: 1 });
    expect(talk.tcp.connectionCount).toBe(1);
  });

  it("answers an ACK to a listener by a reset, and ignores resets", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ seq: 5, ack: 99 });
    talk.hear(flags("R"), seq(99));
    talk.say({ flags: "R", seq: 5 });
    talk.say({ flags: "RA", seq: 5, ack: 9 });
    talk.say({ flags: "", seq: 5 });
    talk.hearNothing();
  });

  it("resets what a closed listener had not handed out, and refuses from then on", async () => {
    const talk = new Conversation();
    const listener = talk.listen();
    talk.say({ flags: "S" });
    talk.hearSyn(flags("SA"));
    talk.say({ seq: 1, ack: 1 });
    await listener.close();
    talk.hear(flags("RA"), seq(1));
    talk.say({ flags: "S", sourcePort: 7 });
    talk.hear(flags("RA"), ack(1));
  });

  it("MUST-41 a listener does not disturb connections or other listeners on its port", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.iface.addAddress("10.0.0.9/24");
    const second = talk.tcp.listen({ port: talk.ourPort, address: "10.0.0.9" });
    const collector = new Collector(connection);
    talk.say({ seq: 1, ack: 1, flags: "PA", payload: "still here" });
    talk.pass(0);
    expect(collector.length).toBe(10);
    void second.close();
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
  });

  it("MUST-42 listens on one port for many peers at once, and on one port of several addresses", () => {
    const talk = new Conversation();
    talk.iface.addAddress("10.0.0.9/24");
    const seen: string[] = [];
    talk.tcp.listen({ port: 2049 }).accept((stream) => seen.push(`any ${stream.peerAddress.port}`));
    talk.tcp
      .listen({ port: 2049, address: "10.0.0.9" })
      .accept((stream) => seen.push(`${stream.localAddress.address} ${stream.peerAddress.port}`));
    expect(() => talk.tcp.listen({ port: 2049 })).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    for (const [sourcePort, destination] of [
      [1, "10.0.0.1"],
      [2, "10.0.0.1"],
      [3, "10.0.0.9"],
    ] as const) {
      talk.say({ flags: "S", sourcePort, destination });
      talk.hearSyn(flags("SA"));
      talk.say({ seq: 1, ack: 1, sourcePort, destination });
    }
    expect(seen).toEqual(["any 1", "any 2", "10.0.0.9 3"]);
  });

  it("MUST-45 a connection keeps the address to which its SYN came", () => {
    const talk = new Conversation();
    talk.iface.addAddress("10.0.0.9/24");
    talk.listen();
    talk.say({ flags: "S", destination: "10.0.0.9" });
    expect(talk.hear(flags("SA")).source).toBe("10.0.0.9");
  });

  it("MUST-63 ignores a SYN from an address that cannot be a host's", () => {
    const talk = new Conversation();
    talk.listen();
    for (const source of ["224.0.0.5", "255.255.255.255", "10.0.0.255", "0.0.0.0"]) talk.say({ flags: "S", source });
    talk.hearNothing();
    expect(talk.tcp.halfOpenCount).toBe(0);
  });

  it("MUST-57 silently discards segments to broadcast and multicast addresses", () => {
    const talk = new Conversation();
    talk.listen();
    for (const destination of ["255.255.255.255", "10.0.0.255", "224.0.0.1"]) {
      talk.say({ flags: "S", destination });
      talk.say({ flags: "A", ack: 1, destination });
    }
    talk.hearNothing();
    expect([talk.tcp.halfOpenCount, talk.tcp.statistics.rcvBadAddr]).toEqual([0, 6]);
    const talk6 = new Conversation({ family: 6 });
    talk6.listen();
    talk6.say({ flags: "S", destination: "ff02::1" });
    talk6.hearNothing();
    expect(talk6.tcp.statistics.rcvBadAddr).toBe(1);
  });
});

describe("a port without listener (RFC 9293 §3.10.7.1)", () => {
  it("answers by a reset that the sender will accept", () => {
    const talk = new Conversation();
    talk.say({ flags: "S", payload: 10 });
    talk.hear(flags("RA"), seq(0), ack(11));
    talk.say({ flags: "FA", seq: 3, ack: 1234 });
    talk.hear(flags("R"), seq(1234));
    talk.say({ flags: "R", seq: 3 });
    talk.hearNothing();
    expect(talk.tcp.statistics.noPort).toBe(3);
  });

  it("keeps silent if net.inet.tcp.blackhole says so", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.blackhole": 1 } });
    talk.say({ flags: "S" });
    talk.hearNothing();
    talk.say({ seq: 1, ack: 5 });
    talk.hear(flags("R"));
    talk.stack.sysctl.set("net.inet.tcp.blackhole", 2);
    talk.say({ seq: 1, ack: 5 });
    talk.hearNothing();
  });
});

describe("active open (RFC 9293 §3.10.7.3)", () => {
  it("completes the handshake", async () => {
    const talk = new Conversation();
    const connection = await talk.connect();
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
    expect(connection.peerAddress).toEqual({ family: "IPv4", address: "10.0.0.2", port: 40_000 });
    expect(connection.localAddress.port).toBeGreaterThanOrEqual(10_000);
  });

  it("MUST-10 two calls that cross become one connection (simultaneous open)", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.say({ flags: "S", mss: 1400 });
    talk.hear(flags("SA"), seq(0), ack(1));
    talk.say({ flags: "SA", ack: 1, mss: 1400 });
    talk.say({ seq: 1, ack: 1 });
    const connection = await promise;
    expect(connection.tcpInfo().state).toBe("ESTABLISHED");
    const collector = new Collector(connection);
    connection.write([{ bytes: new Uint8Array(5) }]);
    expect(talk.hearAll().at(-1)).toMatchObject({ seq: 1, ack: 1, payload: new Uint8Array(5) });
    talk.say({ seq: 1, ack: 6, payload: "pong" });
    talk.pass(0);
    expect(collector.length).toBe(4);
  });

  it("the window of the SYN,ACK that completes a simultaneous open is not scaled (RFC 7323 §2.2)", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.say({ flags: "S", mss: 1460, windowShift: 8, window: 1000 });
    talk.hear(flags("SA"));
    talk.say({ flags: "SA", ack: 1, mss: 1460, windowShift: 8, window: 1000 });
    const connection = await promise;
    expect(connection.tcpInfo().sndWnd).toBeLessThanOrEqual(1024);
    talk.say({ seq: 1, ack: 1, window: 1000 });
    expect(connection.tcpInfo().sndWnd).toBe(256_000);
  });

  it("the peer's SYN and its acknowledgment of ours in one batch make a connection that sends", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.sayAll([
      { flags: "S", mss: 1460 },
      { seq: 1, ack: 1 },
    ]);
    const connection = await promise;
    connection.write([{ bytes: new Uint8Array(3) }]);
    expect(talk.hearAll().at(-1)).toMatchObject({ seq: 1, ack: 1, payload: new Uint8Array(3) });
  });

  it("MUST-11 a reset in SYN-RECEIVED after an active open means refused", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.say({ flags: "S" });
    talk.hear(flags("SA"));
    talk.say({ flags: "R", seq: 1 });
    await expect(promise).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("rejects with ECONNREFUSED when the peer resets", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.say({ flags: "RA", ack: 1 });
    await expect(promise).rejects.toMatchObject({ name: "ConnectError", code: "ECONNREFUSED", port: 40_000 });
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("ignores a reset without ACK, and answers a wrong ACK by a reset", () => {
    const talk = new Conversation();
    void talk.callOut();
    talk.say({ flags: "R", seq: 0 });
    talk.say({ flags: "RA", ack: 500 });
    talk.hearNothing();
    talk.say({ flags: "SA", ack: 500 });
    talk.hear(flags("R"), seq(500));
    talk.say({ flags: "A", ack: 1 });
    talk.hearNothing();
    expect(talk.tcp.connectionCount).toBe(1);
  });

  it("MUST-22, MUST-23 sends its SYN again with exponential pauses for at least 3 minutes", async () => {
    const talk = new Conversation();
    const started = talk.clock.coarse();
    const promise = talk.callOut();
    let failed: ConnectError | null = null;
    promise.catch((error: ConnectError) => {
      failed = error;
    });
    for (const seconds of [1, 2, 4, 8, 16, 32, 64]) {
      talk.pass(seconds * 1e6);
      talk.hear(flags("S"), seq(0));
    }
    await talk.clock.runFor(50e6);
    expect(failed).toBeNull();
    await talk.clock.runFor(60e6);
    expect(failed).toMatchObject({ code: "ETIMEDOUT" });
    expect(talk.clock.coarse() - started).toBeGreaterThan(180e6);
  });

  it("gives up after timeoutMs, and when its signal aborts", async () => {
    const talk = new Conversation();
    const timed = talk.callOut({ timeoutMs: 2500 });
    const timedOut = expect(timed).rejects.toMatchObject({ code: "ETIMEDOUT" });
    await talk.clock.runFor(2.5e6);
    await timedOut;
    talk.hearAll();
    const controller = new AbortController();
    const aborted = talk.callOut({ signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ABORT_ERR" });
    await expect(
      talk.tcp.connect({ address: "10.0.0.2", port: 1 }, { signal: controller.signal }),
    ).rejects.toMatchObject({ code: "ABORT_ERR" });
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("MUST-44 asks IP for the source address", () => {
    const talk = new Conversation();
    void talk.callOut();
    expect([...talk.tcp.connections()][0]!.localAddress).toBe("10.0.0.1");
  });

  it("MUST-43 takes a local address, and a local port, if the user names them", async () => {
    const talk = new Conversation();
    talk.iface.addAddress("10.0.0.9/24");
    void talk.callOut({ localAddress: "10.0.0.9", localPort: 1234 });
    expect([...talk.tcp.connections()][0]).toMatchObject({ localAddress: "10.0.0.9", localPort: 1234 });
    const to = { address: "10.0.0.2", port: talk.peerPort };
    const again = talk.tcp.connect(to, { localAddress: "10.0.0.9", localPort: 1234 });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(talk.tcp.connect(to, { localAddress: "10.0.0.77" })).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  it("MUST-46 refuses to open to broadcast, multicast and unspecified addresses", async () => {
    const talk = new Conversation();
    for (const address of ["10.0.0.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "::", "ff02::1"]) {
      await expect(talk.tcp.connect({ address, port: 1 }), address).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
    }
    await expect(talk.tcp.connect({ address: "10.9.9.9", port: 1 })).rejects.toMatchObject({ code: "ENETUNREACH" });
    await expect(talk.tcp.connect({ address: "nonsense", port: 1 })).rejects.toMatchObject({ code: "EINVAL" });
    talk.hearNothing();
  });

  it("takes data that comes with the SYN,ACK", async () => {
    const talk = new Conversation();
    const promise = talk.callOut();
    talk.say({ flags: "SA", ack: 1, payload: "hi" });
    talk.hear(flags("A"), seq(1), ack(3));
    const collector = new Collector(await promise);
    talk.pass(0);
    expect(collector.length).toBe(2);
  });

  it("can close before it is open: the FIN follows the handshake", async () => {
    const talk = new Conversation();
    const connection = await talk.connect();
    connection.shutdown();
    talk.hear(flags("FA"), seq(1), payload(0));
    expect(connection.tcpInfo().state).toBe("FIN-WAIT-1");
  });
});

describe("the SYN", () => {
  it("offers what FreeBSD's does: MSS, window scale, SACK, timestamps", () => {
    const talk = new Conversation();
    void talk.tcp.connect({ address: "10.0.0.2", port: 9 }).catch(() => {});
    const syn = talk.hear(flags("S"), mss(1460), window(65_535));
    expect([...syn.optionBytes.subarray(0, 12)]).toEqual([2, 4, 5, 180, 1, 3, 3, syn.windowShift, 4, 2, 8, 10]);
    expect(syn.optionBytes).toHaveLength(20);
    expect(PEER_ISS).toBeGreaterThan(0);
  });
});
