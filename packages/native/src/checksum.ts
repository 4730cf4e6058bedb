import { addon } from "./addon.ts";

/**
 * Registers memory under a small number, so that calls pass integers only. It stays referenced until `unregisterSlab`, and must
 * not be transferred, detached or grown before. At most 256 at a time.
 */
export function registerSlab(memory: Uint8Array): number {
  return addon().registerSlab(memory);
}

export function unregisterSlab(id: number): void {
  addon().unregisterSlab(id);
}

/**
 * The ones' complement sum (RFC 1071) of a range of a registered slab plus `seed` (a sum of 16-bit words, at most 32 bits): folded to 16 bits,
 * *not* inverted. Network byte order: compare with numbers read by `DataView.getUint16`. An odd last byte is padded with zero.
 */
export function inetChecksum(slab: number, offset: number, length: number, seed: number): number {
  return addon().inetChecksum(slab, offset, length, seed);
}
