import type { Slice } from "@nfs4/bytestream";
import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import type { TcpListenOptions } from "../../src/tcp/listeners.ts";
import { ack, Conversation, type ConversationOptions, flags, payload, seq } from "./conversation.ts";
import { Collector } from "./pair.ts";
import type { Segment } from "./segment-codec.ts";

const NONE = new Uint8Array(0);
const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A slice, and whether it was released. */
function slice(content: string | number): Slice & { released: number } {
  const bytes = typeof content === "number" ? new Uint8Array(content) : new TextEncoder().encode(content);
  const made = { bytes, released: 0, release: () => made.released++ };
  return made;
}

/** A stack that listens with Fast Open; whatever it accepts is collected. */
class Server {
  readonly talk: Conversation;
  readonly accepted: TcpConnection[] = [];
  readonly collectors: Collector[] = [];

  constructor(listen: Partial<TcpListenOptions> = {}, options: ConversationOptions = {}) {
    this.talk = new Conversation(options);
    this.talk.listen({ fastOpen: true, ...listen }).accept((stream) => {
      this.accepted.push(stream as TcpConnection);
      this.collectors.push(new Collector(stream));
    });
  }

  /** A cookie for the peer, by a connection that asks for one and is then reset. */
  cookie(sourcePort = 9): Uint8Array {
    const { talk } = this;
    talk.say({ flags: "S", mss: 1460, fastOpen: NONE, sourcePort });
    const { fastOpen } = talk.hear(flags("SA"), ack(1));
    talk.say({ flags: "R", seq: 1, sourcePort });
    if (fastOpen === null) throw new Error("no cookie was given");
    return fastOpen;
  }

  get received(): string[] {
    this.talk.pass(0);
    return this.collectors.map(({ bytes }) => text(bytes));
  }
}

