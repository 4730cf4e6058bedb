import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { EphemeralPorts } from "./ports.ts";

describe("ephemeral ports (RFC 6056 §3.3.4)", () => {
  const choose = (ports: EphemeralPorts, r3: number, isFree: (port: number) => boolean = () => true): number =>
    ports.choose(0, 0, 0xffff, 1, 0, 0, 0xffff, r3, 2049, 10_000, 10_999, isFree);

  it("walk the whole range before one comes again towards the same peer", () => {
    const ports = new EphemeralPorts(new SeededRandom(1));
    const seen = new Set(Array.from({ length: 1000 }, () => choose(ports, 5)));
    expect(seen.size).toBe(1000);
  });

  it("begin elsewhere for each peer, and for each stack", () => {
    const ports = new EphemeralPorts(new SeededRandom(1));
    const first = Array.from({ length: 20 }, (_, r3) => choose(ports, r3));
    expect(new Set(first).size).toBeGreaterThan(15);
    const other = new EphemeralPorts(new SeededRandom(2));
    expect(Array.from({ length: 20 }, (_, r3) => choose(other, r3))).not.toEqual(first);
  });

  it("skip what is taken, and say when nothing is left", () => {
    const ports = new EphemeralPorts(new SeededRandom(3));
    expect(choose(ports, 1, (port) => port === 10_777)).toBe(10_777);
    expect(choose(ports, 1, () => false)).toBe(-1);
    expect(ports.choose(0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 9, () => true)).toBe(-1);
  });
});
