import { AddressMap } from "../address-map.ts";
import type { Stack } from "../stack.ts";
import type { Sysctl } from "../sysctl.ts";
import { IPV4_MINIMUM_MTU, IPV6_MINIMUM_MTU } from "./protocol.ts";

const SECOND = 1e6;
const MOST = 4096;

interface KnownPath {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  mtu: number;
  /** µs of uptime. */
  expires: number;
}

/** Path MTUs that routers told us of, per destination, for as long as RFC 1191 §6.3 and RFC 8201 §4 say: then a larger one is tried again. */
export class HostCache {
  readonly #stack: Stack;
  readonly #paths: AddressMap<KnownPath>;
  readonly #expiry: Sysctl<number>;
  readonly #minimum4: Sysctl<number>;
  readonly #callout;

  constructor(stack: Stack, seed: number) {
    this.#stack = stack;
    this.#paths = new AddressMap(seed);
    this.#callout = stack.clock.callout(() => this.#prune());
    this.#expiry = stack.sysctl.number("net.inet.tcp.hostcache.expire", 600, {
      description: "Seconds until a learnt path MTU is forgotten",
      minimum: 1,
    });
    this.#minimum4 = stack.sysctl.number("net.inet.ip.pmtu_minimum", 256, {
      description: "Smallest IPv4 path MTU that an ICMP message is believed",
      minimum: IPV4_MINIMUM_MTU,
    });
  }

  /** Infinity if nothing is known. */
  mtu(w0: number, w1: number, w2: number, w3: number): number {
    return this.#paths.get(w0, w1, w2, w3)?.mtu ?? Number.POSITIVE_INFINITY;
  }

  /** Returns what is now held: not below what the stack believes (RFC 8201 §4: 1280). */
  lower(w0: number, w1: number, w2: number, w3: number, mtu: number): number {
    const floor = w0 === 0 && w1 === 0 && w2 === 0xffff ? this.#minimum4.value : IPV6_MINIMUM_MTU;
    const kept = Math.max(mtu, floor);
    const expires = this.#stack.clock.coarse() + this.#expiry.value * SECOND;
    const known = this.#paths.get(w0, w1, w2, w3);
    if (known !== undefined) {
      known.mtu = Math.min(known.mtu, kept);
      known.expires = expires;
      return known.mtu;
    }
    if (this.#paths.size >= MOST) this.#forget(this.#paths.oldest());
    this.#paths.set(w0, w1, w2, w3, { w0, w1, w2, w3, mtu: kept, expires });
    if (!this.#callout.armed) this.#callout.schedule(expires);
    return kept;
  }

  close(): void {
    this.#callout.cancel();
    this.#paths.clear();
  }

  #prune(): void {
    const now = this.#stack.clock.coarse();
    let next = Number.POSITIVE_INFINITY;
    for (const path of [...this.#paths.values()]) {
      if (path.expires <= now) this.#forget(path);
      else next = Math.min(next, path.expires);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#callout.schedule(next);
  }

  #forget(path: KnownPath | undefined): void {
    if (path === undefined) return;
    this.#paths.delete(path.w0, path.w1, path.w2, path.w3);
    this.#stack.ip.forgetPathMtu(path.w0, path.w1, path.w2, path.w3);
  }
}
