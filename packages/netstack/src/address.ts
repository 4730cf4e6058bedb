import { formatIpv4, formatIpv6, isLinkScoped, MAPPED, parseIpv4, parseIpv6, type Words } from "./address-text.ts";

export { isLinkScoped, MAPPED } from "./address-text.ts";

/** An IP address: immutable, four unsigned 32-bit words, IPv4 mapped (0, 0, 0xffff, a.b.c.d). */
export class Address {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly family: 4 | 6;

  private constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 >>> 0;
    this.w1 = w1 >>> 0;
    this.w2 = w2 >>> 0;
    this.w3 = w3 >>> 0;
    this.family = isMapped(this.w0, this.w1, this.w2) ? 4 : 6;
  }

  static fromWords(w0: number, w1: number, w2: number, w3: number): Address {
    return new Address(w0, w1, w2, w3);
  }

  static ipv4(word: number): Address {
    return new Address(0, 0, MAPPED, word);
  }

  /** Throws a RangeError if `text` is no IPv4 or IPv6 address. "::ffff:10.0.0.1" is the IPv4 address 10.0.0.1. */
  static parse(text: string): Address {
    const words = parseWords(text);
    if (words === null) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`);
    return new Address(...words);
  }

  static isAddress(text: string): boolean {
    return parseWords(text) !== null;
  }

  /** 4 bytes or 16, in network order. */
  static fromBytes(bytes: Uint8Array): Address {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length === 4) return Address.ipv4(view.getUint32(0));
    if (bytes.length !== 16) throw new RangeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
    return new Address(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
  }

  /** As on the wire: 4 or 16 bytes, without the zone. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.family === 4 ? 4 : 16);
    const view = new DataView(bytes.buffer);
    if (this.family === 4) {
      view.setUint32(0, this.w3);
    } else {
      view.setUint32(0, unscoped(this.w0));
      view.setUint32(4, this.w1);
      view.setUint32(8, this.w2);
      view.setUint32(12, this.w3);
    }
    return bytes;
  }

  get isUnspecified(): boolean {
    return this.w0 === 0 && this.w1 === 0 && this.w3 === 0 && (this.w2 === 0 || this.family === 4);
  }

  get isMulticast(): boolean {
    return isMulticast(this.w0, this.w1, this.w2, this.w3);
  }

  get isLoopback(): boolean {
    return this.family === 4
      ? this.w3 >>> 24 === 127
      : this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 1;
  }

  /** Unicast fe80::/10 (or 169.254/16). */
  get isLinkLocal(): boolean {
    return this.family === 4 ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0x3fa;
  }

  equals(other: Address): boolean {
    return this.is(other.w0, other.w1, other.w2, other.w3);
  }

  is(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.w3 === w3 && this.w0 === w0 && this.w1 === w1 && this.w2 === w2;
  }

  toString(): string {
    return formatWords(this.w0, this.w1, this.w2, this.w3);
  }
}

/** An address and how many of its leading bits name the network: of 32 for IPv4, of 128 for IPv6. */
export class Prefix {
  /** As given; host bits may be set. */
  readonly address: Address;
  readonly length: number;

  constructor(address: Address, length: number) {
    const most = address.family === 4 ? 32 : 128;
    if (!Number.isInteger(length) || length < 0 || length > most)
      throw new RangeError(`not a prefix length: ${length}`);
    this.address = address;
    this.length = length;
  }

  /** "10.0.0.1/24", "fd00::1/64", "default" (IPv4), or an address alone (a host prefix). */
  static parse(text: string): Prefix {
    if (text === "default") return new Prefix(Address.ipv4(0), 0);
    const slash = text.indexOf("/");
    const address = Address.parse(slash < 0 ? text : text.slice(0, slash));
    if (slash < 0) return new Prefix(address, address.family === 4 ? 32 : 128);
    const digits = text.slice(slash + 1);
    if (!/^(0|[1-9]\d{0,2})$/.test(digits)) throw new RangeError(`not a prefix: ${JSON.stringify(text)}`);
    return new Prefix(address, Number(digits));
  }

  get family(): 4 | 6 {
    return this.address.family;
  }

  /** Length within the 128 bits of the mapped form. */
  get bits(): number {
    return this.family === 4 ? this.length + 96 : this.length;
  }

  /** The same prefix with host bits cleared. */
  get network(): Prefix {
    const { w0, w1, w2, w3 } = this.address;
    const bits = this.bits;
    const network = Address.fromWords(
      w0 & wordMask(bits, 0),
      w1 & wordMask(bits, 1),
      w2 & wordMask(bits, 2),
      w3 & wordMask(bits, 3),
    );
    return new Prefix(network, this.length);
  }

  /** The subnet's directed broadcast address (RFC 1122 §3.2.1.3); null for IPv6, /31 (RFC 3021) and /32. */
  get broadcast(): Address | null {
    if (this.family === 6 || this.length > 30) return null;
    return Address.ipv4(this.address.w3 | ~wordMask(this.bits, 3));
  }

  contains(address: Address): boolean {
    return this.containsWords(address.w0, address.w1, address.w2, address.w3);
  }

  containsWords(w0: number, w1: number, w2: number, w3: number): boolean {
    const bits = this.bits;
    const a = this.address;
    return (
      ((w0 ^ a.w0) & wordMask(bits, 0)) === 0 &&
      ((w1 ^ a.w1) & wordMask(bits, 1)) === 0 &&
      ((w2 ^ a.w2) & wordMask(bits, 2)) === 0 &&
      ((w3 ^ a.w3) & wordMask(bits, 3)) === 0
    );
  }

  equals(other: Prefix): boolean {
    return this.length === other.length && this.address.equals(other.address);
  }

  toString(): string {
    return `${this.address}/${this.length}`;
  }
}

/** The bits of word `index` (0 … 3) that a prefix of `bits` (0 … 128) covers, as a 32-bit mask (signed). */
export function wordMask(bits: number, index: number): number {
  const inWord = bits - 32 * index;
  return inWord <= 0 ? 0 : inWord >= 32 ? -1 : -1 << (32 - inWord);
}

export function isMapped(w0: number, w1: number, w2: number): boolean {
  return w0 === 0 && w1 === 0 && w2 === MAPPED;
}

export function isMulticast(w0: number, w1: number, w2: number, w3: number): boolean {
  return w0 >>> 24 === 0xff || (w3 >>> 28 === 14 && isMapped(w0, w1, w2));
}

/** Word 0 as it stands on the wire: without the zone that link-scoped addresses carry inside the stack. */
export function unscoped(w0: number): number {
  return isLinkScoped(w0) ? (w0 & 0xffff0000) >>> 0 : w0;
}

/** Word 0 as it stands inside the stack: link-scoped addresses carry the index of the interface. */
export function scoped(w0: number, interfaceIndex: number): number {
  return isLinkScoped(w0) ? ((w0 & 0xffff0000) | interfaceIndex) >>> 0 : w0;
}

export function formatWords(w0: number, w1: number, w2: number, w3: number): string {
  return isMapped(w0, w1, w2) ? formatIpv4(w3) : formatIpv6(w0, w1, w2, w3);
}

function parseWords(text: string): Words | null {
  if (text.includes(":")) return parseIpv6(text);
  const word = parseIpv4(text);
  return word < 0 ? null : [0, 0, MAPPED, word];
}

/** Stirs one 32-bit word into a hash (the mixing step of MurmurHash3). Start from a secret seed; end with `hashEnd`. */
export function hashWord(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** Spreads the last words over all bits; the result is a signed 32-bit integer. */
export function hashEnd(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hash of one address under a secret seed: a signed 32-bit integer. */
export function hashAddress(seed: number, w0: number, w1: number, w2: number, w3: number): number {
  return hashEnd(hashWord(hashWord(hashWord(hashWord(seed, w0), w1), w2), w3));
}
