import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  inetChecksum,
  monotonicMicros,
  nativeAvailable,
  rdtsc,
  registerSlab,
  tscFrequency,
  unregisterSlab,
} from "./index.ts";

const available = nativeAvailable();
if (!available.ok) console.warn(`Checksums and clocks are not tested: ${available.reason}`);

/** RFC 1071 §1, word by word. */
function reference(bytes: Uint8Array, seed: number): number {
  let sum = seed;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = Math.floor(sum / 0x10000) + (sum % 0x10000);
  return sum;
}

describe.runIf(available.ok)("inetChecksum", () => {
  it("is the ones' complement sum of RFC 1071, of any range and seed", () => {
    const slab = new Uint8Array(70_000);
    for (let i = 0; i < slab.length; i++) slab[i] = (i * 131) ^ (i >> 7);
    const id = registerSlab(slab);
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.oneof(fc.nat(100), fc.nat(69_000)),
        fc.integer({ min: 0, max: 0xffffffff }),
        (offset, length, seed) => {
          expect(inetChecksum(id, offset, length, seed)).toBe(reference(slab.subarray(offset, offset + length), seed));
        },
      ),
    );
    slab.fill(0xff);
    expect(inetChecksum(id, 0, 70_000, 0xffffffff)).toBe(0xffff);
    expect(inetChecksum(id, 70_000, 0, 0)).toBe(0);
    unregisterSlab(id);
  });

  it("the example of RFC 1071 §3", () => {
    const id = registerSlab(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7));
    expect(inetChecksum(id, 0, 8, 0)).toBe(0xddf2);
    unregisterSlab(id);
  });

  it("refuses ranges out of bounds and slabs that are not registered", () => {
    const id = registerSlab(new Uint8Array(100));
    expect(() => inetChecksum(id, 0, 101, 0)).toThrow(TypeError);
    expect(() => inetChecksum(id, 101, 0, 0)).toThrow(TypeError);
    expect(() => inetChecksum(id, -1, 1, 0)).toThrow(TypeError);
    unregisterSlab(id);
    expect(() => inetChecksum(id, 0, 1, 0)).toThrow(TypeError);
    expect(() => unregisterSlab(id)).toThrow(TypeError);
    expect(() => inetChecksum(1e6, 0, 1, 0)).toThrow(TypeError);
  });
});

describe.runIf(available.ok)("clocks", () => {
  it("never step back, and agree with each other", () => {
    const frequency = tscFrequency();
    let cycles = rdtsc();
    let micros = monotonicMicros();
    let steps = 0;
    for (let i = 0; i < 10_000; i++) {
      const [nextCycles, nextMicros] = [rdtsc(), monotonicMicros()];
      if (nextCycles < cycles || nextMicros < micros) steps++;
      [cycles, micros] = [nextCycles, nextMicros];
    }
    expect(steps).toBe(0);
    if (frequency > 0) expect(tscFrequency() / frequency).toBeCloseTo(1, 3);
  });
});
