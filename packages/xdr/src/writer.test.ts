import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XdrReader } from "./reader.ts";
import { XdrWriter } from "./writer.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function written(write: (w: XdrWriter) => void): string {
  const w = new XdrWriter();
  write(w);
  return hex(w.bytes());
}

function joined(slices: readonly Uint8Array[]): string {
  return slices.map(hex).join("");
}

describe("XdrWriter", () => {
  it("writes scalars big-endian (RFC 4506 §4)", () => {
    expect(written((w) => w.uint32(0xffff_fffe))).toBe("fffffffe");
    expect(written((w) => w.int32(-2))).toBe("fffffffe");
    expect(written((w) => w.bool(true))).toBe("00000001");
    expect(written((w) => w.float(-1))).toBe("bf800000");
    expect(written((w) => w.double(Math.PI))).toBe("400921fb54442d18");
    expect(written((w) => w.uint64(2n ** 64n - 1n))).toBe("ffffffffffffffff");
    expect(written((w) => w.int64(-2n))).toBe("fffffffffffffffe");
    expect(written((w) => w.uint64Pair({ hi: 1, lo: 0xffff_ffff }))).toBe("00000001ffffffff");
    expect(written((w) => w.uint64Number(2 ** 53 - 1))).toBe("001fffffffffffff");
    expect(written((w) => w.int64Number(-1))).toBe("ffffffffffffffff");
    expect(written((w) => w.int64Number(-(2 ** 53)))).toBe("ffe0000000000000");
  });

  it("pads opaque data and strings with zeros to a multiple of 4 (RFC 4506 §3)", () => {
    const w = new XdrWriter({ chunkSize: 512 });
    for (let length = 0; length <= 9; length++) {
      // Dirty memory first: the padding must be written, not found.
      w.opaque(new Uint8Array(16).fill(0xff));
      w.reset();
      w.opaque(new Uint8Array(length).fill(0xee));
      const padding = "00".repeat(-length & 3);
      expect(hex(w.bytes())).toBe(`0000000${length}${"ee".repeat(length)}${padding}`);
      w.reset({ reuse: true });
      w.string("x".repeat(length));
      expect(hex(w.bytes())).toBe(`0000000${length}${"78".repeat(length)}${padding}`);
      w.reset({ reuse: true });
    }
  });

  it.each([
    ["uint32", (w: XdrWriter) => w.uint32(-1)],
    ["uint32", (w: XdrWriter) => w.uint32(2 ** 32)],
    ["uint32", (w: XdrWriter) => w.uint32(1.5)],
    ["int32", (w: XdrWriter) => w.int32(2 ** 31)],
    ["int32", (w: XdrWriter) => w.int32(Number.NaN)],
    ["uint64", (w: XdrWriter) => w.uint64(-1n)],
    ["uint64", (w: XdrWriter) => w.uint64(2n ** 64n)],
    ["int64", (w: XdrWriter) => w.int64(2n ** 63n)],
    ["uint64Number", (w: XdrWriter) => w.uint64Number(-1)],
    ["uint64Number", (w: XdrWriter) => w.uint64Number(2 ** 64)],
    ["int64Number", (w: XdrWriter) => w.int64Number(0.5)],
    ["int64Number", (w: XdrWriter) => w.int64Number(2 ** 63)],
    ["uint64Pair", (w: XdrWriter) => w.uint64Pair({ hi: 0, lo: -1 })],
  ])("refuses a value that is not of the type: %s, case %#", (_, write) => {
    expect(() => written(write)).toThrow(expect.objectContaining({ code: "XDR_VALUE" }));
  });

  it("refuses data beyond its maximum, and strings that are not Unicode", () => {
    expect(() => written((w) => w.opaque(new Uint8Array(6), 5))).toThrow(/length of 6 exceeds the maximum of 5/);
    expect(() => written((w) => w.opaqueReference(new Uint8Array(6), 5))).toThrow(/exceeds/);
    expect(() => written((w) => w.string("€€", 5))).toThrow(/length of 6 exceeds/);
    expect(() => written((w) => w.opaqueFixed(new Uint8Array(6), 5))).toThrow(/exactly 5 bytes, found 6/);
    expect(() => written((w) => w.arrayLength(6, 5))).toThrow(/exceeds/);
    expect(() => written((w) => w.fixedLength(6, 5))).toThrow(/exactly 5 elements, found 6/);
    expect(() => written((w) => w.string("a\ud800"))).toThrow(expect.objectContaining({ code: "XDR_UTF8" }));
    expect(() => written((w) => w.string("\udc00é"))).toThrow(expect.objectContaining({ code: "XDR_UTF8" }));
  });

  it("writes what the reader reads, over the growth of its memory", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.uint8Array({ maxLength: 900 })), {
          maxLength: 12,
        }),
        fc.constantFrom(Number.POSITIVE_INFINITY, 0, 100),
        (values, gatherThreshold) => {
          const w = new XdrWriter({ chunkSize: 512, gatherThreshold });
          for (const value of values) typeof value === "string" ? w.string(value) : w.opaque(value);
          const slices = w.slices();
          expect(slices.every((slice) => slice.length > 0)).toBe(true);
          expect(joined(slices)).toBe(hex(w.bytes()));
          expect(w.position).toBe(w.bytes().length);
          const r = new XdrReader(w.bytes(), 0, w.position, { strict: true });
          for (const value of values) {
            if (typeof value === "string") expect(r.string()).toBe(value);
            else expect(hex(r.opaque())).toBe(hex(value));
          }
          r.expectEnd();
        },
      ),
    );
  });

  it("references large opaque data instead of copying it", () => {
    const w = new XdrWriter({ gatherThreshold: 8 });
    const large = new Uint8Array(9).fill(7);
    const small = new Uint8Array(7).fill(1);
    w.uint32(1);
    w.opaque(large);
    w.opaque(small);
    w.opaqueReference(small);
    w.opaqueFixed(large, 9);
    const slices = w.slices();
    expect(slices.filter((slice) => slice === large)).toHaveLength(2);
    expect(slices.filter((slice) => slice === small)).toHaveLength(1);
    expect(joined(slices)).toBe(
      `00000001 00000009 ${"07".repeat(9)}000000 00000007 ${"01".repeat(7)}00 00000007 ${"01".repeat(7)}00 ${"07".repeat(9)}000000`.replaceAll(
        " ",
        "",
      ),
    );
    expect(w.position).toBe(joined(slices).length / 2);
  });

  it("patches what was reserved, also behind referenced data", () => {
    const w = new XdrWriter({ chunkSize: 512, gatherThreshold: 8 });
    const first = w.reserve(4);
    w.opaque(new Uint8Array(10));
    const second = w.reserve(8);
    w.opaque(new Uint8Array(600).fill(1), 600);
    w.string("x".repeat(600));
    w.patchUint32(first, w.position);
    w.patchUint32(second + 4, 0xabcd);
    const r = new XdrReader(w.bytes());
    expect(r.uint32()).toBe(w.position);
    r.opaque();
    expect(r.uint64()).toBe(0xabcdn);
    expect(() => w.patchUint32(8, 0)).toThrow(/inside referenced data/);
    expect(() => w.patchUint32(w.position, 0)).toThrow(RangeError);
  });

  it("rewinds to a mark, also over referenced data", () => {
    const w = new XdrWriter({ gatherThreshold: 8 });
    w.uint32(1);
    w.opaque(new Uint8Array(12).fill(2));
    const mark = w.position;
    const before = hex(w.bytes());
    w.opaque(new Uint8Array(12));
    w.string("does not fit");
    w.truncate(mark);
    expect(w.position).toBe(mark);
    expect(hex(w.bytes())).toBe(before);
    w.uint32(3);
    expect(hex(w.bytes())).toBe(`${before}00000003`);
    w.truncate(8);
    expect(hex(w.bytes())).toBe("000000010000000c");
    expect(() => w.truncate(9)).toThrow(RangeError);
    w.opaqueReference(new Uint8Array(8));
    expect(() => w.truncate(14)).toThrow(/inside referenced data/);
  });

  it("never writes again what it handed out, until told", () => {
    const w = new XdrWriter({ chunkSize: 512 });
    const kept: { bytes: Uint8Array; copy: string }[] = [];
    for (let i = 0; i < 100; i++) {
      w.string(`message ${i} ${"x".repeat(i * 7)}`);
      const bytes = i % 2 === 0 ? w.bytes() : w.slices()[0]!;
      kept.push({ bytes, copy: hex(bytes) });
      w.reset();
    }
    for (const { bytes, copy } of kept) expect(hex(bytes)).toBe(copy);
    w.uint32(1);
    const first = w.bytes();
    w.reset({ reuse: true });
    w.uint32(2);
    const again = w.bytes();
    expect(again.buffer).toBe(first.buffer);
  });

  it("uses its memory again where nothing was handed out", () => {
    const w = new XdrWriter({ chunkSize: 512 });
    w.uint32(1);
    w.reset();
    w.uint32(2);
    expect(w.bytes().byteOffset).toBe(0);
    expect(hex(w.bytes())).toBe("00000002");
  });

  it("bounds the depth of recursive values", () => {
    const w = new XdrWriter({ maxDepth: 1 });
    w.enter();
    expect(() => w.enter()).toThrow(expect.objectContaining({ code: "XDR_DEPTH" }));
    w.truncate(0);
    w.enter();
    w.reset();
    w.enter();
    w.leave();
    w.enter();
  });
});
