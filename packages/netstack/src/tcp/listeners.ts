import { Address, hashAddress, hashEnd, hashWord } from "../address.ts";
import { ACK, FIN, RST, SYN } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import { checkedPort, endsOfSegment, unusedPort } from "./ends.ts";
import { TcpError } from "./errors.ts";
import { acceptFastOpen, judgeFastOpen } from "./fast-open.ts";
import { FastOpenQueue } from "./fast-open-server.ts";
import { type ListenerHost, TcpListener } from "./listener.ts";
import type { Handshake } from "./open.ts";
import type { TcpSegment } from "./segment.ts";
import type { SignatureKey } from "./signatures/signature-key.ts";
import { type SignatureKeyEntry, SignatureKeys } from "./signatures/signature-keys.ts";
import type { SynCookies } from "./syn-cookies.ts";
import { SynEntry } from "./syn-entry.ts";
import type { SynCache } from "./syncache.ts";
import { sendReset } from "./transmit.ts";

export interface TcpListenOptions {
  /** One of our addresses; default: all of them. */
  readonly address?: string;
  /** 0: one is chosen. */
  readonly port: number;
  /** Connections that may wait for `accept`. Default 128. */
  readonly backlog?: number;
  /** Several listeners that all say so may share address and port: each connection goes to one of them, by a hash of its ends (SO_REUSEPORT_LB). Default false. */
  readonly reusePort?: boolean;
  /**
   * Takes data with the SYN of clients that have a cookie (RFC 7413), and hands their connections out before the handshake is complete. A SYN that was duplicated on
   * its way and comes after its connection is gone brings its data once more (§6.1): only for protocols that can bear that. Default false.
   */
  readonly fastOpen?: boolean;
  /** Fast Open connections at most whose handshake is not complete; beyond, their SYNs are ordinary ones. Default: `backlog`, but no more than 64. */
  readonly fastOpenPending?: number;
  /** Who must sign, and with which keys: `listener.signatureKeys` from the first segment on. */
  readonly signatureKeys?: Iterable<SignatureKeyEntry>;
}

const NOWHERE = {
  family: 4,
  l0: 0,
  l1: 0,
  l2: 0,
  l3: 0,
  localPort: 0,
  r0: 0,
  r1: 0,
  r2: 0,
  r3: 0,
  remotePort: 0,
} as const;

/** The listeners of one stack, and what becomes of segments that belong to no connection. */
export class Listeners implements ListenerHost {
  readonly #context: TcpContext;
  readonly #cookies: SynCookies;
  readonly #synCache: SynCache;
  readonly #byPort = new Map<number, TcpListener[]>();
  readonly #seed: number;

  constructor(context: TcpContext, synCache: SynCache, cookies: SynCookies) {
    this.#context = context;
    this.#synCache = synCache;
    this.#cookies = cookies;
    this.#seed = context.stack.random.uint32();
  }

  has(port: number): boolean {
    return this.#byPort.has(port);
  }

