import { type Cipher, createCipheriv } from "node:crypto";

const BLOCK = 16;
const ZERO = new Uint8Array(BLOCK);

/**
 * AES-CMAC with a key of 128 bits (RFC 4493), on the CBC mode of node:crypto: the last block of the ciphertext is the MAC. The cipher stays for the life of
 * the key; what one message leaves in its chain is taken out of the next one's first block.
 */
export class AesCmac {
  readonly #cipher: Cipher;
  /** For a last block that is whole, and for one that is padded (§2.3). */
  readonly #whole: Uint8Array;
  readonly #padded: Uint8Array;
  #chain: Uint8Array = ZERO;

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv("aes-128-cbc", key, ZERO);
    this.#cipher.setAutoPadding(false);
    this.#whole = doubled(this.#encrypt(Uint8Array.from(ZERO)));
    this.#padded = doubled(this.#whole);
  }

  /** 16 bytes (§2.4). */
  mac(message: Uint8Array): Uint8Array {
    const { length } = message;
    const blocks = new Uint8Array(Math.max(1, Math.ceil(length / BLOCK)) * BLOCK);
    blocks.set(message);
    const isWhole = length > 0 && length % BLOCK === 0;
    if (!isWhole) blocks[length] = 0x80;
    mix(blocks, blocks.length - BLOCK, isWhole ? this.#whole : this.#padded);
    return this.#encrypt(blocks);
  }

  /** The last block of what CBC with an initialization vector of zeros makes of whole blocks, which are overwritten. */
  #encrypt(blocks: Uint8Array): Uint8Array {
    mix(blocks, 0, this.#chain);
    const encrypted = this.#cipher.update(blocks);
    this.#chain = Uint8Array.from(encrypted.subarray(encrypted.length - BLOCK));
    return this.#chain;
  }
}

function mix(into: Uint8Array, at: number, block: Uint8Array): void {
  for (let i = 0; i < BLOCK; i++) into[at + i]! ^= block[i]!;
}

/** Multiplied by x in GF(2^128) (§2.3). */
function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >>> 7);
  out[BLOCK - 1]! ^= (block[0]! >>> 7) * 0x87;
  return out;
}
