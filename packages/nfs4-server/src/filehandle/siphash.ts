/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) on 32-bit halves: a keyed hash that is cheap on the forty bytes of a filehandle.
 * Returns 64 bits as eight bytes, little-endian as the paper has it.
 */
export class SipHash {
  readonly #k0: number;
  readonly #k1: number;
  readonly #k2: number;
  readonly #k3: number;
  // The four 64-bit words of the state, low and high halves.
  #v0 = 0;
  #v0h = 0;
  #v1 = 0;
  #v1h = 0;
  #v2 = 0;
  #v2h = 0;
  #v3 = 0;
  #v3h = 0;

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`a SipHash key has 16 bytes, not ${key.length}`);
    const view = new DataView(key.buffer, key.byteOffset, 16);
    this.#k0 = view.getUint32(0, true);
    this.#k1 = view.getUint32(4, true);
    this.#k2 = view.getUint32(8, true);
    this.#k3 = view.getUint32(12, true);
  }

  /** Writes the hash of `bytes[0 … length)` to `into[at … at + 8)`. */
  hash(bytes: Uint8Array, length: number, into: Uint8Array, at: number): void {
    this.#v0 = this.#k0 ^ 0x70736575;
    this.#v0h = this.#k1 ^ 0x736f6d65;
    this.#v1 = this.#k2 ^ 0x6e646f6d;
    this.#v1h = this.#k3 ^ 0x646f7261;
    this.#v2 = this.#k0 ^ 0x6e657261;
    this.#v2h = this.#k1 ^ 0x6c796765;
    this.#v3 = this.#k2 ^ 0x79746573;
    this.#v3h = this.#k3 ^ 0x74656462;
    const whole = length & ~7;
    for (let i = 0; i < whole; i += 8) this.#absorb(word(bytes, i, 4), word(bytes, i + 4, 4));
    const rest = length - whole;
    const low = word(bytes, whole, Math.min(rest, 4));
    const high = rest > 4 ? word(bytes, whole + 4, rest - 4) : 0;
    this.#absorb(low, high | ((length & 0xff) << 24));
    this.#v2 ^= 0xff;
    for (let i = 0; i < 4; i++) this.#round();
    put(into, at, this.#v0 ^ this.#v1 ^ this.#v2 ^ this.#v3);
    put(into, at + 4, this.#v0h ^ this.#v1h ^ this.#v2h ^ this.#v3h);
  }

  #absorb(low: number, high: number): void {
    this.#v3 ^= low;
    this.#v3h ^= high;
    this.#round();
    this.#round();
    this.#v0 ^= low;
    this.#v0h ^= high;
  }

  #round(): void {
    let a = this.#v0 >>> 0;
    let ah = this.#v0h >>> 0;
    let b = this.#v1 >>> 0;
    let bh = this.#v1h >>> 0;
    let c = this.#v2 >>> 0;
    let ch = this.#v2h >>> 0;
    let d = this.#v3 >>> 0;
    let dh = this.#v3h >>> 0;
    let t: number;

    t = a + b;
    ah = (ah + bh + (t > 0xffff_ffff ? 1 : 0)) >>> 0;
    a = t >>> 0;
    t = ((b << 13) | (bh >>> 19)) ^ a;
    bh = ((bh << 13) | (b >>> 19)) ^ ah;
    b = t >>> 0;
    bh >>>= 0;
    t = a;
    a = ah;
    ah = t;

    t = c + d;
    ch = (ch + dh + (t > 0xffff_ffff ? 1 : 0)) >>> 0;
    c = t >>> 0;
    t = ((d << 16) | (dh >>> 16)) ^ c;
    dh = ((dh << 16) | (d >>> 16)) ^ ch;
    d = t >>> 0;
    dh >>>= 0;

    t = a + d;
    ah = (ah + dh + (t > 0xffff_ffff ? 1 : 0)) >>> 0;
    a = t >>> 0;
    t = ((d << 21) | (dh >>> 11)) ^ a;
    dh = ((dh << 21) | (d >>> 11)) ^ ah;
    d = t;

    t = c + b;
    ch = (ch + bh + (t > 0xffff_ffff ? 1 : 0)) >>> 0;
    c = t >>> 0;
    t = ((b << 17) | (bh >>> 15)) ^ c;
    bh = ((bh << 17) | (b >>> 15)) ^ ch;
    b = t;
    t = c;
    c = ch;
    ch = t;

    this.#v0 = a;
    this.#v0h = ah;
    this.#v1 = b;
    this.#v1h = bh;
    this.#v2 = c;
    this.#v2h = ch;
    this.#v3 = d;
    this.#v3h = dh;
  }
}

/** `count` (0 … 4) bytes from `at` as a little-endian number. */
function word(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= (bytes[at + i] ?? 0) << (8 * i);
  return value;
}

function put(into: Uint8Array, at: number, value: number): void {
  into[at] = value & 0xff;
  into[at + 1] = (value >>> 8) & 0xff;
  into[at + 2] = (value >>> 16) & 0xff;
  into[at + 3] = value >>> 24;
}
