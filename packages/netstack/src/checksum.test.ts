import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { addSums, sumBytes, sumPseudoHeader, sumView, swapSum, updateChecksum } from "./checksum.ts";

/** RFC 1071 §4.1, word by word. */
function naiveSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** One's complement has two zeros. */
function same(sum: number): number {
  return sum % 0xffff;
}

describe("the Internet checksum (RFC 1071)", () => {
  it("sums the example of §3", () => {
    expect(sumBytes(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7), 0, 8)).toBe(0xddf2);
  });

  test.prop([fc.uint8Array({ maxLength: 3000, size: "max" }), fc.nat(7)])(
    "equals the naive sum at any alignment",
    (bytes, shift) => {
      const padded = new Uint8Array(bytes.length + shift + 3);
      padded.set(bytes, shift);
      expect(same(sumBytes(padded.subarray(shift), 0, bytes.length))).toBe(same(naiveSum(bytes)));
      expect(same(sumBytes(padded, shift, bytes.length))).toBe(same(naiveSum(bytes)));
      expect(same(sumView(new DataView(padded.buffer, shift), 0, bytes.length))).toBe(same(naiveSum(bytes)));
    },
  );

  test.prop([fc.uint8Array({ maxLength: 400 }), fc.nat(400)])("adds up over pieces of odd length", (bytes, at) => {
    const cut = Math.min(at, bytes.length);
    const tail = sumBytes(bytes, cut, bytes.length - cut);
    const sum = addSums(sumBytes(bytes, 0, cut), cut % 2 === 1 ? swapSum(tail) : tail);
    expect(same(sum)).toBe(same(naiveSum(bytes)));
  });

  it("does not overflow over 64 KiB of ones", () => {
    expect(sumBytes(new Uint8Array(65536).fill(0xff), 0, 65536)).toBe(0xffff);
  });

  test.prop([
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.nat(255),
    fc.nat(70000),
  ])("sums IPv4's pseudo-header from mapped words", (source, destination, protocol, length) => {
    const word = (b: Uint8Array): number => new DataView(b.buffer).getUint32(0);
    const bytes = Uint8Array.of(
      ...source,
      ...destination,
      0,
      protocol,
      0,
      length >>> 16,
      (length >>> 8) & 255,
      length & 255,
    );
    expect(same(sumPseudoHeader(0, 0, 0xffff, word(source), 0, 0, 0xffff, word(destination), protocol, length))).toBe(
      same(naiveSum(bytes)),
    );
  });

  it("leaves the zone of link-scoped addresses out of the pseudo-header", () => {
    const plain = sumPseudoHeader(0xfe800000, 0, 0, 1, 0xff020000, 0, 0, 2, 58, 32);
    expect(sumPseudoHeader(0xfe800003, 0, 0, 1, 0xff020003, 0, 0, 2, 58, 32)).toBe(plain);
  });

  test.prop([fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(9), fc.nat(0xffff)])(
    "is updated in place (RFC 1624)",
    (header, field, value) => {
      const view = new DataView(header.buffer, header.byteOffset);
      const before = view.getUint16(field * 2);
      const checksum = ~naiveSum(header) & 0xffff;
      view.setUint16(field * 2, value);
      expect(same(~updateChecksum(checksum, before, value) & 0xffff)).toBe(same(naiveSum(header)));
    },
  );
});
