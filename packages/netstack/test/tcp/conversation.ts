import { type RandomSource, SeededRandom, type Timespec, VirtualClock } from "@nfs4/timecounter";
import { expect } from "vitest";
import { Address } from "../../src/address.ts";
import type { DriverCapabilities } from "../../src/driver.ts";
import { ScriptDriver } from "../../src/drivers/script-driver.ts";
import type { NetworkInterface } from "../../src/interface.ts";
import { Stack } from "../../src/stack.ts";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { TcpLayer } from "../../src/tcp/layer.ts";
import type { TcpListener } from "../../src/tcp/listener.ts";
import type { TcpListenOptions } from "../../src/tcp/listeners.ts";
import { md5Signature } from "./md5-signature.ts";
import { decodeSegment, encodeSegment, type Segment, type SegmentInit } from "./segment-codec.ts";

export interface ConversationOptions {
  readonly family?: 4 | 6;
  readonly sysctl?: Readonly<Record<string, SysctlValue>>;
  readonly capabilities?: Partial<DriverCapabilities>;
  readonly seed?: number;
  /** Instead of one made from `seed`. */
  readonly random?: RandomSource;
  readonly tcpSecret?: Uint8Array;
  readonly wall?: Timespec;
}

/** What the script sends: sequence numbers relative to its own ISN (`seq`) and to the stack's (`ack`). */
export type Said = Omit<SegmentInit, "sourcePort" | "destinationPort"> & {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
};

/** A condition on a segment: null if it holds, else what is wrong. */
export type Matcher = (segment: Segment) => string | null;

export interface Options {
  readonly mss?: number;
  readonly windowShift?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: readonly [number, number];
}

export const OUR_PORT = 2049;
export const PEER_PORT = 40_000;
/** The script's initial sequence number. */
export const PEER_ISS = 1_000_000;

/**
 * A test that plays the peer of one stack, segment by segment, in virtual time: it sends this, expects that, and lets time pass. Sequence numbers are
 * relative: ours count from the stack's ISN, the script's from `PEER_ISS`, so that 1 is the first byte of data.
 */
export class Conversation {
  readonly clock: VirtualClock;
  readonly driver: ScriptDriver;
  readonly stack: Stack;
  readonly iface: NetworkInterface;
  readonly tcp: TcpLayer;
  readonly ours: Address;
  readonly peers: Address;
  /** The stack's ISN, once its SYN was seen. */
  iss = 0;
  peerIss: number = PEER_ISS;
  ourPort: number = OUR_PORT;
  peerPort: number = PEER_PORT;
  /** What the script's segments say unless they say otherwise. */
  peerWindow = 65_535;
  /** Timestamps that the script adds to each segment: [TSval, TSecr]. */
  timestamps: [number, number] | null = null;
  /** Key with which the script signs each segment (RFC 2385) unless it says otherwise. */
  md5: string | null = null;
  listener: TcpListener | null = null;
  /** Callouts that are armed for the stack itself, at most: the SYN cache's, TIME-WAIT's, those of IP. */
  readonly idleCallouts: number = 8;
  #sent: Segment[] = [];

  constructor(options: ConversationOptions = {}) {
    const { family = 4, sysctl = {}, seed = 1, random = new SeededRandom(seed), wall } = options;
    this.clock = new VirtualClock({ startUs: 1_000_000, ...(wall === undefined ? {} : { wall }) });
    this.driver = new ScriptDriver(options.capabilities);
    this.driver.onSent = (packet) => {
      const segment = decodeSegment(packet.bytes, packet.segmentSize, packet.checksumPartial);
      if (segment !== null) this.#sent.push(segment);
    };
    this.stack = new Stack({ name: "ours", clock: this.clock, random, sysctl });
    this.iface = this.stack.addInterface({ name: "net0", driver: this.driver });
    this.ours = Address.parse(family === 4 ? "10.0.0.1" : "fd00::1");
    this.peers = Address.parse(family === 4 ? "10.0.0.2" : "fd00::2");
    this.iface.addAddress(family === 4 ? "10.0.0.1/24" : "fd00::1/64");
    this.tcp = new TcpLayer(this.stack, options.tcpSecret);
  }

