/** Owners on the wire: numbers as strings, both ways (RFC 8881 §5.9, RFC 7530 §5.9). */

const MAX_CACHED = 4096;
const encoded: Map<number, Uint8Array> = new Map();

/** The decimal digits of an id. The bytes are shared: never written to. */
export function ownerOf(id: number): Uint8Array {
  let bytes = encoded.get(id);
  if (!bytes) {
    if (encoded.size >= MAX_CACHED) encoded.clear();
    bytes = new TextEncoder().encode(String(id));
    encoded.set(id, bytes);
  }
  return bytes;
}

/** The id that an owner string names, or null (BADOWNER): only numbers up to 2^32 − 2, without leading zeros, are owners here. */
export function idOf(owner: Uint8Array): number | null {
  if (owner.length === 0 || owner.length > 10 || (owner[0] === 0x30 && owner.length > 1)) return null;
  let id = 0;
  for (let i = 0; i < owner.length; i++) {
    const digit = (owner[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return null;
    id = id * 10 + digit;
  }
  return id < 0xffff_ffff ? id : null;
}
