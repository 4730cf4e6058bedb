/**
 * The Internet checksum (RFC 1071). A *sum* here is a folded one's complement sum in network order, 0 … 0xffff: sums of pieces
 * add up with `addSums`, a piece that begins at an odd position is turned by `swapSum`, and `~sum & 0xffff` is what goes into the header.
 *
 * Little-endian 32-bit loads through a DataView, added as a float64, are the fastest that V8 gives, at any alignment: one's complement
 * addition does not mind byte order (RFC 1071 §2 B), so one swap at the end is enough. 2^53 leaves room for 8 MiB.
 */

/** Sum of `view[offset … offset + length)`; an odd last byte counts as the high byte of a word. */
export function sumView(view: DataView, offset: number, length: number): number {
  let sum = 0;
  let at = offset;
  const blocks = offset + (length & ~15);
  for (; at < blocks; at += 16) {
    sum +=
      view.getUint32(at, true) +
      view.getUint32(at + 4, true) +
      view.getUint32(at + 8, true) +
      view.getUint32(at + 12, true);
  }
  const end = offset + length;
  for (; at + 4 <= end; at += 4) sum += view.getUint32(at, true);
  if (at + 2 <= end) {
    sum += view.getUint16(at, true);
    at += 2;
  }
  if (at < end) sum += view.getUint8(at);
  return foldLittleEndian(sum);
}

/** Sum of `bytes[offset … offset + length)`. */
export function sumBytes(bytes: Uint8Array, offset: number, length: number): number {
  return sumView(viewOf(bytes.buffer), bytes.byteOffset + offset, length);
}

export function addSums(a: number, b: number): number {
  const sum = a + b;
  return sum > 0xffff ? sum - 0xffff : sum;
}

/** The sum of the same bytes, moved by an odd number of places. */
export function swapSum(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/** Sum of a 32-bit word. */
export function sumWord(word: number): number {
  return addSums(word >>> 16, word & 0xffff);
}

/**
 * Sum of the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) of addresses given as words. For mapped IPv4 addresses it is the sum of the IPv4
 * pseudo-header: zeros add nothing and the two 0xffff words add the one's complement zero. Zones of link-scoped addresses are left out.
 */
export function sumPseudoHeader(
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  protocol: number,
  length: number,
): number {
  let sum = protocol + (length >>> 16) + (length & 0xffff);
  sum += (s3 >>> 16) + (s3 & 0xffff) + (d3 >>> 16) + (d3 & 0xffff);
  if (s0 !== 0 || d0 !== 0 || s2 !== 0xffff) {
    sum += sumScopedWord(s0) + (s1 >>> 16) + (s1 & 0xffff) + (s2 >>> 16) + (s2 & 0xffff);
    sum += sumScopedWord(d0) + (d1 >>> 16) + (d1 & 0xffff) + (d2 >>> 16) + (d2 & 0xffff);
  }
  sum = (sum >>> 16) + (sum & 0xffff);
  return (sum >>> 16) + (sum & 0xffff);
}

/** RFC 1624 equation 3: the header checksum after a 16-bit field went from `before` to `after`. */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return ~addSums(addSums(~checksum & 0xffff, ~before & 0xffff), after) & 0xffff;
}

function sumScopedWord(word: number): number {
  const high = word >>> 16;
  const linkScoped = (high & 0xffc0) === 0xfe80 || (high & 0xff0f) === 0xff02 || (high & 0xff0f) === 0xff01;
  return linkScoped ? high : high + (word & 0xffff);
}

/** Folds a sum of little-endian words, up to 2^53, to 16 bits in network order. */
function foldLittleEndian(sum: number): number {
  const low = sum >>> 0;
  const high = (sum - low) / 0x1_0000_0000;
  let folded = (high >>> 16) + (high & 0xffff) + (low >>> 16) + (low & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** One DataView per buffer that was ever summed; making one costs more than summing 500 bytes. */
const views = new WeakMap<ArrayBufferLike, DataView>();

function viewOf(buffer: ArrayBufferLike): DataView {
  let view = views.get(buffer);
  if (view === undefined) {
    view = new DataView(buffer);
    views.set(buffer, view);
  }
  return view;
}