describe("a Fast Open server (RFC 7413 §4.2)", () => {
  it("gives a cookie to who asks, once its listener has been told to, and to nobody else", () => {
    const server = new Server();
    expect(server.cookie()).toHaveLength(8);
    expect(server.cookie(10)).toEqual(server.cookie(11));
    server.talk.say({ flags: "S", sourcePort: 12 });
    expect(server.talk.hear(flags("SA")).fastOpen).toBeNull();
    const off = new Server({ fastOpen: false });
    off.talk.say({ flags: "S", fastOpen: NONE });
    expect(off.talk.hear(flags("SA")).fastOpen).toBeNull();
    const disabled = new Server({}, { sysctl: { "net.inet.tcp.fastopen.server_enable": false } });
    disabled.talk.say({ flags: "S", fastOpen: NONE });
    expect(disabled.talk.hear(flags("SA")).fastOpen).toBeNull();
  });

  for (const family of [4, 6] as const) {
    it(`hands over what comes with the SYN before the handshake is complete, and the answer goes out as early (IPv${family})`, () => {
      const server = new Server({}, { family });
      const { talk } = server;
      const fastOpen = server.cookie();
      talk.say({ flags: "S", mss: 1400, fastOpen, payload: "question" });
      expect(server.received).toEqual(["question"]);
      expect(talk.hearSyn(flags("SA"), ack(9), payload(0)).fastOpen).toBeNull();
      const [connection] = server.accepted;
      expect(connection!.tcpInfo()).toMatchObject({ state: "SYN-RECEIVED", fastOpen: true });
      connection!.write([slice("answer")]);
      talk.hear(flags("A"), seq(1), ack(9), payload(6));
      talk.say({ seq: 9, ack: 7 });
      expect(connection!.tcpInfo()).toMatchObject({ state: "ESTABLISHED", sendQueue: 0, fastOpen: true });
      talk.say({ seq: 9, ack: 7, payload: ", and another" });
      expect(server.received).toEqual(["question, and another"]);
      expect(talk.tcp.statistics).toMatchObject({ foTaken: 1, accepts: 1, connects: 1, scCompleted: 0 });
    });
  }

  it("refuses data that comes with a wrong cookie or none, and gives the right one: the handshake is an ordinary one", () => {
    for (const fastOpen of [COOKIE, COOKIE.subarray(0, 4), NONE]) {
      const server = new Server();
      const { talk } = server;
      talk.say({ flags: "S", mss: 1460, fastOpen, payload: "data" });
      expect(talk.hearSyn(flags("SA"), ack(1)).fastOpen).toEqual(server.cookie());
      expect(server.accepted).toHaveLength(0);
      talk.say({ seq: 1, ack: 1, payload: "data" });
      expect(server.received).toEqual(["data"]);
      expect(talk.tcp.statistics.foBadCookie).toBe(fastOpen.length === 0 ? 0 : 1);
    }
  });

  it("a cookie is good for one peer, and for every one of its bits", () => {
    const server = new Server();
    const { talk } = server;
    const good = server.cookie();
    talk.say({ flags: "S", fastOpen: good, payload: "data", source: "10.0.0.3" });
    talk.hear(flags("SA"), ack(1));
    for (let bit = 0; bit < 64; bit++) {
      const fastOpen = good.slice();
      fastOpen[bit >>> 3]! ^= 1 << (bit & 7);
      talk.say({ flags: "S", fastOpen, payload: "data", sourcePort: 1000 + bit });
      talk.hear(flags("SA"), ack(1));
    }
    expect(server.accepted).toHaveLength(0);
    talk.stack.sysctl.set("net.inet.tcp.fastopen.acceptany", true);
    talk.say({ flags: "S", fastOpen: COOKIE, payload: "data" });
    expect(server.received).toEqual(["data"]);
  });

  it("cookies outlive one change of the key, and are then replaced (§4.1.2)", () => {
    const server = new Server({}, { sysctl: { "net.inet.tcp.fastopen.autokey": 60 } });
    const { talk } = server;
    const fastOpen = server.cookie();
    talk.pass(61e6);
    talk.say({ flags: "S", fastOpen, payload: "data", sourcePort: 1 });
    const { fastOpen: next } = talk.hearSyn(flags("SA"), ack(5));
    expect(next).not.toEqual(fastOpen);
    talk.say({ seq: 5, ack: 1, sourcePort: 1 });
    talk.pass(61e6);
    talk.say({ flags: "S", fastOpen, payload: "data", sourcePort: 2 });
    talk.hear(flags("SA"), ack(1));
    talk.say({ flags: "S", fastOpen: next!, payload: "data", sourcePort: 3 });
    talk.hear(flags("SA"), ack(5));
  });

  it("lets only so many wait for the end of their handshake; what was reset counts for a minute (§5.1)", () => {
    const server = new Server({ fastOpenPending: 2 });
    const { talk } = server;
    const fastOpen = server.cookie();
    const taken = (sourcePort: number): boolean => {
      talk.say({ flags: "S", fastOpen, payload: "data", sourcePort });
      return talk.hearSyn(flags("SA")).ack === 5;
    };
    expect([taken(1), taken(2), taken(3)]).toEqual([true, true, false]);
    expect(talk.tcp.statistics.foOverflow).toBe(1);
    talk.say({ flags: "R", seq: 5, sourcePort: 1 });
    expect(taken(4)).toBe(false);
    talk.pass(60e6);
    talk.hearAll();
    expect([taken(5), taken(6), taken(7)]).toEqual([true, true, false]);
  });

  it("a request whose handshake is complete makes room at once", () => {
    const server = new Server({ fastOpenPending: 1 });
    const { talk } = server;
    const fastOpen = server.cookie();
    for (const sourcePort of [1, 2, 3]) {
      talk.say({ flags: "S", fastOpen, payload: "data", sourcePort });
      talk.hearSyn(flags("SA"), ack(5));
      talk.say({ seq: 5, ack: 1, sourcePort });
    }
    expect(server.received).toEqual(["data", "data", "data"]);
  });

  it("sends a SYN,ACK that was lost again with neither option nor data, and the data behind the handshake", () => {
    const server = new Server({}, { sysctl: { "net.inet.tcp.fastopen.autokey": 60 } });
    const { talk } = server;
    const fastOpen = server.cookie();
    talk.pass(61e6);
    talk.say({ flags: "S", mss: 1460, fastOpen, payload: "data" });
    talk.pass(0);
    expect(talk.hearSyn(flags("SA"), ack(5)).fastOpen).not.toBeNull();
    server.accepted[0]!.write([slice("answer")]);
    talk.hear(flags("A"), seq(1), payload(6));
    for (const seconds of [1, 2]) {
      talk.pass(seconds * 1e6);
      expect(talk.hear(flags("SA"), seq(0), ack(5), payload(0)).fastOpen).toBeNull();
      talk.hearNothing();
    }
    // The client's SYN comes again too, without data by now: no byte is taken twice.
    talk.say({ flags: "S", mss: 1460 });
    talk.hear(flags("SA"), seq(0), ack(5));
    talk.say({ seq: 5, ack: 1 });
    talk.hear(flags("A"), seq(1), ack(5), payload(6));
    talk.say({ seq: 5, ack: 7 });
    expect(server.accepted[0]!.tcpInfo()).toMatchObject({ state: "ESTABLISHED", sendQueue: 0 });
    expect(server.received).toEqual(["data"]);
  });

  it("gives up a handshake that nobody completes", async () => {
    const server = new Server();
    const { talk } = server;
    talk.say({ flags: "S", fastOpen: server.cookie(), payload: "data" });
    talk.hearSyn(flags("SA"));
    await talk.clock.runFor(30e6);
    expect(talk.hearAll().map((segment) => segment.flags)).toEqual(["SA", "SA", "SA", "RA"]);
    expect((await server.accepted[0]!.closed).how).toBe("timeout");
    expect(talk.tcp.connectionCount).toBe(0);
  });

  it("a reset in the handshake ends the connection that its user has already", async () => {
    const server = new Server();
    const { talk } = server;
    talk.say({ flags: "S", fastOpen: server.cookie(), payload: "data" });
    talk.hearSyn(flags("SA"));
    talk.say({ flags: "R", seq: 5 });
    const end = await server.accepted[0]!.closed;
    expect(end).toMatchObject({ how: "reset", error: { code: "ECONNRESET" } });
  });

  it("a FIN of ours waits until the handshake is complete", () => {
    const server = new Server();
    const { talk } = server;
    talk.say({ flags: "S", mss: 1460, fastOpen: server.cookie(), payload: "data" });
    talk.hearSyn(flags("SA"));
    server.accepted[0]!.write([slice("all")]);
    talk.hear(flags("A"), payload(3));
    server.accepted[0]!.shutdown();
    talk.hearNothing();
    talk.say({ seq: 5, ack: 4 });
    talk.hear(flags("FA"), seq(4));
    expect(server.accepted[0]!.tcpInfo().state).toBe("FIN-WAIT-1");
  });

  it("a duplicate of the SYN is not taken twice while anything is known of its connection, TIME-WAIT included; afterwards it is (§6.1)", () => {
    const server = new Server();
    const { talk } = server;
    const fastOpen = server.cookie();
    const syn = { flags: "S", mss: 1460, fastOpen, payload: "data" } as const;
    talk.say(syn);
    talk.hearSyn(flags("SA"), ack(5));
    talk.say({ seq: 5, ack: 1 });
    talk.say(syn);
    talk.hear(flags("A"), ack(5));
    server.accepted[0]!.shutdown();
    talk.hear(flags("FA"), seq(1));
    talk.say({ flags: "FA", seq: 5, ack: 2 });
    talk.hear(flags("A"), ack(6));
    expect(talk.tcp.timeWaitCount).toBe(1);
    talk.say(syn);
    talk.hear(flags("A"), ack(6));
    expect(server.received).toEqual(["data"]);
    talk.pass(60e6);
    talk.say(syn);
    expect(server.received).toEqual(["data", "data"]);
  });

  it("a SYN with a FIN is an ordinary one", () => {
    const server = new Server();
    server.talk.say({ flags: "FS", fastOpen: server.cookie(), payload: "data" });
    server.talk.hear(flags("SA"), ack(1));
  });
});

