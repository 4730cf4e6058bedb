import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XdrError } from "./errors.ts";
import { XdrReader } from "./reader.ts";
import { SATURATED_NUMBER } from "./uint64.ts";

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(/\s/g, "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function reading(hex: string): XdrReader {
  return new XdrReader(fromHex(hex));
}

/** The code of the XdrError that `read` throws. */
function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof XdrError) return error.code;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("XdrReader", () => {
  it("reads integers big-endian (RFC 4506 §4.1, §4.2, §4.5)", () => {
    const r = reading("ffffffff ffffffff 00000001 0102030405060708 ffffffffffffff00 ffffffffffffff00");
    expect(r.uint32()).toBe(0xffff_ffff);
    expect(r.int32()).toBe(-1);
    expect(r.bool()).toBe(true);
    expect(r.uint64()).toBe(0x0102_0304_0506_0708n);
    expect(r.int64()).toBe(-256n);
    expect(r.uint64Pair()).toEqual({ hi: 0xffff_ffff, lo: 0xffff_ff00 });
    r.expectEnd();
  });

  it("reads floats in IEEE format (RFC 4506 §4.6, §4.7)", () => {
    const r = reading("40490fdb 400921fb54442d18 7fc00000 fff0000000000000");
    expect(r.float()).toBeCloseTo(Math.PI, 6);
    expect(r.double()).toBe(Math.PI);
    expect(r.float()).toBeNaN();
    expect(r.double()).toBe(Number.NEGATIVE_INFINITY);
  });

  it("saturates numbers beyond 2^53 - 1 with their sign", () => {
    expect(reading("001fffff ffffffff").uint64Number()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reading("00200000 00000000").uint64Number()).toBe(SATURATED_NUMBER);
    expect(reading("ffffffff ffffffff").uint64Number()).toBe(SATURATED_NUMBER);
    expect(reading("001fffff ffffffff").int64Number()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reading("7fffffff ffffffff").int64Number()).toBe(SATURATED_NUMBER);
    expect(reading("ffffffff ffffffff").int64Number()).toBe(-1);
    expect(reading("ffe00000 00000001").int64Number()).toBe(Number.MIN_SAFE_INTEGER);
    expect(reading("ffe00000 00000000").int64Number()).toBe(-SATURATED_NUMBER);
    expect(reading("80000000 00000000").int64Number()).toBe(-SATURATED_NUMBER);
  });

  it("refuses a boolean that is neither 0 nor 1 (RFC 4506 §4.4)", () => {
    const r = reading("00000001 00000002");
    expect(r.bool()).toBe(true);
    expect(() => r.bool()).toThrow("expected a boolean, found 2 at byte 4");
  });

  it("gives opaque data as views and skips the padding", () => {
    const bytes = fromHex("00000005 0102030405 000000 aabbcc 00 00000000 0000002a");
    const r = new XdrReader(bytes);
    const opaque = r.opaque(5);
    expect([...opaque]).toEqual([1, 2, 3, 4, 5]);
    expect([...r.opaqueFixed(3)]).toEqual([0xaa, 0xbb, 0xcc]);
    expect(r.opaque().length).toBe(0);
    expect(r.uint32()).toBe(42);
    bytes[4] = 9;
    expect(opaque[0]).toBe(9);
  });

  it("reads within a part of a larger buffer, and again after reset", () => {
    const memory = fromHex("ffff 00000001 00000002 00000003 ffff");
    const r = new XdrReader(memory.subarray(2), 4, 8);
    expect(r.remaining).toBe(4);
    expect(r.uint32()).toBe(2);
    expect(r.remaining).toBe(0);
    expect(codeOf(() => r.uint32())).toBe("XDR_TRUNCATED");
    r.reset(memory.subarray(2, 6));
    expect(r.uint32()).toBe(1);
    r.reset(fromHex("0000002a"));
    expect(r.uint32()).toBe(42);
    expect(() => r.reset(memory, 4, 3)).toThrow(RangeError);
    expect(() => r.reset(memory, 0, memory.length + 1)).toThrow(RangeError);
  });

  it("accepts padding that is not zero, unless strict (RFC 4506 §3)", () => {
    const bytes = fromHex("00000002 61620001");
    expect(new XdrReader(bytes).string()).toBe("ab");
    const strict = new XdrReader(bytes, 0, bytes.length, { strict: true });
    expect(() => strict.string()).toThrow("padding is not zero at byte 7");
    expect(new XdrReader(fromHex("00000002 61620000"), 0, 8, { strict: true }).string()).toBe("ab");
  });

  it("holds every length against its maximum and against what is left", () => {
    expect(codeOf(() => reading("00000006 000000000000 0000").opaque(5))).toBe("XDR_LIMIT");
    expect(codeOf(() => reading("00000005 00000000").opaque())).toBe("XDR_TRUNCATED");
    // The data is all there, its padding is not.
    expect(codeOf(() => reading("00000003 000000").opaque())).toBe("XDR_TRUNCATED");
    expect(codeOf(() => reading("ffffffff 00000000").string())).toBe("XDR_TRUNCATED");
    expect(codeOf(() => reading("ffffffff 00000000").arrayLength(0xffff_ffff, 4))).toBe("XDR_TRUNCATED");
    expect(codeOf(() => reading("00000003 00000000 00000000 00000000").arrayLength(2, 4))).toBe("XDR_LIMIT");
    expect(reading("00000003 00000000 00000000 00000000").arrayLength(3, 4)).toBe(3);
    expect(codeOf(() => reading("00000000").skip(5))).toBe("XDR_TRUNCATED");
  });

  it("reads strings as UTF-8 and refuses anything else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
        const utf8 = new TextEncoder().encode(text);
        const bytes = new Uint8Array(4 + utf8.length + (-utf8.length & 3));
        new DataView(bytes.buffer).setUint32(0, utf8.length);
        bytes.set(utf8, 4);
        expect(new XdrReader(bytes).string()).toBe(text);
      }),
    );
    // A byte order mark is a character like others.
    expect(reading("00000004 efbbbf61").string()).toBe("\ufeffa");
    for (const hex of ["00000001 ff000000", "00000002 c0800000", "00000003 eda08000", "00000002 e2820000"]) {
      expect(codeOf(() => reading(hex).string())).toBe("XDR_UTF8");
    }
  });

  it("bounds the depth of recursive types", () => {
    const r = new XdrReader(new Uint8Array(0), 0, 0, { maxDepth: 2 });
    r.enter();
    r.enter();
    r.leave();
    r.enter();
    expect(codeOf(() => r.enter())).toBe("XDR_DEPTH");
    r.reset(new Uint8Array(0));
    r.enter();
  });

  it("reports what follows the last value", () => {
    const r = reading("00000001 00000002");
    r.uint32();
    expect(() => r.expectEnd()).toThrow("4 bytes follow the last value at byte 4");
  });

  it("lets decoders report a value, at the word just read", () => {
    const r = reading("00000001 00000002");
    r.uint32();
    expect(() => r.fail("expected 2, found 1")).toThrow("expected 2, found 1 at byte 0");
  });
});
