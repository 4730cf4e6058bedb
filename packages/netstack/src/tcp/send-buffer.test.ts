import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { HEADER_REGION, MAX_SLICES, OutboundPacket } from "../packet.ts";
import { SendBuffer } from "./send-buffer.ts";

function packet(): OutboundPacket {
  const slab = new Uint8Array(HEADER_REGION);
  return new OutboundPacket(slab, new DataView(slab.buffer), 0);
}

function payload(of: OutboundPacket): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < of.sliceCount; i++) {
    bytes.push(...of.slices[i]!.subarray(of.sliceOffsets[i], of.sliceOffsets[i]! + of.sliceLengths[i]!));
  }
  return bytes;
}

type Step = { write: number[] } | { acknowledge: number } | { gather: [number, number] };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ write: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 }) }),
  fc.record({ acknowledge: fc.integer({ min: 0, max: 150 }) }),
  fc.record({ gather: fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 200 })) }),
);

describe("the send buffer", () => {
  test.prop([fc.array(step, { maxLength: 40 })])(
    "gives any stretch of what is not acknowledged, and releases each slice once, in order, with its last byte",
    (steps) => {
      const buffer = new SendBuffer();
      const all: number[] = [];
      const ends: number[] = [];
      const released: number[] = [];
      let acknowledged = 0;
      for (const current of steps) {
        if ("write" in current) {
          const slices = current.write.map((length) => {
            const bytes = Uint8Array.from({ length }, () => (all.push(all.length & 255) - 1) & 255);
            if (length === 0) return { bytes };
            const index = ends.push(all.length) - 1;
            return { bytes, release: () => released.push(index) };
          });
          buffer.append(slices);
        } else if ("acknowledge" in current) {
          const count = Math.min(current.acknowledge, buffer.queued);
          buffer.acknowledge(count);
          acknowledged += count;
        } else if (buffer.queued > 0) {
          const distance = current.gather[0] % buffer.queued;
          const length = Math.min(current.gather[1], buffer.queued - distance);
          const into = packet();
          const got = buffer.gather(into, distance, length);
          expect(got).toBe(into.payloadLength);
          expect(got === length || into.sliceCount === MAX_SLICES).toBe(true);
          expect(payload(into)).toEqual(all.slice(acknowledged + distance, acknowledged + distance + got));
        }
        expect(buffer.queued).toBe(all.length - acknowledged);
        expect(released).toEqual(ends.map((_, i) => i).filter((i) => ends[i]! <= acknowledged));
      }
      buffer.clear();
      expect(released).toEqual(ends.map((_, i) => i));
      expect(buffer.queued).toBe(0);
    },
  );

  it("a release may write, or clear, while it runs", () => {
    const buffer = new SendBuffer();
    let released = 0;
    const again = { bytes: new Uint8Array(3), release: () => released++ };
    buffer.append([{ bytes: new Uint8Array(5), release: () => buffer.append([again]) }]);
    buffer.acknowledge(5);
    expect(buffer.queued).toBe(3);
    buffer.append([{ bytes: new Uint8Array(5), release: () => buffer.clear() }, again]);
    buffer.acknowledge(8);
    expect(buffer.queued).toBe(0);
    expect(released).toBe(2);
  });

  it("finds its place again after much was acknowledged", () => {
    const buffer = new SendBuffer();
    buffer.append(Array.from({ length: 1000 }, (_, i) => ({ bytes: new Uint8Array(10).fill(i) })));
    for (let i = 0; i < 99; i++) {
      const into = packet();
      buffer.gather(into, 50, 100);
      expect(into.slices[0]![0]).toBe((i * 10 + 5) & 255);
      buffer.acknowledge(100);
    }
  });
});