/** A stack that calls; the script is the server. */
class Client {
  readonly talk: Conversation;

  constructor(options: ConversationOptions = {}) {
    this.talk = new Conversation(options);
  }

  /** The SYN of a call that wants to bring these, and the promise of its connection. */
  call(...slices: Slice[]): { syn: Segment; promise: Promise<TcpConnection> } {
    const { talk } = this;
    const { peerPort: port } = talk;
    const promise = talk.tcp.connect({ address: talk.peers.toString(), port }, { fastOpen: slices });
    promise.catch(() => {});
    const syn = talk.hearSyn(flags("S"));
    talk.ourPort = syn.sourcePort;
    return { syn, promise };
  }

  /** A call that gets a cookie. */
  async learn(mss = 1460): Promise<void> {
    const { talk } = this;
    const { syn, promise } = this.call();
    expect(syn.fastOpen).toEqual(NONE);
    talk.say({ flags: "SA", ack: 1, mss, fastOpen: COOKIE });
    (await promise).abort();
    talk.hearAll();
  }
}

describe("a Fast Open client (RFC 7413 §4.2)", () => {
  it("asks for a cookie first: the data follows the handshake", async () => {
    const client = new Client();
    const { talk } = client;
    const data = slice("question");
    const { syn, promise } = client.call(data);
    expect([syn.fastOpen, syn.payload.length]).toEqual([NONE, 0]);
    talk.say({ flags: "SA", ack: 1, mss: 1460, fastOpen: COOKIE });
    const connection = await promise;
    talk.hear(flags("A"), seq(1), ack(1), payload(8));
    talk.say({ seq: 1, ack: 9 });
    expect([data.released, connection.tcpInfo().fastOpen]).toEqual([1, false]);
  });

  it("then sends its data with the SYN, which the SYN,ACK acknowledges; the server's answer may come with it", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const data = slice("question");
    const { syn, promise } = client.call(data);
    expect([syn.fastOpen, text(syn.payload)]).toEqual([COOKIE, "question"]);
    talk.say({ flags: "SA", ack: 9, mss: 1460, payload: "answer" });
    talk.hear(flags("A"), seq(9), ack(7), payload(0));
    const connection = await promise;
    const collector = new Collector(connection);
    talk.pass(0);
    expect(text(collector.bytes)).toBe("answer");
    expect(connection.tcpInfo()).toMatchObject({ fastOpen: true, sendQueue: 0, retransmits: 0, bytesSent: 8 });
    expect([data.released, talk.tcp.sendMemory]).toEqual([1, 0]);
    connection.write([slice("more")]);
    talk.hear(flags("A"), seq(9), payload(4));
    expect(talk.tcp.statistics).toMatchObject({ foSent: 1, foAccepted: 1, foBlackHole: 0 });
  });

  it("sends at once again what the server has not taken, in the acknowledgment of the SYN,ACK; a new cookie replaces the old", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const { promise } = client.call(slice("question"));
    const fastOpen = Uint8Array.of(9, 9, 9, 9);
    talk.say({ flags: "SA", ack: 1, mss: 1460, fastOpen });
    talk.hear(flags("A"), seq(1), ack(1), payload(8));
    expect((await promise).tcpInfo().fastOpen).toBe(false);
    expect(client.call(slice("next")).syn.fastOpen).toEqual(fastOpen);
  });

  it("asks anew when a server takes no data and gives no cookie (§4.2.1 step 3)", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const { promise } = client.call(slice("question"));
    talk.say({ flags: "SA", ack: 1, mss: 1460 });
    talk.hear(flags("A"), payload(8));
    await promise;
    expect(client.call(slice("next")).syn.fastOpen).toEqual(NONE);
  });

  it("of more than fits, the SYN takes what the server's MSS then leaves beside its options, and the rest follows", async () => {
    for (const [mss, taken] of [
      [1460, 1420],
      [600, 560],
      [9000, 1420],
    ] as const) {
      const client = new Client({ capabilities: { mtu: 9200 } });
      const { talk } = client;
      await client.learn(mss);
      const { syn, promise } = client.call(slice(2000));
      expect(syn.payload).toHaveLength(taken);
      talk.say({ flags: "SA", ack: 1 + taken, mss: 1460 });
      const connection = await promise;
      connection.setNoDelay(true);
      const rest = talk.hearAll();
      expect(rest.map((segment) => segment.seq)[0]).toBe(1 + taken);
      expect(rest.reduce((sum, segment) => sum + segment.payload.length, 0)).toBe(2000 - taken);
    }
  });

  it("after a timeout the SYN goes without option and data; a path that answers only then gets none for 15 minutes, then 30, then asks again", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const fail = async (): Promise<void> => {
      const { syn, promise } = client.call(slice("question"));
      expect(syn.fastOpen).not.toBeNull();
      talk.pass(1e6);
      const again = talk.hear(flags("S"), seq(0), payload(0));
      expect(again.fastOpen).toBeNull();
      talk.say({ flags: "SA", ack: 1, mss: 1460 });
      talk.hear(flags("A"), seq(1), payload(8));
      (await promise).abort();
      talk.hearAll();
    };
    const isOff = async (): Promise<boolean> => {
      const { syn, promise } = client.call(slice("question"));
      talk.say({ flags: "RA", ack: 1 });
      await expect(promise).rejects.toMatchObject({ code: "ECONNREFUSED" });
      return syn.fastOpen === null && syn.payload.length === 0;
    };
    await fail();
    expect(talk.tcp.statistics.foBlackHole).toBe(1);
    expect(await isOff()).toBe(true);
    await talk.clock.runFor(899e6);
    expect(await isOff()).toBe(true);
    await talk.clock.runFor(1e6);
    await fail();
    await talk.clock.runFor(1799e6);
    expect(await isOff()).toBe(true);
    await talk.clock.runFor(1e6);
    expect(await isOff()).toBe(false);
    // Another port is another path (§4.1.3.1).
    await fail();
    talk.peerPort = 41_000;
    expect(await isOff()).toBe(false);
  });

  it("a SYN,ACK that comes late but acknowledges the data is no black hole", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const { promise } = client.call(slice("question"));
    talk.pass(1e6);
    talk.hear(flags("S"), payload(0));
    talk.say({ flags: "SA", ack: 9, mss: 1460 });
    talk.hear(flags("A"), seq(9), payload(0));
    expect((await promise).tcpInfo()).toMatchObject({ fastOpen: true, sendQueue: 0 });
    expect(talk.tcp.statistics.foBlackHole).toBe(0);
  });

  it("a server that never answers is a negative answer too", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const promise = talk.tcp.connect(
      { address: "10.0.0.2", port: talk.peerPort },
      { fastOpen: [slice("question")], timeoutMs: 5000 },
    );
    const failed = expect(promise).rejects.toMatchObject({ code: "ETIMEDOUT" });
    await talk.clock.runFor(5e6);
    await failed;
    talk.hearAll();
    expect(client.call().syn.fastOpen).toBeNull();
  });

  it("two calls that cross do without", async () => {
    const client = new Client();
    const { talk } = client;
    await client.learn();
    const { promise } = client.call(slice("question"));
    talk.say({ flags: "S", mss: 1460 });
    expect(talk.hear(flags("SA"), seq(0), ack(1), payload(0)).fastOpen).toBeNull();
    talk.say({ flags: "SA", ack: 1, mss: 1460 });
    talk.say({ seq: 1, ack: 1 });
    await promise;
    expect(text(talk.hearAll().at(-1)!.payload)).toBe("question");
  });

  it("does without where it is switched off, and where nothing was given to send", async () => {
    const off = new Client({ sysctl: { "net.inet.tcp.fastopen.client_enable": false } });
    expect(off.call(slice("question")).syn.fastOpen).toBeNull();
    const talk = new Conversation();
    void talk.tcp.connect({ address: "10.0.0.2", port: 1 }).catch(() => {});
    expect(talk.hear(flags("S")).fastOpen).toBeNull();
  });

  it("remembers only so many paths: the one least recently used goes", async () => {
    const client = new Client({ sysctl: { "net.inet.tcp.fastopen.ccache_limit": 2 } });
    const { talk } = client;
    for (const port of [1, 2]) {
      talk.peerPort = port;
      await client.learn();
    }
    talk.peerPort = 1;
    expect(client.call().syn.fastOpen).toEqual(COOKIE);
    talk.peerPort = 3;
    await client.learn();
    talk.peerPort = 1;
    expect(client.call().syn.fastOpen).toEqual(COOKIE);
    talk.peerPort = 2;
    expect(client.call().syn.fastOpen).toEqual(NONE);
  });

  it("releases what it was given when the connection fails, at once or later", async () => {
    const client = new Client();
    const { talk } = client;
    const data = slice("question");
    await expect(talk.tcp.connect({ address: "10.9.9.9", port: 1 }, { fastOpen: [data] })).rejects.toThrow();
    expect(data.released).toBe(1);
    const later = slice("question");
    const { promise } = client.call(later);
    talk.say({ flags: "RA", ack: 1 });
    await expect(promise).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(later.released).toBe(1);
    expect(talk.tcp.sendMemory).toBe(0);
  });
});