  // ——— Saying ———

  /** The bytes of a segment from the peer. */
  packet(said: Said): Uint8Array {
    const init: SegmentInit = {
      sourcePort: this.peerPort,
      destinationPort: this.ourPort,
      window: this.peerWindow,
      ...(this.timestamps === null ? {} : { timestamps: this.timestamps }),
      ...(this.md5 === null ? {} : { md5: this.md5 }),
      ...said,
      seq: (this.peerIss + (said.seq ?? 0)) >>> 0,
      ...(said.ack === undefined ? {} : { ack: (this.iss + said.ack) >>> 0 }),
      ...(said.sack === undefined
        ? {}
        : { sack: said.sack.map(([from, to]) => [(this.iss + from) >>> 0, (this.iss + to) >>> 0] as const) }),
    };
    return encodeSegment(this.peers, this.ours, init);
  }

  /** The peer sends a segment. ACK is set when `ack` is given, unless `flags` says more. */
  say(said: Said): void {
    this.driver.inject(this.packet(said));
  }

  /** The peer's segments arrive in one batch. */
  sayAll(all: readonly Said[]): void {
    this.driver.inject(all.map((said) => this.packet(said)));
  }

  inject(packet: Uint8Array): void {
    this.driver.inject(packet);
  }

  /** They arrive in one batch. */
  injectAll(packets: readonly Uint8Array[]): void {
    this.driver.inject([...packets]);
  }

  // ——— Hearing ———

  /** Takes the next segment that the stack sent, checks it, and gives it back with sequence numbers made relative. */
  hear(...matchers: Matcher[]): Segment {
    const segment = this.#sent.shift();
    if (segment === undefined)
      throw new Error(`expected a segment, but nothing was sent (at ${this.clock.coarse()} µs)`);
    const relative = this.#relative(segment);
    const wrong = matchers.map((matcher) => matcher(relative)).filter((text) => text !== null);
    if (wrong.length > 0) throw new Error(`${describeSegment(relative)}: ${wrong.join("; ")}`);
    expect(segment.checksumGood, "checksum").toBe(true);
    return relative;
  }

  /** Takes a SYN or SYN,ACK of the stack, whose sequence number the following are counted from. */
  hearSyn(...matchers: Matcher[]): Segment {
    this.iss = 0;
    const segment = this.hear(...matchers);
    if (!segment.flags.includes("S")) throw new Error(`${describeSegment(segment)}: expected a SYN`);
    this.iss = segment.seq;
    return segment;
  }

  /** Takes everything that was sent. */
  hearAll(): Segment[] {
    return this.#sent.splice(0).map((segment) => this.#relative(segment));
  }

  hearNothing(): void {
    if (this.#sent.length > 0) {
      const first = describeSegment(this.#relative(this.#sent[0]!));
      throw new Error(`expected silence, heard ${this.#sent.length}: ${first}`);
    }
  }

  /** Lets so many µs pass. */
  pass(us: number): void {
    this.clock.runForSync(us);
  }

  #relative(segment: Segment): Segment {
    return {
      ...segment,
      seq: (segment.seq - this.iss) >>> 0,
      ack: segment.flags.includes("A") ? (segment.ack - this.peerIss) >>> 0 : segment.ack,
      sack: segment.sack.map(([from, to]) => [(from - this.peerIss) >>> 0, (to - this.peerIss) >>> 0] as const),
    };
  }

  // ——— Opening ———

  listen(options: Partial<TcpListenOptions> = {}): TcpListener {
    this.listener = this.tcp.listen({ port: this.ourPort, ...options });
    return this.listener;
  }

