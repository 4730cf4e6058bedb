import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { finishOptions, TcpOptions, writeSack, writeSynOptions, writeTimestamps } from "./options.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

/** None, TCP MD5, TCP-AO. */
const signature = fc.constantFrom({ kind: 0, length: 0 }, { kind: 19, length: 18 }, { kind: 29, length: 16 });

function sign(view: DataView, end: number, { kind, length }: { kind: number; length: number }): void {
  if (kind !== 0) view.setUint16(end - length, (kind << 8) | length);
}

function parse(bytes: ArrayLike<number>, syn = true): TcpOptions {
  const options = new TcpOptions();
  const view = new DataView(Uint8Array.from(bytes).buffer);
  options.parse(view, 0, view.byteLength, syn);
  return options;
}

describe("TCP options", () => {
  test.prop([
    fc.integer({ min: 1, max: 65_535 }),
    fc.integer({ min: -1, max: 14 }),
    fc.boolean(),
    fc.option(fc.tuple(word, word)),
    signature,
  ])(
    "of a SYN are read as they were written, and fill whole words",
    (mss, shift, sackPermitted, timestamps, signed) => {
      const view = new DataView(new ArrayBuffer(64));
      const bare = writeSynOptions(view, 0, mss, shift, sackPermitted, timestamps?.[0] ?? -1, timestamps?.[1] ?? 0);
      const length = finishOptions(view, 0, bare, signed.length);
      sign(view, length, signed);
      expect(length % 4).toBe(0);
      expect(length).toBeLessThanOrEqual(40);
      const options = new TcpOptions();
      options.parse(view, 0, length, true);
      expect(options).toMatchObject({
        mss,
        windowShift: shift,
        sackPermitted,
        hasTimestamps: timestamps !== null,
        tsVal: timestamps?.[0] ?? 0,
        tsEcr: timestamps?.[1] ?? 0,
        signatureKind: signed.kind,
        signatureLength: signed.length,
        malformed: false,
        unknown: 0,
      });
    },
  );

  test.prop([
    fc.boolean(),
    fc.tuple(word, word),
    fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 3 }),
    signature,
  ])(
    "of other segments too: timestamps and SACK blocks in their order, and a signature at the end",
    (withTimestamps, [tsVal, tsEcr], all, signed) => {
      const blocks = all.slice(0, signed.kind === 0 ? 3 : withTimestamps ? 1 : 2);
      const view = new DataView(new ArrayBuffer(64));
      let length = withTimestamps ? writeTimestamps(view, 0, tsVal, tsEcr) : 0;
      const starts = blocks.map(([start]) => start);
      const ends = blocks.map(([, end]) => end);
      length += writeSack(view, length, starts, ends, blocks.length, signed.length);
      length = finishOptions(view, 0, length, signed.length);
      sign(view, length, signed);
      expect(length % 4).toBe(0);
      expect(length).toBeLessThanOrEqual(40);
      const options = new TcpOptions();
      options.parse(view, 0, length, false);
      expect(options.sackCount).toBe(blocks.length);
      expect([...options.sackStart.subarray(0, blocks.length)]).toEqual(starts);
      expect([...options.sackEnd.subarray(0, blocks.length)]).toEqual(ends);
      expect(options.hasTimestamps).toBe(withTimestamps);
      expect([options.signatureKind, options.malformed, options.unknown]).toEqual([signed.kind, false, 0]);
      if (signed.kind !== 0) expect(options.signatureOffset + signed.length).toBe(length);
      if (withTimestamps) expect([options.tsVal, options.tsEcr]).toEqual([tsVal, tsEcr]);
    },
  );

  test.prop([fc.uint8Array({ maxLength: 40 }), fc.boolean()])(
    "any bytes at all are read without harm",
    (bytes, syn) => {
      const options = parse(bytes, syn);
      expect(options.sackCount).toBeLessThanOrEqual(4);
      expect(options.windowShift).toBeLessThanOrEqual(14);
      if (!syn) expect([options.mss, options.windowShift, options.sackPermitted]).toEqual([0, -1, false]);
    },
  );

  it("what stood before a malformed option holds; what follows one with a good length too", () => {
    expect(parse([2, 4, 1, 0, 99, 1])).toMatchObject({ mss: 256, malformed: true });
    expect(parse([3, 4, 7, 7, 2, 4, 1, 0])).toMatchObject({ windowShift: -1, mss: 256, malformed: true });
  });

  it("End of Option List ends it", () => {
    expect(parse([0, 2, 4, 5, 180])).toMatchObject({ mss: 0, malformed: false });
  });

  it("more than four SACK blocks cannot be, and are not read", () => {
    expect(parse([5, 34, ...new Array(32).fill(1)], false).sackCount).toBe(4);
    expect(parse([5, 2], false)).toMatchObject({ sackCount: 0, malformed: true });
  });
});
