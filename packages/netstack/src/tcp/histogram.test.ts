import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Histogram } from "./histogram.ts";

describe("a histogram", () => {
  test.prop([fc.array(fc.double({ min: 0, max: 2 ** 40, noNaN: true }), { maxLength: 50 })])(
    "has each value in the bucket whose bounds it lies between",
    (values) => {
      const histogram = new Histogram("", "");
      for (const value of values) histogram.add(value);
      let least = 0;
      for (const { below, count } of histogram.buckets()) {
        expect(count).toBe(values.filter((value) => value >= least && value < below).length);
        least = below;
      }
      expect(histogram.count).toBe(values.length);
    },
  );

  it("tells quantiles to the power of two, and prints itself", () => {
    const histogram = new Histogram("Round trips", "µs");
    for (let i = 0; i < 99; i++) histogram.add(100);
    histogram.add(5000);
    expect([histogram.quantile(0.5), histogram.quantile(0.99), histogram.quantile(1)]).toEqual([128, 128, 8192]);
    const lines = histogram.toString().split("\n");
    expect(lines[0]).toBe("Round trips (µs): 100");
    expect(lines).toHaveLength(8);
    expect(lines[1]).toMatch(/< +128 +99 #{40}$/);
    expect(lines.at(-1)).toMatch(/< +8192 +1 #$/);
    histogram.reset();
    expect([histogram.count, histogram.quantile(0.5)]).toEqual([0, 0]);
  });
});