  /** The peer connects; gives the accepted stream, its handshake done. */
  accept(peer: Options = { mss: 1460 }): TcpConnection {
    let accepted: TcpConnection | null = null;
    this.onAccepted((connection) => {
      accepted = connection;
    });
    this.say({ flags: "S", ...peer });
    const answer = this.#sent.shift();
    if (answer === undefined || answer.flags !== "SA") throw new Error("expected a SYN,ACK");
    this.iss = answer.seq;
    if (peer.timestamps !== undefined) this.timestamps = [peer.timestamps[0], answer.timestamps?.[0] ?? 0];
    this.say({ seq: 1, ack: 1 });
    if (accepted === null) throw new Error("no connection was accepted");
    return accepted;
  }

  /** What becomes of the next connections that the listener accepts. */
  onAccepted(handler: (connection: TcpConnection) => void): void {
    const listener = this.listener ?? this.listen();
    if (this.#handler === null) listener.accept((stream) => this.#handler?.(stream as TcpConnection));
    this.#handler = handler;
  }

  #handler: ((connection: TcpConnection) => void) | null = null;

  /** The stack connects; gives the stream, its handshake done and acknowledged. */
  async connect(peer: Options = { mss: 1460 }): Promise<TcpConnection> {
    const promise = this.callOut();
    this.answer(peer);
    const connection = await promise;
    this.hear(flags("A"), seq(1), ack(1));
    return connection;
  }

  /** The stack sends its SYN, and waits. */
  callOut(options: Parameters<TcpLayer["connect"]>[1] = {}): Promise<TcpConnection> {
    const promise = this.tcp.connect({ address: this.peers.toString(), port: this.peerPort }, options);
    promise.catch(() => {});
    const syn = this.#sent.shift();
    if (syn === undefined || !syn.flags.startsWith("S") || syn.flags.includes("A")) throw new Error("expected a SYN");
    this.iss = syn.seq;
    this.ourPort = syn.sourcePort;
    return promise;
  }

  answer(peer: Options = { mss: 1460 }): void {
    if (peer.timestamps !== undefined) this.timestamps = [...peer.timestamps];
    this.say({ flags: "SA", ack: 1, ...peer });
  }
}

export function describeSegment(segment: Segment): string {
  const { flags: set, seq: at, ack: to, payload: bytes, window: size } = segment;
  return `[${set}] seq ${at} ack ${to} win ${size} len ${bytes.length}`;
}

// ——— Matchers ———

function same(name: string, wanted: unknown, got: unknown): string | null {
  return wanted === got ? null : `${name} is ${String(got)}, not ${String(wanted)}`;
}

/** In the order F S R P A U E C: flags("A"), flags("PA"), flags("SA"). PSH counts only if asked for. */
export function flags(wanted: string): Matcher {
  const plain = (text: string): string =>
    [...text]
      .filter((flag) => flag !== "P")
      .sort()
      .join("");
  return (segment) => {
    if (wanted.includes("P") && !segment.flags.includes("P")) return "PSH is not set";
    return same("flags", plain(wanted), plain(segment.flags));
  };
}

export function seq(wanted: number): Matcher {
  return (segment) => same("seq", wanted, segment.seq);
}

export function ack(wanted: number): Matcher {
  return (segment) => same("ack", wanted, segment.ack);
}

export function window(wanted: number): Matcher {
  return (segment) => same("window", wanted, segment.window);
}

/** Payload by its length, or in full. */
export function payload(wanted: number | Uint8Array): Matcher {
  return (segment) => {
    if (typeof wanted === "number") return same("length", wanted, segment.payload.length);
    return Buffer.compare(wanted, segment.payload) === 0 ? null : "payload differs";
  };
}

export function mss(wanted: number | null): Matcher {
  return (segment) => same("MSS", wanted, segment.mss);
}

/** Signed by RFC 2385 with that key; null: not signed. */
export function signed(key: string | null): Matcher {
  return ({ md5, packet }) => {
    if (key === null || md5 === null) return same("signature", key === null, md5 === null);
    return Buffer.compare(md5, md5Signature(packet, key)) === 0 ? null : "the signature does not hold";
  };
}

export function sack(...wanted: (readonly [number, number])[]): Matcher {
  return (segment) => same("SACK", JSON.stringify(wanted), JSON.stringify(segment.sack));
}
