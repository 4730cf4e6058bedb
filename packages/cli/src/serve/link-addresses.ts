/** Which addresses the stack and the host's side of its link get: free ones, and the same again after a restart. */
import { listAddresses, listRoutes } from "@nfs4/native";
import { Address, Prefix } from "@nfs4/netstack";

/** Where networks are chosen from: 10.78.0.0/16 in pieces of /24, a corner of 10/8 that few use. */
const POOL = 10 * 2 ** 24 + 78 * 2 ** 16;
const PIECES = 256;
/** The default route, and routes as wide as a VPN's 10/8, do not make a narrower network taken. */
const WIDE = 8;
const MAIN_TABLE = 254;

/** What the host has: its addresses' networks, and its routes. */
export function hostNetworks(): Prefix[] {
  return [
    ...listAddresses().map(({ address, prefixLength }) => new Prefix(Address.fromBytes(address), prefixLength)),
    ...listRoutes()
      .filter(({ table, prefixLength }) => table === MAIN_TABLE && prefixLength > WIDE)
      .map(({ destination, prefixLength }) => new Prefix(Address.fromBytes(destination), prefixLength)),
  ];
}

/** The stack's address in the first piece, from number `start` on, that overlaps nothing taken; null if all do. */
export function freeAddress(start: number, taken: readonly Prefix[]): Prefix | null {
  for (let i = 0; i < PIECES; i++) {
    const piece = POOL + ((start + i) % PIECES) * 256;
    const network = new Prefix(Address.ipv4(piece), 24);
    if (!taken.some((other) => overlap(network, other))) return new Prefix(Address.ipv4(piece + 2), 24);
  }
  return null;
}

/** What the host has that is as narrow as `network` or narrower, and inside it: packets for the stack would go there. */
export function contested(network: Prefix, taken: readonly Prefix[]): Prefix | undefined {
  return taken.find(
    (other) => other.family === network.family && other.length >= network.length && overlap(network, other),
  );
}

function overlap(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && (a.length <= b.length ? a.contains(b.address) : b.contains(a.address));
}

/** The first other host of the network that a stack's own address implies; null if there is room for one only. */
export function neighbourOf(own: Prefix): Address | null {
  const host = own.family === 4 ? 32 : 128;
  if (own.length === host) return null;
  const { w0, w1, w2, w3 } = own.network.address;
  const first = Address.fromWords(w0, w1, w2, own.length === host - 1 ? w3 : w3 + 1);
  return first.equals(own.address) ? Address.fromWords(first.w0, first.w1, first.w2, first.w3 + 1) : first;
}
