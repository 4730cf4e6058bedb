import { fromBytes, SATURATED_NUMBER, toBytes, type XdrCodec, XdrError, type XdrSchemaType } from "@xdr-ts/xdr";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as protocol from "../src/index.ts";
import { wire } from "./wire-arbitrary.ts";

/** Where DESIGN §2 wants numbers that saturate. */
const saturating: ReadonlySet<string> = new Set([
  "READ4args.offset",
  "WRITE4args.offset",
  "COMMIT4args.offset",
  "READ_PLUS4args.rpa_offset",
  "nfstime4.seconds",
]);

const types: readonly (readonly [string, XdrSchemaType])[] = protocol.xdr_schema
  .imports()
  .flatMap((schema) => Object.entries(schema.types));

const exported = protocol as unknown as Record<string, unknown>;
const codecs: readonly (readonly [string, XdrCodec<unknown>])[] = types.map(([name]) => [
  name,
  exported[`codec_${name}`] as XdrCodec<unknown>,
]);

function failure(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
}

describe("every type of the protocol", () => {
  it("has a codec", () => {
    expect(codecs.length).toBeGreaterThan(400);
    expect(codecs.filter(([, codec]) => codec === undefined)).toEqual([]);
    expect(Object.keys(exported).filter((name) => name.startsWith("codec_")).length).toBe(codecs.length);
  });

  it.each(codecs)("%s is read, and written back byte for byte", (name, codec) => {
    fc.assert(
      fc.property(wire(protocol.xdr_schema, name, { saturating }), (bytes) => {
        expect(toBytes(codec, fromBytes(codec, bytes))).toEqual(bytes);
      }),
      { numRuns: 20 },
    );
  });

  it.each(codecs)("%s is refused when it is cut short or goes on", (name, codec) => {
    fc.assert(
      fc.property(wire(protocol.xdr_schema, name, { saturating }), fc.nat(), (bytes, at) => {
        fc.pre(bytes.length > 0);
        expect(failure(() => fromBytes(codec, bytes.subarray(0, at % bytes.length)))).toBeInstanceOf(XdrError);
        expect(failure(() => fromBytes(codec, Uint8Array.of(...bytes, 0, 0, 0, 0)))).toBeInstanceOf(XdrError);
      }),
      { numRuns: 10 },
    );
  });

  it("throws nothing but XdrError over junk", () => {
    const junk = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom(0xffff_ffff, 0x7fff_ffff, 0x100)));
    fc.assert(
      fc.property(fc.constantFrom(...codecs), junk, fc.nat({ max: 3 }), ([, codec], words, cut) => {
        const view = new DataView(new ArrayBuffer(words.length * 4));
        words.forEach((word, i) => {
          view.setUint32(i * 4, word);
        });
        const error = failure(() =>
          fromBytes(codec, new Uint8Array(view.buffer, 0, Math.max(0, view.byteLength - cut))),
        );
        expect(error === null || error instanceof XdrError).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("64-bit values (DESIGN §2)", () => {
  it("saturate in the offsets of READ, WRITE and COMMIT", () => {
    const bytes = Uint8Array.of(...new Uint8Array(16), ...new Uint8Array(8).fill(0xff), 0, 0, 0, 1);
    const { offset } = fromBytes(protocol.codec_READ4args, bytes);
    expect(offset).toBe(SATURATED_NUMBER);
    expect(fromBytes(protocol.codec_COMMIT4args, bytes.subarray(16)).offset).toBe(SATURATED_NUMBER);
  });

  it("are exact in locks, and a pair in the client ID", () => {
    const owner = { clientid: { hi: 0xffff_ffff, lo: 1 }, owner: new Uint8Array(0) };
    const args: protocol.LOCKT4args = { locktype: 1, offset: 2n ** 64n - 2n, length: 2n ** 64n - 1n, owner };
    expect(fromBytes(protocol.codec_LOCKT4args, toBytes(protocol.codec_LOCKT4args, args))).toEqual(args);
  });
});
