import { Address } from "../address.ts";
import { AddressMap } from "../address-map.ts";
import type { Stack } from "../stack.ts";
import type { Sysctl } from "../sysctl.ts";
import { IPV4_MINIMUM_MTU, IPV6_MINIMUM_MTU } from "./protocol.ts";

const SECOND = 1e6;
const UNKNOWN = Number.POSITIVE_INFINITY;

/** What is known of the way to one destination. Bytes, and µs. */
interface KnownPath {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** +∞: no router has told. Good until `mtuExpires`, however often the rest is renewed. */
  mtu: number;
  mtuExpires: number;
  /** Of connections that have ended; 0: not known. */
  rtt: number;
  rttVar: number;
  ssthresh: number;
  /** The MSS up to which segments get through though IP knows of no such limit, and when that was found; 0: there is none. */
  mssLimit: number;
  mssLimitAt: number;
  updates: number;
  expires: number;
}

/** What connections to a destination have left. */
export type PathMemory = Readonly<Pick<KnownPath, "rtt" | "rttVar" | "ssthresh" | "mssLimit" | "mssLimitAt">>;

/** An entry, as `list` shows it. */
export interface HostCacheEntry {
  readonly address: string;
  /** 0: not known. */
  readonly mtu: number;
  readonly rtt: number;
  readonly rttVar: number;
  readonly ssthresh: number;
  readonly mssLimit: number;
  readonly updates: number;
  /** Seconds left. */
  readonly expires: number;
}

/**
 * What was learnt of the way to each destination (FreeBSD's hostcache; RFC 9040): path MTUs that routers told of, for as long as RFC 1191 §6.3 and RFC 8201
 * §4 say, so that a larger one is tried again; and the round trip and the slow-start threshold of connections that have ended.
 */
export class HostCache {
  readonly #stack: Stack;
  readonly #paths: AddressMap<KnownPath>;
  readonly #enabled: Sysctl<boolean>;
  readonly #limit: Sysctl<number>;
  readonly #expiry: Sysctl<number>;
  /** Not there yet while a setting from outside is registered. */
  readonly #purge: (() => void) | undefined;
  readonly #minimum4: Sysctl<number>;
  readonly #callout;

