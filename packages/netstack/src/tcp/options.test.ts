import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { TcpOptions, writeSack, writeSynOptions, writeTimestamps } from "./options.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

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
  ])("of a SYN are read as they were written, and fill whole words", (mss, shift, sackPermitted, timestamps) => {
    const view = new DataView(new ArrayBuffer(64));
    const length = writeSynOptions(view, 0, mss, shift, sackPermitted, timestamps?.[0] ?? -1, timestamps?.[1] ?? 0);
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
      malformed: false,
      unknown: 0,
    });
  });

  test.prop([fc.boolean(), fc.tuple(word, word), fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 3 })])(
    "of other segments too: timestamps and SACK blocks in their order",
    (withTimestamps, [tsVal, tsEcr], blocks) => {
      const view = new DataView(new ArrayBuffer(64));
      let length = withTimestamps ? writeTimestamps(view, 0, tsVal, tsEcr) : 0;
      const starts = blocks.map(([start]) => start);
      const ends = blocks.map(([, end]) => end);
      length += writeSack(view, length, starts, ends, blocks.length);
      expect(length).toBeLessThanOrEqual(40);
      const options = new TcpOptions();
      options.parse(view, 0, length, false);
      expect(options.sackCount).toBe(blocks.length);
      expect([...options.sackStart.subarray(0, blocks.length)]).toEqual(starts);
      expect([...options.sackEnd.subarray(0, blocks.length)]).toEqual(ends);
      expect(options.hasTimestamps).toBe(withTimestamps);
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
