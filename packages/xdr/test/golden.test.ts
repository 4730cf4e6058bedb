import { describe, expect, it } from "vitest";
import { fromBytes, toBytes, type XdrCodec } from "../src/index.ts";
import * as file from "./generated/file.ts";
import * as kinds from "./generated/kinds.ts";
import * as names from "./generated/names.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(/\s/g, "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Both directions. */
function expectWire<T>(codec: XdrCodec<T>, value: T, hex: string): void {
  expect(toBytes(codec, value)).toEqual(bytes(hex));
  expect(fromBytes(codec, bytes(hex))).toEqual(value);
}

describe("golden vectors", () => {
  it("RFC 4506 §7: john's lisp program", () => {
    expectWire(
      file.codec_file,
      {
        filename: "sillyprog",
        type: { kind: file.EXEC, interpretor: "lisp" },
        owner: "john",
        data: ascii("(quit)"),
      },
      `00000009 73696c6c 7970726f 67000000 00000002 00000004
       6c697370 00000004 6a6f686e 00000006 28717569 74290000`,
    );
  });

  it("RFC 4506 §4.15: a union's discriminant and its arm; void takes nothing", () => {
    expectWire(file.codec_filetype, { kind: file.TEXT }, "00000000");
    expectWire(file.codec_filetype, { kind: file.DATA, creator: "me" }, "00000001 00000002 6d650000");
  });

  it("RFC 4506 §4.1 to §4.8: scalars", () => {
    expectWire(
      kinds.codec_scalars,
      {
        i: -1,
        u: 0xffff_ffff,
        plain: 3,
        b: true,
        f: -2.5,
        d: 1 / 3,
        h: -2n,
        uh: 0x8000_0000_0000_0000n,
        q: bytes("3fff 0000 0000 0000 0000 0000 0000 0001"),
        c: kinds.GREEN,
        n: 4,
        m: 5,
      },
      `ffffffff ffffffff 00000003 00000001 c0200000 3fd5555555555555 fffffffffffffffe 8000000000000000
       3fff0000 00000000 00000000 00000001 00000001 00000004 00000005`,
    );
  });

  it("RFC 4506 §4.9 to §4.11: opaque data and strings", () => {
    expectWire(
      kinds.codec_buffers,
      {
        h: bytes("0102030405"),
        v: bytes("1111111122222222"),
        l: "é€",
        t: "",
        fixed: bytes("00010203040506"),
        bounded: bytes("ff"),
        unbounded: bytes(""),
        nothing: bytes(""),
      },
      `00000005 01020304 05000000 11111111 22222222 00000005 c3a9e282 ac000000 00000000
       00010203 04050600 00000001 ff000000 00000000`,
    );
  });

  it("RFC 4506 §4.12, §4.13: fixed arrays have no length, variable ones do", () => {
    expectWire(kinds.codec_triple, [1, -1, 0], "00000001 ffffffff 00000000");
    expectWire(kinds.codec_bitmap, [0x8000_0000, 1], "00000002 80000000 00000001");
    expect(() => toBytes(kinds.codec_triple, [1, 2])).toThrow(
      "triple[0]: expected exactly 3 elements, found 2 at byte 0",
    );
  });

  it("RFC 4506 §4.19: optional data is a flag and the data; a list is one of these after the other", () => {
    expectWire(kinds.codec_maybe_int, null, "00000000");
    expectWire(kinds.codec_maybe_int, 7, "00000001 00000007");
    expectWire(
      kinds.codec_options,
      { i: null, c: kinds.BLUE, p: [{ x: 1 }, { x: 2 }], twice: [null], list_of_twice: null },
      "00000000 00000001 00000002 00000001 00000001 00000001 00000002 00000000 00000001 00000000 00000000",
    );
    expectWire(
      kinds.codec_directory,
      {
        entries: [
          { cookie: 3, name: "a" },
          { cookie: 4, name: "bcde" },
        ],
        at_least_one: [{ cookie: 5, name: "" }],
        eof: false,
      },
      `00000001 00000003 00000001 61000000 00000001 00000004 00000004 62636465 00000000
       00000005 00000000 00000000 00000000`,
    );
  });

  it("64-bit integers in each mode (DESIGN §2)", () => {
    expectWire(
      kinds.codec_modes,
      {
        plain: 1n,
        tagged_bigint: 2n ** 64n - 1n,
        by_typedef: { hi: 1, lo: 2 },
        raw: bytes("8000000000000001"),
        num: 2 ** 53 - 1,
        signed_num: -1,
        signed_pair: { hi: 0xffff_ffff, lo: 0xffff_fffe },
        nums: [0, 2 ** 32],
        raw_option: bytes("0000000000000009"),
      },
      `0000000000000001 ffffffffffffffff 0000000100000002 8000000000000001 001fffffffffffff ffffffffffffffff
       fffffffffffffffe 00000002 0000000000000000 0000000100000000 00000001 0000000000000009`,
    );
  });

  it("unions with several cases for an arm, a default, and discriminants of every kind", () => {
    expectWire(kinds.codec_result, { status: kinds.STATUS_WORSE, detail: 9 }, "00002710 00000009");
    expectWire(kinds.codec_result, { status: 77 as number as never }, "0000004d");
    expectWire(kinds.codec_lock, { exclusive: false, holders: 2 }, "00000000 00000002");
    expectWire(kinds.codec_maybe, { present: false }, "00000000");
    expectWire(kinds.codec_flavored, { flavor: 0xffff_ffff, last: bytes("01") }, "ffffffff 00000001 01000000");
    expectWire(kinds.codec_flavored, { flavor: 5, body: bytes("") }, "00000005 00000000");
    expectWire(
      kinds.codec_expression,
      { op: -2, operands: [{ op: 1, negated: { op: 0, literal: 3 } }] },
      "fffffffe 00000001 00000001 00000001 00000000 00000003",
    );
    expectWire(kinds.codec_keywords, { switch_: kinds.RED, class: 1 }, "00000000 00000001");
  });

  it("types within types", () => {
    expectWire(
      kinds.codec_nested,
      {
        inner: [
          { a: 1, choice: { which: kinds.ONE, one: 2 } },
          { a: 3, choice: { which: kinds.TWO, two: { s: "x" } } },
        ],
        side: kinds.RIGHT,
      },
      "00000002 00000001 00000001 00000002 00000003 00000002 00000001 78000000 00000001",
    );
  });

  it("programs: numbers, and the codecs of each procedure (RFC 5531 §12)", () => {
    expect(kinds.KINDS_PROGRAM).toBe(0x2000_0001);
    const { program, version, procedures } = kinds.KINDS_PROGRAM_KINDS_V2;
    expect([program, version]).toEqual([0x2000_0001, 2]);
    expect(Object.values(procedures).map(({ name, number }) => `${name} ${number}`)).toEqual([
      "KINDSPROC_NULL 0",
      "KINDSPROC_COUNT 3",
    ]);
    expectWire(procedures.KINDSPROC_NULL.argument, undefined, "");
    expectWire(
      procedures.KINDSPROC_COUNT.argument,
      { argument1: bytes("01"), argument2: 2n, argument3: kinds.BLUE },
      "00000001 01000000 0000000000000002 00000002",
    );
    expectWire(procedures.KINDSPROC_COUNT.result, true, "00000001");
    expectWire(kinds.KINDS_PROGRAM_KINDS_V1.procedures.KINDSPROC_COUNT.result, 8, "00000008");
    // Two versions number KINDSPROC_COUNT differently, so that there is no constant of this name.
    expect(Object.hasOwn(kinds, "KINDSPROC_COUNT")).toBe(false);
    expect(kinds.KINDSPROC_LOOKUP).toBe(1);
  });

  it("RFC 4506 §6.4 (3): any name that is declared once, also those that generated code has uses for", () => {
    expectWire(
      names.codec_same_words,
      { structs: [{ first: 1, second: 2 }], numbers: [3, 4], pairs: [{ hi: 5, lo: 6 }], bigints: [7n] },
      `00000001 00000001 00000002 00000002 00000003 00000004 00000001 00000005 00000006 00000001 00000000 00000007`,
    );
    expectWire(names.codec_lists, { number: 1, structs: [{ value: 2 }] }, "00000001 00000001 00000002");
    expectWire(names.codec_links, { all: [{ inner: { value: 3 } }] }, "00000001 00000003 00000000");
    expectWire(
      names.codec_branch,
      { kind: 1, inner: { kind: 2, leaf: { value: 9 } } },
      "00000001 00000001 00000002 00000009",
    );
    expectWire(names.codec_decoder, { decode_x: 1, field: { value: 8 } }, "00000001 00000008");
    const { argument } = names.FIRST_PROGRAM_V1.procedures.ADD;
    expectWire(argument, { argument1: 1, argument2: 2 }, "00000001 00000002");
    expectWire(names.FIRST_PROGRAM_V2.procedures.ADD.result, { sum: 3n }, "00000000 00000003");
    expectWire(
      names.SECOND_PROGRAM_V1.procedures.ADD.argument,
      { argument1: 1n, argument2: 2n },
      "00000000 00000001 00000000 00000002",
    );
  });

  it("constants in every radix, exact beyond 2^53", () => {
    expect([kinds.DEC, kinds.NEG, kinds.HEX, kinds.OCT, kinds.BIG]).toEqual([10, -7, 255, 493, 2n ** 64n - 1n]);
  });
});
