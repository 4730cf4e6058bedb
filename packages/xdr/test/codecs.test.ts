import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fromBytes,
  randomMessage,
  toBytes,
  type XdrCodec,
  XdrError,
  XdrReader,
  type XdrSchema,
  XdrWriter,
} from "../src/index.ts";
import * as file from "./generated/file.ts";
import * as kinds from "./generated/kinds.ts";
import * as names from "./generated/names.ts";
import * as users from "./generated/users.ts";

/** Every codec of a generated module. */
function codecsOf(module: Record<string, unknown>): XdrCodec<unknown>[] {
  return Object.entries(module).flatMap(([name, value]) =>
    name.startsWith("codec_") ? [value as XdrCodec<unknown>] : [],
  );
}

/** A small generator of random numbers (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function messageOf(codec: XdrCodec<unknown>, seed: number): Uint8Array {
  return randomMessage(codec.schema, codec.name, randomFrom(seed), { safeIntegers: true });
}

function meansTheSame(codec: XdrCodec<unknown>, bytes: Uint8Array, message: Uint8Array): boolean {
  let value: unknown;
  try {
    value = fromBytes(codec, bytes);
  } catch (error) {
    if (error instanceof XdrError) return false;
    throw error;
  }
  return Buffer.compare(toBytes(codec, value), message) === 0;
}

const codecs = [kinds, file, names, users].flatMap(codecsOf);
const seed = fc.integer();

describe.each(codecs.map((codec) => [codec.name, codec] as const))("%s", (name, codec) => {
  it("writes what it read, byte for byte", () => {
    fc.assert(
      fc.property(seed, (n) => {
        const message = messageOf(codec, n);
        const value = fromBytes(codec, message);
        expect(toBytes(codec, value)).toEqual(message);
        // The same through a strict reader, in the middle of other bytes, and gathered.
        const w = new XdrWriter({ gatherThreshold: 1 });
        w.uint32(7);
        codec.encode(w, value);
        w.uint32(7);
        const r = new XdrReader(w.bytes(), 4, w.position, { strict: true });
        expect(codec.decode(r)).toEqual(value);
        expect(r.uint32()).toBe(7);
      }),
      { numRuns: 50 },
    );
  });

  it("is canonical where the reader is strict: every byte that means nothing must be zero (RFC 4506 §3)", () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 255 }), (n, flip) => {
        const message = messageOf(codec, n);
        fc.pre(message.length <= 400);
        for (let at = 0; at < message.length; at++) {
          const damaged = message.slice();
          damaged[at]! ^= flip;
          if (!meansTheSame(codec, damaged, message)) continue;
          const strict = new XdrReader(damaged, 0, damaged.length, { strict: true });
          expect(() => codec.decode(strict)).toThrow(expect.objectContaining({ code: "XDR_PADDING", offset: at }));
        }
      }),
      { numRuns: 10 },
    );
  });

  it("reports truncation at every byte, with a path", () => {
    fc.assert(
      fc.property(seed, (n) => {
        const message = messageOf(codec, n);
        fc.pre(message.length <= 2000);
        for (let end = 0; end < message.length; end++) {
          const cut = message.slice(0, end);
          let error: unknown;
          try {
            fromBytes(codec, cut);
          } catch (thrown) {
            error = thrown;
          }
          expect(error).toBeInstanceOf(XdrError);
          const { code, offset, path } = error as XdrError;
          expect(code).toBe("XDR_TRUNCATED");
          expect(offset).toBeLessThanOrEqual(end);
          expect(path.startsWith(name)).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
  });

  it("throws nothing but XdrError at damaged messages, and writes what it accepts", () => {
    fc.assert(
      fc.property(seed, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (n, damage) => {
        const message = messageOf(codec, n);
        fc.pre(message.length > 0);
        for (const [at, byte] of damage) message[at % message.length] = byte;
        let value: unknown;
        try {
          value = fromBytes(codec, message);
        } catch (error) {
          expect(error).toBeInstanceOf(XdrError);
          expect((error as XdrError).path.startsWith(name) || (error as XdrError).code === "XDR_TRAILING").toBe(true);
          return;
        }
        // Padding may have been damaged, and numbers saturated: writing must make a fixed point of it.
        const again = toBytes(codec, value);
        expect(toBytes(codec, fromBytes(codec, again))).toEqual(again);
      }),
      { numRuns: 60 },
    );
  });
});

describe("hostile lengths", () => {
  const lists: [string, XdrCodec<unknown>][] = [
    ["opaque", kinds.codec_buffers],
    ["list of words", kinds.codec_bitmap],
    ["list of structs", kinds.codec_outline],
    ["list of recursive structs", kinds.codec_forest],
    ["string", kinds.codec_text],
  ];

  it.each(lists)("take no memory: %s", (_, codec) => {
    const message = new Uint8Array(1 << 16).fill(0xff);
    const before = process.memoryUsage();
    for (let i = 0; i < 100; i++) expect(() => codec.decode(new XdrReader(message))).toThrow(XdrError);
    const after = process.memoryUsage();
    // One honoured length would be gigabytes.
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(32 << 20);
  });
});

describe("recursion", () => {
  it("reads and writes lists of any length without it", () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => ({ cookie: i, name: `file ${i}` }));
    const directory = { entries, at_least_one: [{ cookie: 1, name: "a" }], eof: true };
    expect(fromBytes(kinds.codec_directory, toBytes(kinds.codec_directory, directory))).toEqual(directory);
  });

  it("refuses a list that must start with an element and has none", () => {
    const directory = { entries: [], at_least_one: [], eof: true };
    expect(() => toBytes(kinds.codec_directory, directory)).toThrow("expected at least one entry, found none");
  });

  it("is bounded where a type is truly recursive, reading and writing", () => {
    let tree: kinds.tree = { key: 0, left: null, right: null };
    for (let i = 1; i < 64; i++)
      tree = i % 2 ? { key: i, left: tree, right: null } : { key: i, left: null, right: tree };
    expect(fromBytes(kinds.codec_tree, toBytes(kinds.codec_tree, tree))).toEqual(tree);
    tree = { key: 64, left: tree, right: null };
    expect(() => toBytes(kinds.codec_tree, tree)).toThrow(expect.objectContaining({ code: "XDR_DEPTH" }));
    const deep = new Uint8Array(1 << 20);
    const view = new DataView(deep.buffer);
    for (let at = 0; at < deep.length; at += 8) view.setUint32(at + 4, 1);
    expect(() => fromBytes(kinds.codec_tree, deep)).toThrow(expect.objectContaining({ code: "XDR_DEPTH" }));
    const loop: kinds.tree = { key: 1, left: null, right: null };
    loop.left = loop;
    expect(() => toBytes(kinds.codec_tree, loop)).toThrow(expect.objectContaining({ code: "XDR_DEPTH" }));
  });
});

describe("errors", () => {
  function errorOf(action: () => unknown): XdrError {
    try {
      action();
    } catch (error) {
      if (error instanceof XdrError) return error;
      throw error;
    }
    throw new Error("nothing was thrown");
  }

  it("name the field that could not be read", () => {
    const directory = {
      entries: [1, 2, 3].map((cookie) => ({ cookie, name: "abc" })),
      at_least_one: [{ cookie: 1, name: "a" }],
      eof: true,
    };
    const bytes = toBytes(kinds.codec_directory, directory);
    // The third entry: three times a flag, a cookie and 8 bytes of name, of which the last name's first byte.
    bytes[2 * 16 + 12] = 0xff;
    const error = errorOf(() => fromBytes(kinds.codec_directory, bytes));
    expect(error).toMatchObject({ code: "XDR_UTF8", path: "directory.entries[2].name", offset: 44 });
    expect(error.message).toBe("directory.entries[2].name: the string is not UTF-8 at byte 44");
    expect(errorOf(() => fromBytes(kinds.codec_directory, bytes.subarray(0, 18))).path).toBe("directory.entries");
    bytes[3] = 2;
    expect(errorOf(() => fromBytes(kinds.codec_directory, bytes))).toMatchObject({
      code: "XDR_VALUE",
      path: "directory.entries",
    });
  });

  it("name the arm, the element and the discriminant", () => {
    const lock = toBytes(kinds.codec_lock, { exclusive: true, owner: new Uint8Array(5) });
    lock[7] = 6;
    expect(errorOf(() => fromBytes(kinds.codec_lock, lock))).toMatchObject({ code: "XDR_LIMIT", path: "lock.owner" });
    lock[3] = 9;
    expect(errorOf(() => fromBytes(kinds.codec_lock, lock)).path).toBe("lock.exclusive");
    const palette = new Uint8Array([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3]);
    expect(errorOf(() => fromBytes(kinds.codec_palette, palette))).toMatchObject({
      path: "palette[1]",
      reason: "expected color, found 3",
      offset: 8,
    });
    const partial = new Uint8Array([0, 0, 0, 1, 0, 0, 0, 1]);
    expect(errorOf(() => fromBytes(kinds.codec_partial, partial))).toMatchObject({
      path: "partial.c",
      reason: "expected an arm of partial, found c 1",
    });
  });

  it("name the field that could not be written", () => {
    const user = { id: 1, known: [new Uint8Array(2), new Uint8Array(6)], favourite: kinds.RED, flags: [], entries: [] };
    expect(errorOf(() => toBytes(users.codec_user, user))).toMatchObject({ code: "XDR_LIMIT", path: "user.known[1]" });
    const entries = [{ cookie: 1.5, name: "" }];
    expect(errorOf(() => toBytes(users.codec_user, { ...user, known: [], entries })).path).toBe(
      "user.entries[0].cookie",
    );
    const wrong = { c: kinds.RED } as unknown as kinds.partial;
    expect(errorOf(() => toBytes(kinds.codec_partial, wrong)).reason).toBe("expected an arm of partial, found c 0");
    const bodyless = { flavor: 6 } as unknown as kinds.flavored;
    expect(errorOf(() => toBytes(kinds.codec_flavored, bodyless)).reason).toBe(
      "expected body in flavored with flavor 6, found none",
    );
  });

  it("carry a path also where messages follow each other in one buffer", () => {
    const w = new XdrWriter();
    w.uint32(0);
    w.uint32(7);
    const r = new XdrReader(w.bytes(), 4);
    expect(errorOf(() => kinds.decode_color(r))).toMatchObject({ path: "", offset: 4 });
    const all = { imports: () => [], types: {} } satisfies XdrSchema;
    expect(errorOf(() => fromBytes({ ...kinds.codec_color, schema: all }, w.bytes().subarray(4)))).toMatchObject({
      path: "color",
    });
  });
});
