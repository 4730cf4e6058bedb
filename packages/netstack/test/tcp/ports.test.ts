import { describe, expect, it } from "vitest";
import { type PortLoad, simulatePorts } from "./port-simulation.ts";

/** A small range and short times: what counts is rate × quiet / ports. */
const LOAD: PortLoad = { seed: 1, ports: 1000, rate: 100, life: 0.2, quiet: 6, connections: 5000 };

describe("ephemeral ports under load", () => {
  it("at 60 % of what the range carries, closing times let every port rest, which nothing else that is random does", () => {
    const closing = simulatePorts("closingTimes", LOAD);
    expect(closing.early).toBe(0);
    expect(closing.shortestRest).toBeGreaterThanOrEqual(LOAD.quiet - 0.1);
    expect(closing.looks).toBeLessThan(3);
    const plain = simulatePorts("plainRandom", LOAD);
    // 1 − e^−0.6.
    expect(plain.early).toBeGreaterThan(0.4);
    expect(plain.early).toBeLessThan(0.5);
    // Filters that hold on for up to twice the time have no port left here, and no idea which is oldest.
    expect(simulatePorts("bloomFilters", LOAD).shortestRest).toBeLessThan(closing.shortestRest);
  });

  it("in order, a port rests less the longer its connection lived", () => {
    expect(simulatePorts("inOrder", { ...LOAD, life: 3 }).early).toBeGreaterThan(0.05);
    expect(simulatePorts("closingTimes", { ...LOAD, ports: 2000, life: 3 }).early).toBe(0);
  });

  it("beyond what the range carries, the ports that have rested longest go first", () => {
    const closing = simulatePorts("closingTimes", { ...LOAD, rate: 200 });
    const plain = simulatePorts("plainRandom", { ...LOAD, rate: 200 });
    expect(closing.early).toBeGreaterThan(0.5);
    // A range of 1000 at 200 a second comes round in 5 s.
    expect(closing.shortestRest).toBeGreaterThan(3.5);
    expect(plain.shortestRest).toBeLessThan(0.2);
    expect(closing.looks).toBeLessThanOrEqual(64);
  });
});
