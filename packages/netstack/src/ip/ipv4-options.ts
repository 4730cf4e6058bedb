/** What `checkOptions` found; a value ≥ 0 is the offset (from the first option) of what is malformed. */
export const OPTIONS_GOOD = -1;
export const OPTIONS_SOURCE_ROUTE = -2;

const END = 0;
const NO_OPERATION = 1;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

/** Walks the options of an IPv4 header (RFC 791 §3.1). Source routes that have hops left are refused, as RFC 6274 §3.13.2.3 advises. */
export function checkOptions(view: DataView, offset: number, length: number): number {
  let at = 0;
  while (at < length) {
    const type = view.getUint8(offset + at);
    if (type === END) return OPTIONS_GOOD;
    if (type === NO_OPERATION) {
      at++;
      continue;
    }
    if (at + 1 >= length) return at;
    const size = view.getUint8(offset + at + 1);
    if (size < 2 || at + size > length) return at + 1;
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE) {
      if (size < 3) return at + 1;
      const pointer = view.getUint8(offset + at + 2);
      if (pointer < 4) return at + 2;
      if (pointer + 3 <= size) return OPTIONS_SOURCE_ROUTE;
    }
    at += size;
  }
  return OPTIONS_GOOD;
}
