/** A small sample of `npm run bench:sim`, with bounds: flows over a bottleneck in virtual time. */
import { describe, expect, it } from "vitest";
import { cubicThroughput, jainIndex, mathis, runFlows } from "./flows.ts";

const MSS = 1448;

describe("a path of 100 Mbit/s and 20 ms, with a buffer of as much", () => {
  it.each(["cubic", "bbr"])("MAY-18 %s uses nine tenths of it, from the second second on", async (algorithm) => {
    const result = await runFlows({
      bandwidth: 100e6,
      rttMs: 20,
      algorithms: [algorithm],
      warmUpSeconds: 1,
      seconds: 4,
    });
    expect(result.utilization).toBeGreaterThan(0.9);
    expect(result.timeouts).toBe(0);
  });
});

describe("the answer to random loss", () => {
  // Each within a factor of what theory has for one acknowledgment per segment; timeouts and delayed acknowledgments take from it.
  it.each([
    ["newreno", 0.01, mathis],
    ["newreno", 0.001, mathis],
    ["cubic", 0.01, cubicThroughput],
    ["cubic", 0.001, cubicThroughput],
  ] as const)("of %s to %f is that of theory", async (algorithm, loss, theory) => {
    const rttMs = 40;
    const result = await runFlows({
      bandwidth: 100e6,
      rttMs,
      loss,
      algorithms: [algorithm],
      warmUpSeconds: 5,
      seconds: 12,
    });
    const expected = theory(MSS, rttMs / 1000, loss);
    expect(result.goodput / expected).toBeGreaterThan(0.6);
    expect(result.goodput / expected).toBeLessThan(1.4);
  });

  it("of bbr to 1 % is far from Reno's", async () => {
    const options = { bandwidth: 20e6, rttMs: 40, loss: 0.01, warmUpSeconds: 3, seconds: 10 };
    const bbr = await runFlows({ ...options, algorithms: ["bbr"] });
    const reno = await runFlows({ ...options, algorithms: ["newreno"] });
    expect(bbr.goodput).toBeGreaterThan(3 * reno.goodput);
    expect(bbr.utilization).toBeGreaterThan(0.45);
  });
});

describe("four flows that begin one after the other", () => {
  it.each([
    ["newreno", 0.9],
    ["cubic", 0.9],
    ["bbr", 0.7],
  ] as const)("of %s share the bottleneck (Jain's index at least %f)", async (algorithm, least) => {
    const result = await runFlows({
      bandwidth: 20e6,
      rttMs: 20,
      algorithms: Array.from({ length: 4 }, () => algorithm),
      staggerMs: 200,
      warmUpSeconds: 5,
      seconds: 12,
    });
    expect(result.jain).toBeGreaterThan(least);
    expect(result.utilization).toBeGreaterThan(0.9);
  });

  it("Jain's index is 1 for equal shares, and 1/n when one has everything", () => {
    expect(jainIndex([3, 3, 3])).toBe(1);
    expect(jainIndex([1, 0, 0, 0])).toBe(0.25);
  });
});

it("the same seed gives the same flows", async () => {
  const options = { bandwidth: 10e6, rttMs: 20, loss: 0.01, algorithms: ["cubic", "bbr"], seconds: 2 };
  const [first, second] = [await runFlows(options), await runFlows(options)];
  expect(second).toEqual(first);
});
