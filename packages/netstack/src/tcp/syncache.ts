import type { Callout } from "@nfs4/timecounter";
import { AddressMap } from "../address-map.ts";
import { challengeAllowed } from "./challenge.ts";
import { ACK, RST, SYN } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import { asksForEcn } from "./ecn.ts";
import type { FlowKey } from "./flow.ts";
import type { TcpListener } from "./listener.ts";
import type { TcpSegment } from "./segment.ts";
import { seqLt } from "./seq.ts";
import type { SynCookies } from "./syn-cookies.ts";
import { SynEntry } from "./syn-entry.ts";
import { sendBare, sendReset, sendSynAck } from "./transmit.ts";

/** What a segment for an embryonic connection leads to: nothing more, its completion, or a look at it as at a new SYN. */
export type SynVerdict = "done" | "complete" | "listen";

/**
 * Embryonic connections of one stack. No control block exists before the handshake is complete; how many may wait is bounded for each listener, for each
 * peer and in all. Beyond that SYNs are answered with cookies; without those (net.inet.tcp.syncookies) the oldest make room.
 */
export class SynCache {
  readonly #context: TcpContext;
  readonly #callout: Callout;
  /** By the number of retransmissions; each in the order of deadlines. */
  readonly #levels: Set<SynEntry>[] = [];
  readonly #cookies: SynCookies;
  /** Entries of each peer. */
  readonly #peers: AddressMap<number>;
  #size = 0;

  constructor(context: TcpContext, cookies: SynCookies) {
    this.#context = context;
    this.#cookies = cookies;
    this.#peers = new AddressMap(context.stack.random.uint32());
    this.#callout = context.clock.callout(() => this.#expire());
  }

  get size(): number {
    return this.#size;
  }

