import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeName, encodeName, isUtf8Name } from "./names.ts";

const utf8 = new TextEncoder();

/** Bytes that are nearly UTF-8: pieces of characters, cut and put together. */
const brokenUtf8 = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.string({ unit: "binary" }).map((text) => utf8.encode(text)),
      fc.constantFrom(0xed, 0xf0, 0xe0, 0xc2, 0xf4, 0xc0).map((byte) => Uint8Array.of(byte)),
    ),
  )
  .map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece])));

describe("names", () => {
  it("gives any bytes back", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), brokenUtf8), (bytes) => {
        expect(encodeName(decodeName(bytes))).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives any well-formed string back, as UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const bytes = encodeName(name);
        expect(bytes).toEqual(utf8.encode(name));
        expect(decodeName(bytes)).toBe(name);
        expect(isUtf8Name(name)).toBe(true);
      }),
    );
  });

  it("tells whether the bytes were UTF-8", () => {
    const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(brokenUtf8, (bytes) => {
        let valid = true;
        try {
          fatal.decode(bytes);
        } catch {
          valid = false;
        }
        expect(isUtf8Name(decodeName(bytes))).toBe(valid);
      }),
    );
  });

  it.each([
    ["a lone continuation byte", [0x61, 0x80, 0x62], "a\udc80b"],
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9], "caf\udce9"],
    ["an encoded surrogate", [0xed, 0xb2, 0x80], "\udced\udcb2\udc80"],
    ["an overlong slash", [0xc0, 0xaf], "\udcc0\udcaf"],
    ["a cut character before a whole one", [0xf0, 0x9f, 0x98, 0xf0, 0x9f, 0x98, 0x80], "\udcf0\udc9f\udc98\u{1f600}"],
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
    ["nothing", [], ""],
  ])("escapes only what is not UTF-8: %s", (_, bytes, name) => {
    expect(decodeName(Uint8Array.from(bytes))).toBe(name);
    expect(encodeName(name)).toEqual(Uint8Array.from(bytes));
  });

  it.each(["\ud800", "a\udc7f", "\udfff", "\ud800a"])("refuses a surrogate that stands for no byte", (name) => {
    expect(() => encodeName(name)).toThrow(RangeError);
  });
});
