import { describe, expect, it } from "vitest";
import { simulate } from "./simulation.ts";

/** `npm run simulate -w packages/netstack` moves 100 MB for each seed. */
const SEEDS = 200;
const BYTES = 512 * 1024;
const TOGETHER = 20;

describe(`${SEEDS} links that lose, duplicate, reorder and corrupt: every byte arrives, in order, and nothing is left behind`, () => {
  let retransmitted = 0;
  let timeouts = 0;
  let spurious = 0;
  let reorderings = 0;

  const firsts = Array.from({ length: SEEDS / TOGETHER }, (_, index) => 1 + index * TOGETHER);
  it.each(firsts)(`${TOGETHER} seeds from %i on`, async (first) => {
    for (let seed = first; seed < first + TOGETHER; seed++) {
      const result = await simulate({ seed, bytes: BYTES });
      retransmitted += result.retransmitted;
      timeouts += result.timeouts;
      spurious += result.spurious;
      reorderings += result.reorderings;
    }
  });

  it("the links were as bad as they were meant to be", () => {
    expect(retransmitted).toBeGreaterThan(1000);
    expect(timeouts).toBeGreaterThan(100);
    expect(spurious).toBeGreaterThan(100);
    expect(reorderings).toBeGreaterThan(200);
  });
});

describe("with what finds and answers to losses switched off, one by one", () => {
  const off = {
    "rack.enable": false,
    "rack.tlp.enable": false,
    do_prr: false,
    "sack.dsack": false,
    eifel: false,
    frto: false,
  };
  const all: (readonly [string, Record<string, boolean>])[] = [
    ...Object.keys(off).map((name) => [name, { [`net.inet.tcp.${name}`]: false }] as const),
    ["PRR's slow start bound", { "net.inet.tcp.do_prr_conservative": true }],
    ["SACK", { "net.inet.tcp.sack.enable": false }],
    ["all of it", Object.fromEntries(Object.keys(off).map((name) => [`net.inet.tcp.${name}`, false]))],
  ];
  it.each(all)("%s", async (_name, sysctl) => {
    for (let seed = 301; seed < 313; seed++) await simulate({ seed, bytes: BYTES / 2, sysctl });
  });
});

it("the same seed gives the same events", async () => {
  for (const seed of [3, 18, 26]) {
    const [first, second] = [await simulate({ seed, bytes: 100_000 }), await simulate({ seed, bytes: 100_000 })];
    expect(second).toEqual(first);
  }
});