  *[Symbol.iterator](): Generator<TcpListener, void, undefined> {
    for (const some of this.#byPort.values()) yield* some;
  }

  /** Throws a `TcpError` (EADDRINUSE, EADDRNOTAVAIL) or a RangeError for what is no address or port. */
  listen(options: TcpListenOptions): TcpListener {
    const { ip } = this.#context.stack;
    const parsed = options.address === undefined ? null : Address.parse(options.address);
    const address = parsed?.isUnspecified ? null : parsed;
    if (address !== null && !ip.isLocal(address.w0, address.w1, address.w2, address.w3)) {
      throw new TcpError("EADDRNOTAVAIL", `${address} is not an address of this stack`);
    }
    const port = options.port === 0 ? this.#unusedPort() : checkedPort(options.port);
    const same = this.#byPort.get(port) ?? [];
    const { reusePort = false } = options;
    const twins = same.filter((other) => (other.address === null ? address === null : address?.equals(other.address)));
    if (twins.length > 0 && !(reusePort && twins.every((other) => other.reusePort))) {
      throw new TcpError("EADDRINUSE", `port ${port} has a listener already`);
    }
    const keys = new SignatureKeys(options.signatureKeys);
    keys.onChange = () => this.#synCache.forgetRekeyed();
    const { backlog = 128, fastOpen = false, fastOpenPending = Math.min(backlog, 64) } = options;
    const queue = fastOpen ? new FastOpenQueue(fastOpenPending) : null;
    const listener = new TcpListener(this, address, port, backlog, keys, queue, reusePort);
    this.#byPort.set(port, [...same, listener]);
    return listener;
  }

  /** From a listener that closes. */
  unlisten(listener: TcpListener): void {
    this.#synCache.removeAll(listener);
    const rest = (this.#byPort.get(listener.port) ?? []).filter((other) => other !== listener);
    if (rest.length === 0) this.#byPort.delete(listener.port);
    else this.#byPort.set(listener.port, rest);
  }

  /**
   * A segment that belongs to no connection: RFC 9293 §3.10.7.1 (CLOSED) or §3.10.7.2 (LISTEN). `leastIss` ≥ 0: an old connection between the same
   * ends has just made room, and the new one must stay beyond that sequence number. Returns the handshake that a SYN cookie has brought to its last step,
   * which the segment now has to take; else null.
   */
  input(segment: TcpSegment, leastIss: number): Handshake | null {
    const { statistics, tunables } = this.#context;
    const { flags } = segment;
    const listener = this.#find(segment, segment.destinationPort);
    if (listener === null) {
      statistics.noPort++;
      if ((flags & RST) === 0 && !this.#isBlackHole(segment)) this.#reset(segment);
      return null;
    }
    if ((flags & RST) !== 0) {
      statistics.badRst++;
      return null;
    }
    if ((flags & ACK) !== 0) {
      if (this.#mayBringCookie(segment, listener)) {
        if (listener.isFull || this.#context.isFull) {
          statistics.listenDrop++;
          return null;
        }
        const handshake = this.#cookies.check(endsOfSegment(segment), segment, listener, segment.packet.iface.mtu);
        if (handshake !== null) return handshake;
      }
      statistics.badSyn++;
      this.#reset(segment);
      return null;
    }
    if ((flags & SYN) === 0 || ((flags & FIN) !== 0 && tunables.dropSynfin.value)) {
      statistics.badSyn++;
      return null;
    }
    if (!this.#isHost(segment)) {
      statistics.rcvBadAddr++;
      return null;
    }
    if (listener.isFull || this.#context.isFull) {
      statistics.listenDrop++;
      return null;
    }
    this.#answer(segment, listener, leastIss);
    return null;
  }

  /** A SYN that a listener has room for. */
  #answer(segment: TcpSegment, listener: TcpListener, leastIss: number): void {
    const context = this.#context;
    const key = endsOfSegment(segment);
    const { mtu } = segment.packet.iface;
    const { fastOpen } = listener;
    const mayOpenFast =
      fastOpen !== null &&
      segment.options.fastOpenLength >= 0 &&
      (segment.flags & FIN) === 0 &&
      context.tunables.fastopenServer.value &&
      // The signature leaves no room for the option.
      context.signatureKey(listener.signatureKeys, key) === null;
    if (!mayOpenFast) {
      this.#synCache.add(key, segment, listener, mtu, leastIss);
      return;
    }
    const { isGood, cookie } = judgeFastOpen(context, fastOpen, key, segment);
    if (!isGood) {
      this.#synCache.add(key, segment, listener, mtu, leastIss, cookie);
      return;
    }
    const handshake = new SynEntry(context, key, segment, listener, mtu, leastIss);
    handshake.fastOpenCookie = cookie;
    acceptFastOpen(context, handshake, fastOpen, segment);
  }

  /** Only where some were sent of late: otherwise nobody gets to guess. */
  #mayBringCookie(segment: TcpSegment, listener: TcpListener): boolean {
    if ((segment.flags & SYN) !== 0 || this.#context.clock.coarse() >= listener.cookiesUntil) return false;
    return this.#isHost(segment);
  }

  /**
   * The key that a segment without a connection must be signed with; null: none. Where nobody listens, a listener on the port that the peer speaks from
   * may know it: of two BGP speakers either connects, and a connection that is lost leaves no key behind.
   */
  keyFor(segment: TcpSegment): SignatureKey | null {
    const context = this.#context;
    const listener = this.#find(segment, segment.destinationPort) ?? this.#find(segment, segment.sourcePort);
    const own = listener?.signatureKeys ?? null;
    if ((own === null || own.isEmpty) && context.signatureKeys.isEmpty) return null;
    return context.signatureKey(own, endsOfSegment(segment));
  }

  #reset(segment: TcpSegment): void {
    const key = this.keyFor(segment);
    if (key === null) {
      sendReset(this.#context, segment, null);
      return;
    }
    // Without a signature the peer would not believe it.
    const signer = key.resetSigner(segment);
    if (signer !== null) sendReset(this.#context, segment, signer);
  }

  /** MUST-63: whether the segment comes from an address that can be a host's. */
  #isHost(segment: TcpSegment): boolean {
    const { src0, src1, src2, src3 } = segment.packet;
    const source = Address.fromWords(src0, src1, src2, src3);
    if (source.isMulticast || source.isUnspecified) return false;
    return !this.#context.stack.ip.isBroadcast(src0, src1, src2, src3);
  }

  /** net.inet.tcp.blackhole. */
  #isBlackHole(segment: TcpSegment): boolean {
    const level = this.#context.tunables.blackhole.value;
    if (level === 0) return false;
    const { src0, src1, src2, src3 } = segment.packet;
    if (level < 3 && this.#context.stack.ip.isLocal(src0, src1, src2, src3)) return false;
    return level >= 2 || (segment.flags & SYN) !== 0;
  }

  /** Of the listeners on a port, one on the segment's very address before one on any; of several that share it, the one that the hash says. */
  #find(segment: TcpSegment, port: number): TcpListener | null {
    const some = this.#byPort.get(port);
    if (some === undefined) return null;
    const { dst0, dst1, dst2, dst3 } = segment.packet;
    let found: TcpListener | null = null;
    for (const listener of some) {
      const { address } = listener;
      if (address !== null && !address.is(dst0, dst1, dst2, dst3)) continue;
      if (found === null || (found.address === null && address !== null)) found = listener;
    }
    return found?.reusePort ? this.#oneOf(some, found.address, segment) : found;
  }

  #oneOf(some: readonly TcpListener[], address: Address | null, segment: TcpSegment): TcpListener {
    const twins = some.filter((other) => (other.address === null ? address === null : address?.equals(other.address)));
    const { src0, src1, src2, src3 } = segment.packet;
    const ends = hashWord(hashAddress(this.#seed, src0, src1, src2, src3), segment.sourcePort);
    return twins[(hashEnd(ends) >>> 0) % twins.length]!;
  }

  #unusedPort(): number {
    const port = unusedPort(this.#context, NOWHERE, (candidate) => !this.#byPort.has(candidate));
    if (port < 0) throw new TcpError("EADDRINUSE", "no port is left");
    return port;
  }
}
