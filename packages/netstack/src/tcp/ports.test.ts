import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { EphemeralPorts } from "./ports.ts";

const QUIET_US = 60_000_000;

function make(seed: number): { ports: EphemeralPorts; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { clock, ports: new EphemeralPorts(new SeededRandom(seed), clock, () => QUIET_US) };
}

function choose(ports: EphemeralPorts, isFree: (port: number) => boolean = () => true): number {
  return ports.choose(10_000, 10_999, isFree);
}

describe("ephemeral ports (RFC 6056 §3.3.2, with closing times)", () => {
  it("come from all over the range, and tell nothing of the next", () => {
    const { ports } = make(1);
    const chosen = Array.from({ length: 1000 }, () => choose(ports));
    expect(Math.min(...chosen)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...chosen)).toBeLessThanOrEqual(10_999);
    // 1 − 1/e of all, when each draw is as likely as another.
    expect(Math.abs(new Set(chosen).size - 632)).toBeLessThan(50);
    const { ports: others } = make(2);
    expect(Array.from({ length: 1000 }, () => choose(others))).not.toEqual(chosen);
  });

  it("rest for the quiet time after they were closed", () => {
    const { ports, clock } = make(3);
    for (let port = 10_000; port < 10_800; port++) ports.closed(port);
    clock.runForSync(QUIET_US - 1);
    for (let i = 0; i < 500; i++) expect(choose(ports)).toBeGreaterThanOrEqual(10_800);
    expect(ports.early).toBe(0);
    clock.runForSync(200_000);
    const chosen = Array.from({ length: 500 }, () => choose(ports));
    expect(chosen.filter((port) => port < 10_800).length).toBeGreaterThan(300);
  });

  it("are taken early when none is quiet: one of those that have been longest, and counted", () => {
    const { ports, clock } = make(4);
    for (let port = 10_000; port < 11_000; port++) {
      ports.closed(port);
      clock.runForSync(20_000);
    }
    const chosen = Array.from({ length: 200 }, () => choose(ports) - 10_000);
    expect(ports.early).toBe(200);
    const mean = chosen.reduce((sum, rank) => sum + rank, 0) / chosen.length;
    expect(mean).toBeLessThan(30);
  });

  it("skip what is taken, look everywhere before they say that nothing is left", () => {
    const { ports } = make(5);
    expect(choose(ports, (port) => port === 10_777)).toBe(10_777);
    expect(choose(ports, () => false)).toBe(-1);
    expect(ports.choose(10, 9, () => true)).toBe(-1);
    ports.closed(10_777);
    ports.closed(10_776);
    expect(choose(ports, (port) => port === 10_777)).toBe(10_777);
    expect(choose(ports, (port) => port === 10_776 || port === 10_778)).toBe(10_778);
    expect(ports.early).toBe(1);
  });
});
