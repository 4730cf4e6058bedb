/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) in 32-bit halves: the keyed function behind initial sequence numbers (RFC 6528), timestamp
 * offsets (RFC 7323 §5.4) and port offsets (RFC 6056). It hashes 32-bit words, each as four little-endian bytes.
 */
export class SipHash {
  /** The 64-bit result of the last `end()`. */
  low = 0;
  high = 0;

  readonly #key: Uint32Array;
  #v0l = 0;
  #v0h = 0;
  #v1l = 0;
  #v1h = 0;
  #v2l = 0;
  #v2h = 0;
  #v3l = 0;
  #v3h = 0;
  #words = 0;
  #pending = 0;

  /** `key`: 16 secret bytes; copied. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16);
    this.#key = Uint32Array.of(
      view.getUint32(0, true),
      view.getUint32(4, true),
      view.getUint32(8, true),
      view.getUint32(12, true),
    );
  }

  begin(): this {
    const key = this.#key;
    this.#v0l = key[0]! ^ 0x70736575;
    this.#v0h = key[1]! ^ 0x736f6d65;
    this.#v1l = key[2]! ^ 0x6e646f6d;
    this.#v1h = key[3]! ^ 0x646f7261;
    this.#v2l = key[0]! ^ 0x6e657261;
    this.#v2h = key[1]! ^ 0x6c796765;
    this.#v3l = key[2]! ^ 0x79746573;
    this.#v3h = key[3]! ^ 0x74656462;
    this.#words = 0;
    return this;
  }

  word(word: number): this {
    if ((this.#words++ & 1) === 0) this.#pending = word | 0;
    else this.#block(this.#pending, word | 0);
    return this;
  }

  /** Finishes; returns the low 32 bits, unsigned. */
  end(): number {
    const lengthByte = ((this.#words * 4) & 0xff) << 24;
    if ((this.#words & 1) === 0) this.#block(0, lengthByte);
    else this.#block(this.#pending, lengthByte);
    this.#v2l ^= 0xff;
    for (let i = 0; i < 4; i++) this.#round();
    this.low = (this.#v0l ^ this.#v1l ^ this.#v2l ^ this.#v3l) >>> 0;
    this.high = (this.#v0h ^ this.#v1h ^ this.#v2h ^ this.#v3h) >>> 0;
    return this.low;
  }

  #block(low: number, high: number): void {
    this.#v3l ^= low;
    this.#v3h ^= high;
    this.#round();
    this.#round();
    this.#v0l ^= low;
    this.#v0h ^= high;
  }

  #round(): void {
    let v0l = this.#v0l;
    let v0h = this.#v0h;
    let v1l = this.#v1l;
    let v1h = this.#v1h;
    let v2l = this.#v2l;
    let v2h = this.#v2h;
    let v3l = this.#v3l;
    let v3h = this.#v3h;
    let low = 0;
    let high = 0;

    // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
    low = (v0l >>> 0) + (v1l >>> 0);
    v0h = (v0h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
    v0l = low | 0;
    low = (v1l << 13) | (v1h >>> 19);
    high = (v1h << 13) | (v1l >>> 19);
    v1l = low ^ v0l;
    v1h = high ^ v0h;
    low = v0l;
    v0l = v0h;
    v0h = low;

    // v2 += v3; v3 = rotl(v3, 16) ^ v2
    low = (v2l >>> 0) + (v3l >>> 0);
    v2h = (v2h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
    v2l = low | 0;
    low = (v3l << 16) | (v3h >>> 16);
    high = (v3h << 16) | (v3l >>> 16);
    v3l = low ^ v2l;
    v3h = high ^ v2h;

    // v0 += v3; v3 = rotl(v3, 21) ^ v0
    low = (v0l >>> 0) + (v3l >>> 0);
    v0h = (v0h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
    v0l = low | 0;
    low = (v3l << 21) | (v3h >>> 11);
    high = (v3h << 21) | (v3l >>> 11);
    v3l = low ^ v0l;
    v3h = high ^ v0h;

    // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
    low = (v2l >>> 0) + (v1l >>> 0);
    v2h = (v2h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
    v2l = low | 0;
    low = (v1l << 17) | (v1h >>> 15);
    high = (v1h << 17) | (v1l >>> 15);
    v1l = low ^ v2l;
    v1h = high ^ v2h;
    low = v2l;
    v2l = v2h;
    v2h = low;

    this.#v0l = v0l;
    this.#v0h = v0h;
    this.#v1l = v1l;
    this.#v1h = v1h;
    this.#v2l = v2l;
    this.#v2h = v2h;
    this.#v3l = v3l;
    this.#v3h = v3h;
  }
}