  constructor(stack: Stack, seed: number) {
    const { sysctl } = stack;
    this.#stack = stack;
    this.#paths = new AddressMap(seed);
    this.#callout = stack.clock.callout(() => this.#prune());
    this.#enabled = sysctl.boolean("net.inet.tcp.hostcache.enable", true, {
      description:
        "Remember the round trip and the slow-start threshold of connections that end (path MTUs are in any case)",
    });
    this.#limit = sysctl.number("net.inet.tcp.hostcache.cachelimit", 4096, {
      description: "Destinations remembered, at most; the oldest go first",
      minimum: 1,
      maximum: 10_000_000,
    });
    this.#expiry = sysctl.number("net.inet.tcp.hostcache.expire", 600, {
      description: "Seconds until a learnt path MTU, and what no connection has renewed, is forgotten",
      minimum: 1,
    });
    const purge = sysctl.boolean("net.inet.tcp.hostcache.purgenow", false, {
      description: "Set it to forget everything at once; it reads as false",
      onChange: () => this.#purge?.(),
    });
    this.#purge = () => {
      if (purge.value) for (const path of [...this.#paths.values()]) this.#forget(path);
      purge.value = false;
    };
    this.#purge();
    this.#minimum4 = sysctl.number("net.inet.ip.pmtu_minimum", 256, {
      description: "Smallest IPv4 path MTU that an ICMP message is believed",
      minimum: IPV4_MINIMUM_MTU,
    });
  }

  /** Infinity if nothing is known. */
  mtu(w0: number, w1: number, w2: number, w3: number): number {
    return this.#paths.get(w0, w1, w2, w3)?.mtu ?? UNKNOWN;
  }

  /** Returns what is now held: not below what the stack believes (RFC 8201 §4: 1280). */
  lower(w0: number, w1: number, w2: number, w3: number, mtu: number): number {
    const floor = w0 === 0 && w1 === 0 && w2 === 0xffff ? this.#minimum4.value : IPV6_MINIMUM_MTU;
    const path = this.#path(w0, w1, w2, w3);
    path.mtu = Math.min(path.mtu, Math.max(mtu, floor));
    path.mtuExpires = path.expires;
    return path.mtu;
  }

  /** A connection has ended that has measured the way. `ssthresh` 0: it found no limit. What was known counts as much as what is new. */
  remember(w0: number, w1: number, w2: number, w3: number, rtt: number, rttVar: number, ssthresh: number): void {
    if (!this.#enabled.value) return;
    const path = this.#path(w0, w1, w2, w3);
    path.rtt = average(path.rtt, rtt);
    path.rttVar = average(path.rttVar, rttVar);
    if (ssthresh > 0) path.ssthresh = average(path.ssthresh, ssthresh);
    path.updates++;
  }

  /** A connection has found how long its segments may be (RFC 4821 §5.2); `mssLimit` 0: as long as IP has it. */
  rememberMssLimit(w0: number, w1: number, w2: number, w3: number, mssLimit: number): void {
    if (!this.#enabled.value || (mssLimit === 0 && this.#paths.get(w0, w1, w2, w3) === undefined)) return;
    const path = this.#path(w0, w1, w2, w3);
    path.mssLimit = mssLimit;
    path.mssLimitAt = this.#stack.clock.coarse();
  }

  /** What connections to that destination have left; null: nothing. Lent. */
  recall(w0: number, w1: number, w2: number, w3: number): PathMemory | null {
    return this.#enabled.value ? (this.#paths.get(w0, w1, w2, w3) ?? null) : null;
  }

  /** All entries (FreeBSD's net.inet.tcp.hostcache.list). */
  *list(): Generator<HostCacheEntry, void, undefined> {
    const now = this.#stack.clock.coarse();
    for (const { w0, w1, w2, w3, mtu, rtt, rttVar, ssthresh, mssLimit, updates, expires } of this.#paths.values()) {
      yield {
        address: Address.fromWords(w0, w1, w2, w3).toString(),
        mtu: mtu === UNKNOWN ? 0 : mtu,
        rtt,
        rttVar,
        ssthresh,
        mssLimit,
        updates,
        expires: Math.max(0, Math.round((expires - now) / SECOND)),
      };
    }
  }

  close(): void {
    this.#callout.cancel();
    this.#paths.clear();
  }

  /** The entry of a destination, made if need be, and good for the whole time from now on. */
  #path(w0: number, w1: number, w2: number, w3: number): KnownPath {
    const expires = this.#stack.clock.coarse() + this.#expiry.value * SECOND;
    let path = this.#paths.get(w0, w1, w2, w3);
    if (path === undefined) {
      while (this.#paths.size >= this.#limit.value) this.#forget(this.#paths.oldest());
      const nothing = { mtu: UNKNOWN, mtuExpires: UNKNOWN, rtt: 0, rttVar: 0, ssthresh: 0, mssLimit: 0, mssLimitAt: 0 };
      path = { w0, w1, w2, w3, ...nothing, updates: 0, expires };
      this.#paths.set(w0, w1, w2, w3, path);
      if (!this.#callout.armed) this.#callout.schedule(expires);
    }
    path.expires = expires;
    return path;
  }

  #prune(): void {
    const now = this.#stack.clock.coarse();
    let next = UNKNOWN;
    for (const path of [...this.#paths.values()]) {
      if (path.expires <= now) {
        this.#forget(path);
        continue;
      }
      if (path.mtuExpires <= now) {
        path.mtu = UNKNOWN;
        path.mtuExpires = UNKNOWN;
        this.#stack.ip.forgetPathMtu(path.w0, path.w1, path.w2, path.w3);
      }
      next = Math.min(next, path.expires, path.mtuExpires);
    }
    if (next !== UNKNOWN) this.#callout.schedule(next);
  }

  #forget(path: KnownPath | undefined): void {
    if (path === undefined) return;
    this.#paths.delete(path.w0, path.w1, path.w2, path.w3);
    if (path.mtu !== UNKNOWN) this.#stack.ip.forgetPathMtu(path.w0, path.w1, path.w2, path.w3);
  }
}

function average(known: number, news: number): number {
  return known === 0 ? news : (known + news) / 2;
}
