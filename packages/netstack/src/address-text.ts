/** Text forms of IP addresses: dotted quad, and RFC 4291 §2.2 in, RFC 5952 out, for IPv6. Zones are interface indices ("fe80::1%2"). */

/** Four 32-bit words; IPv4 stands mapped. */
export type Words = readonly [number, number, number, number];

/** Word 2 of a mapped IPv4 address. */
export const MAPPED = 0x0000ffff;

/** Strict dotted quad: four decimal numbers without leading zeros. Returns the word, or −1. */
export function parseIpv4(text: string): number {
  const parts = text.split(".");
  if (parts.length !== 4) return -1;
  let word = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return -1;
    const byte = Number(part);
    if (byte > 255) return -1;
    word = word * 256 + byte;
  }
  return word;
}

export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 4291 §2.2, all three forms, with an optional numeric zone for link-local addresses. Null if it is none. */
export function parseIpv6(text: string): Words | null {
  let body = text;
  let zone = 0;
  const percent = text.indexOf("%");
  if (percent >= 0) {
    const digits = text.slice(percent + 1);
    if (!/^[1-9]\d{0,4}$/.test(digits) || Number(digits) > 0xffff) return null;
    zone = Number(digits);
    body = text.slice(0, percent);
  }
  const groups = parseGroups(body);
  if (groups === null) return null;
  const [g0, g1, g2, g3, g4, g5, g6, g7] = groups as [number, number, number, number, number, number, number, number];
  const words: Words = [g0 * 65536 + g1, g2 * 65536 + g3, g4 * 65536 + g5, g6 * 65536 + g7];
  if (zone === 0) return words;
  if (!isLinkScoped(words[0]) || (words[0] & 0xffff) !== 0) return null;
  return [(words[0] | zone) >>> 0, words[1], words[2], words[3]];
}

function parseGroups(body: string): number[] | null {
  const halves = body.split("::");
  if (halves.length > 2) return null;
  const head = parseHalf(halves[0] as string, halves.length === 1);
  if (head === null) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  const tail = parseHalf(halves[1] as string, true);
  // RFC 4291 §2.2: "::" stands for one or more groups of zeros.
  if (tail === null || head.length + tail.length > 7) return null;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parseHalf(half: string, last: boolean): number[] | null {
  if (half === "") return [];
  const parts = half.split(":");
  const groups: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    if (last && i === parts.length - 1 && part.includes(".")) {
      const word = parseIpv4(part);
      if (word < 0) return null;
      groups.push(word >>> 16, word & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}

/** RFC 5952 §4: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as "::". */
export function formatIpv6(w0: number, w1: number, w2: number, w3: number): string {
  let zone = 0;
  if (isLinkScoped(w0)) {
    zone = w0 & 0xffff;
    w0 = (w0 & 0xffff0000) >>> 0;
  }
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff];
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      bestStart = i;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  const text =
    bestStart < 0
      ? hex.join(":")
      : `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}`;
  return zone === 0 ? text : `${text}%${zone}`;
}

/**
 * Unicast fe80::/10 and multicast with interface- or link-local scope. Inside the stack their second 16 bits hold the interface's index (as
 * in KAME), so that two links' fe80::1 are different addresses to every table; on the wire those bits are zero.
 */
export function isLinkScoped(w0: number): boolean {
  const high = w0 >>> 16;
  return (high & 0xffc0) === 0xfe80 || (high & 0xff0f) === 0xff02 || (high & 0xff0f) === 0xff01;
}