  /**
   * A SYN for a listener: answers it (RFC 9293 §3.10.7.2, third), with a Fast Open cookie if there is one to give. `mtu`: of the path back.
   */
  add(
    key: FlowKey,
    segment: TcpSegment,
    listener: TcpListener,
    mtu: number,
    leastIss: number,
    fastOpenCookie: Uint8Array | null = null,
  ): void {
    const context = this.#context;
    const { statistics, tunables, flows } = context;
    const isPeerFull = this.#countOf(key) >= tunables.syncachePeerlimit.value;
    // A cookie cannot stay beyond an old connection's numbers: only timestamps tell them apart then.
    if (tunables.syncookies.value && (leastIss < 0 || segment.options.hasTimestamps)) {
      const isFull = listener.halfOpen >= listener.halfOpenLimit || this.#size >= tunables.syncacheLimit.value;
      if (isFull || isPeerFull || tunables.syncookiesOnly.value) {
        this.#cookies.respond(key, segment, listener, mtu);
        return;
      }
    }
    if (isPeerFull) {
      statistics.scPeerLimit++;
      return;
    }
    if (listener.halfOpen >= listener.halfOpenLimit) this.#dropOldest(listener);
    else if (this.#size >= tunables.syncacheLimit.value) this.#dropOldest(null);
    const entry = new SynEntry(context, key, segment, listener, mtu, leastIss);
    entry.fastOpenCookie = fastOpenCookie;
    flows.insert(entry);
    listener.halfOpen++;
    this.#size++;
    this.#count(entry, 1);
    statistics.scAdded++;
    this.#respond(entry);
    this.#arm(entry);
  }

  remove(entry: SynEntry): void {
    if (!this.#context.flows.remove(entry)) return;
    this.#levels[entry.retransmits]?.delete(entry);
    entry.listener.halfOpen--;
    this.#size--;
    this.#count(entry, -1);
  }

  /** A segment for an embryonic connection: RFC 9293 §3.10.7.4 in SYN-RECEIVED. */
  input(entry: SynEntry, segment: TcpSegment): SynVerdict {
    const { statistics, tunables } = this.#context;
    const { flags, seq, options } = segment;
    const rcvNxt = (entry.irs + 1) >>> 0;
    if ((flags & (SYN | ACK | RST)) === SYN && seq === entry.irs) {
      statistics.scDupSyn++;
      if (options.hasTimestamps) entry.tsRecent = options.tsVal;
      // RFC 3168 §6.1.1.1: it may be afraid that its asking was why the first was lost.
      entry.ecn &&= asksForEcn(flags);
      this.#respond(entry);
      return "done";
    }
    // First, the sequence number.
    const offset = (seq - rcvNxt) | 0;
    const inWindow = offset >= 0 && offset < Math.max(1, entry.window);
    if ((flags & RST) !== 0) {
      // Second, RST: back to LISTEN, if it is exact (RFC 5961 §3).
      if (offset === 0 || (inWindow && this.#context.tunables.insecureRst.value)) {
        statistics.scReset++;
        this.remove(entry);
        return "done";
      }
      statistics.badRst++;
      if (inWindow && challengeAllowed(this.#context, entry)) this.#acknowledge(entry);
      return "done";
    }
    // Once agreed on, timestamps are in every segment (RFC 7323 §3.2): what lacks them completes nothing.
    if (entry.timestamps && !options.hasTimestamps && !tunables.tolerateMissingTs.value) {
      statistics.tsMissing++;
      return "done";
    }
    const paws = entry.timestamps && options.hasTimestamps && seqLt(options.tsVal, entry.tsRecent);
    if (!inWindow || paws) {
      if (paws) statistics.pawsDrop++;
      else if (offset < 0) statistics.rcvDupPack++;
      else statistics.rcvPackAfterWin++;
      // Bounded, for the peer may think the same of our acknowledgment (RFC 5961 §7).
      if (challengeAllowed(this.#context, entry)) this.#acknowledge(entry);
      return "done";
    }
    // Fourth, SYN: back to LISTEN, where it is a new one.
    if ((flags & SYN) !== 0) {
      this.remove(entry);
      return "listen";
    }
    // Fifth, ACK.
    if ((flags & ACK) === 0) {
      statistics.rcvBadFlags++;
      return "done";
    }
    if (segment.ack !== (entry.iss + 1) >>> 0) {
      statistics.scBadAck++;
      sendReset(this.#context, segment, entry.signer);
      return "done";
    }
    if (entry.listener.closed) {
      this.remove(entry);
      sendReset(this.#context, segment, entry.signer);
      return "done";
    }
    if (entry.listener.isFull || this.#context.isFull) {
      statistics.listenDrop++;
      return "done";
    }
    statistics.scCompleted++;
    this.remove(entry);
    return "complete";
  }

  /** Forgets what waits for a listener that closes. */
  removeAll(listener: TcpListener | null): void {
    for (const level of this.#levels) {
      for (const entry of level) if (listener === null || entry.listener === listener) this.remove(entry);
    }
    if (this.#size === 0) this.#callout.cancel();
  }

  /** Keys have changed: what began under one that no longer holds begins anew, with the peer's next SYN. */
  forgetRekeyed(): void {
    const context = this.#context;
    for (const level of this.#levels) {
      for (const entry of level) {
        if (context.signatureKey(entry.listener.signatureKeys, entry) !== entry.signatureKey) this.remove(entry);
      }
    }
  }

  /** An ICMP error says that the SYN,ACK does not get through. */
  unreachable(entry: SynEntry, sequence: number): void {
    if (sequence !== entry.iss) return;
    this.#context.statistics.scUnreach++;
    // FreeBSD: only when it was sent again in vain.
    if (entry.retransmits >= 2) this.remove(entry);
  }

  /** A peer is an IPv4 address, or the /64 that an IPv6 host has to itself. */
  #countOf(key: FlowKey): number {
    const isV4 = key.family === 4;
    return this.#peers.get(key.r0, key.r1, isV4 ? key.r2 : 0, isV4 ? key.r3 : 0) ?? 0;
  }

  #count(key: FlowKey, change: number): void {
    const isV4 = key.family === 4;
    const count = this.#countOf(key) + change;
    if (count === 0) this.#peers.delete(key.r0, key.r1, isV4 ? key.r2 : 0, isV4 ? key.r3 : 0);
    else this.#peers.set(key.r0, key.r1, isV4 ? key.r2 : 0, isV4 ? key.r3 : 0, count);
  }

  #respond(entry: SynEntry): void {
    const context = this.#context;
    sendSynAck(
      context,
      entry,
      entry.iss,
      (entry.irs + 1) >>> 0,
      entry.window,
      entry.ourMss,
      entry.ourShift,
      entry.sackPermitted,
      entry.timestamps ? context.timestamp(entry.tsOffset) : -1,
      entry.tsRecent,
      // Once more it goes without, in case that the option was what made it get lost (RFC 7413 §4.2.1).
      entry.retransmits === 0 ? entry.fastOpenCookie : null,
      entry.ecn,
    );
  }

  #acknowledge(entry: SynEntry): void {
    const context = this.#context;
    context.statistics.sndAcks++;
    const tsVal = entry.timestamps ? context.timestamp(entry.tsOffset) : -1;
    sendBare(context, entry, (entry.iss + 1) >>> 0, (entry.irs + 1) >>> 0, ACK, entry.window, tsVal, entry.tsRecent);
  }

  #arm(entry: SynEntry): void {
    const { clock, tunables } = this.#context;
    const delay = Math.min(tunables.initialUs * 2 ** entry.retransmits, tunables.maximumUs);
    entry.deadline = clock.coarse() + delay;
    while (this.#levels.length <= entry.retransmits) this.#levels.push(new Set());
    this.#levels[entry.retransmits]!.add(entry);
    if (!this.#callout.armed || entry.deadline < this.#callout.deadline) this.#callout.schedule(entry.deadline);
  }

  #expire(): void {
    const { clock, stack, statistics, tunables } = this.#context;
    const now = clock.coarse();
    stack.enter();
    try {
      for (const level of [...this.#levels].reverse()) {
        for (const entry of level) {
          if (entry.deadline > now) break;
          if (entry.retransmits >= tunables.syncacheRexmtlimit.value) {
            statistics.scStale++;
            this.remove(entry);
            continue;
          }
          level.delete(entry);
          entry.retransmits++;
          statistics.scRetransmitted++;
          this.#respond(entry);
          this.#arm(entry);
        }
      }
    } finally {
      stack.leave();
    }
    let next = Number.POSITIVE_INFINITY;
    for (const level of this.#levels)
      for (const entry of level) {
        if (entry.deadline < next) next = entry.deadline;
        break;
      }
    if (next !== Number.POSITIVE_INFINITY) this.#callout.schedule(next);
  }

  #dropOldest(listener: TcpListener | null): void {
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      for (const entry of this.#levels[i]!) {
        if (listener !== null && entry.listener !== listener) continue;
        this.#context.statistics.scBucketOverflow++;
        this.remove(entry);
        return;
      }
    }
  }
}
