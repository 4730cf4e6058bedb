import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { RttEstimate } from "./rtt.ts";

const LIMITS = { initialUs: 1e6, minimumUs: 30_000, slopUs: 200_000, maximumUs: 64e6 };

describe("round-trip time (RFC 6298)", () => {
  it("begins with an RTO of one second", () => {
    expect(new RttEstimate(LIMITS).rto).toBe(1e6);
  });

  it("the first sample is SRTT, and half of it RTTVAR (2.2)", () => {
    const rtt = new RttEstimate(LIMITS);
    rtt.sample(100_000, 1, LIMITS);
    expect([rtt.srtt, rtt.rttVar, rtt.rto]).toEqual([100_000, 50_000, 300_000 + 200_000]);
  });

  test.prop([fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 1 }), fc.integer({ min: 1, max: 64 })])(
    "stays within its samples, and the RTO within its limits",
    (samples, perRtt) => {
      const rtt = new RttEstimate(LIMITS);
      for (const us of samples) rtt.sample(us, perRtt, LIMITS);
      expect(rtt.srtt).toBeGreaterThanOrEqual(Math.min(...samples) - 1e-6);
      expect(rtt.srtt).toBeLessThanOrEqual(Math.max(...samples) + 1e-6);
      expect(rtt.minimum).toBe(Math.min(...samples));
      expect(rtt.rto).toBeGreaterThanOrEqual(LIMITS.minimumUs + LIMITS.slopUs);
      expect(rtt.rto).toBeLessThanOrEqual(LIMITS.maximumUs);
    },
  );

  it("many samples a round trip weigh as much as one would (RFC 7323 appendix G)", () => {
    const one = new RttEstimate(LIMITS);
    const many = new RttEstimate(LIMITS);
    for (const rtt of [one, many]) rtt.sample(100_000, 1, LIMITS);
    one.sample(200_000, 1, LIMITS);
    for (let i = 0; i < 20; i++) many.sample(200_000, 20, LIMITS);
    expect(Math.abs(many.srtt / one.srtt - 1)).toBeLessThan(0.01);
  });

  it("doubles with each timeout, up to the maximum (5.5)", () => {
    const rtt = new RttEstimate(LIMITS);
    expect([0, 1, 2, 6, 7, 12].map((shift) => rtt.backedOff(shift, LIMITS))).toEqual([1e6, 2e6, 4e6, 64e6, 64e6, 64e6]);
  });
});
