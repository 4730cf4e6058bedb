import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { SipHash } from "./siphash.ts";

const MASK = (1n << 64n) - 1n;
const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & MASK;

/** The algorithm as its paper has it, on 64-bit integers; the message is of whole 32-bit words. */
function reference(key: Uint8Array, words: readonly number[]): bigint {
  const bytes = new DataView(key.buffer, key.byteOffset, 16);
  const [k0, k1] = [bytes.getBigUint64(0, true), bytes.getBigUint64(8, true)];
  const v = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as [bigint, bigint, bigint, bigint];
  const round = (): void => {
    v[0] = (v[0] + v[1]) & MASK;
    v[2] = (v[2] + v[3]) & MASK;
    v[1] = rotate(v[1], 13n) ^ v[0];
    v[3] = rotate(v[3], 16n) ^ v[2];
    v[0] = rotate(v[0], 32n);
    v[2] = (v[2] + v[1]) & MASK;
    v[0] = (v[0] + v[3]) & MASK;
    v[1] = rotate(v[1], 17n) ^ v[2];
    v[3] = rotate(v[3], 21n) ^ v[0];
    v[2] = rotate(v[2], 32n);
  };
  const blocks: bigint[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) blocks.push(BigInt(words[i]!) | (BigInt(words[i + 1]!) << 32n));
  const last = words.length % 2 === 1 ? BigInt(words.at(-1)!) : 0n;
  blocks.push(last | (BigInt((words.length * 4) & 0xff) << 56n));
  for (const block of blocks) {
    v[3] ^= block;
    round();
    round();
    v[0] ^= block;
  }
  v[2] ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

describe("SipHash-2-4", () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  /** From the reference implementation: the input is the bytes 0, 1, 2 … of that length. */
  const vectors = new Map([
    [0, "726fdb47dd0e0e31"],
    [4, "cf2794e0277187b7"],
    [8, "93f5f5799a932462"],
    [12, "751e8fbc860ee5fb"],
    [16, "3f2acc7f57c29bdb"],
  ]);

  function hash(length: number): string {
    const sip = new SipHash(key).begin();
    for (let i = 0; i < length; i += 4) sip.word(i | ((i + 1) << 8) | ((i + 2) << 16) | ((i + 3) << 24));
    sip.end();
    return sip.high.toString(16).padStart(8, "0") + sip.low.toString(16).padStart(8, "0");
  }

  for (const [length, expected] of vectors) {
    it(`agrees with the reference for ${length} bytes`, () => expect(hash(length)).toBe(expected));
  }

  test.prop([fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.array(fc.integer({ min: 0, max: 0xffffffff }))])(
    "is what the paper's 64-bit arithmetic gives",
    (secret, words) => {
      const sip = new SipHash(secret).begin();
      for (const word of words) sip.word(word);
      sip.end();
      expect((BigInt(sip.high) << 32n) | BigInt(sip.low)).toBe(reference(secret, words));
    },
  );

  it("depends on its key", () => {
    const other = new SipHash(new Uint8Array(16)).begin().word(1).end();
    expect(other).not.toBe(new SipHash(key).begin().word(1).end());
  });
});
