import { type Address, Prefix } from "../address.ts";
import type { InterfaceAddress } from "../interface-address.ts";
import type { Stack } from "../stack.ts";
import type { Route } from "./route.ts";

/** The local address from which packets of this route go out, or null if no interface has one of the family. */
export function selectSource(stack: Stack, route: Route): Address | null {
  const { d0, d1, d2, d3 } = route;
  if (route.source !== null) return route.source;
  const own = stack.ip.localAddress(d0, d1, d2, d3);
  if (own !== null) return own.address;
  const family = d0 === 0 && d1 === 0 && d2 === 0xffff ? 4 : 6;
  let best: InterfaceAddress | null = null;
  for (const iface of stack.interfaces) {
    for (const candidate of iface.addresses) {
      if (candidate.address.family !== family || !candidate.usable || !isUsefulOn(candidate, route)) continue;
      if (best === null || isBetter(candidate, best, route)) best = candidate;
    }
  }
  return best?.address ?? null;
}

/** Loopback and (IPv6) link-local sources are of no use away from their link (RFC 4291 §2.5.3, §2.5.6). */
function isUsefulOn(candidate: InterfaceAddress, route: Route): boolean {
  if (candidate.iface === route.iface) return true;
  return !candidate.address.isLoopback && !(candidate.address.family === 6 && candidate.address.isLinkLocal);
}

/**
 * RFC 6724 §5 without home addresses and labels: rule 2 (scope), rule 5 (outgoing interface), then the next hop's subnet, then rule 8 (longest
 * matching prefix). IPv4 goes by the same rules with its scopes (§3.2). Equal ones: the first configured.
 */
function isBetter(a: InterfaceAddress, b: InterfaceAddress, route: Route): boolean {
  const wanted = scopeOf(route.d0, route.d1, route.d2, route.d3);
  const scopeA = addressScope(a.address);
  const scopeB = addressScope(b.address);
  if (scopeA !== scopeB) return scopeA < scopeB ? scopeA >= wanted : scopeB < wanted;
  const outA = a.iface === route.iface;
  if (outA !== (b.iface === route.iface)) return outA;
  const { n0, n1, n2, n3 } = route;
  const nearA = a.prefix.containsWords(n0, n1, n2, n3);
  if (nearA !== b.prefix.containsWords(n0, n1, n2, n3)) return nearA;
  return commonPrefix(a, route) > commonPrefix(b, route);
}

const LINK_SCOPE = 2;
const GLOBAL_SCOPE = 14;

function addressScope(address: Address): number {
  return scopeOf(address.w0, address.w1, address.w2, address.w3);
}

/** RFC 6724 §3.1 and §3.2. */
function scopeOf(w0: number, w1: number, w2: number, w3: number): number {
  if (w0 >>> 24 === 0xff) return (w0 >>> 16) & 15;
  if (w0 >>> 22 === 0x3fa) return LINK_SCOPE;
  if (w0 !== 0 || w1 !== 0) return GLOBAL_SCOPE;
  if (w2 === 0xffff) return w3 >>> 24 === 127 || w3 >>> 16 === 0xa9fe ? LINK_SCOPE : GLOBAL_SCOPE;
  return w2 === 0 && w3 === 1 ? LINK_SCOPE : GLOBAL_SCOPE;
}

function commonPrefix(candidate: InterfaceAddress, route: Route): number {
  const { address } = candidate;
  const pairs = [address.w0 ^ route.d0, address.w1 ^ route.d1, address.w2 ^ route.d2, address.w3 ^ route.d3];
  let bits = 0;
  for (const difference of pairs) {
    const same = Math.clz32(difference);
    bits += same;
    if (same < 32) break;
  }
  return Math.min(bits, new Prefix(address, candidate.prefix.length).bits);
}
