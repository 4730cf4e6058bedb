import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Timecounter, tscCounter, virtualCounter } from "./timecounter.ts";
import { TimehandsReader } from "./timehands-reader.ts";
import { Timekeeper } from "./timekeeper.ts";
import { addTimespec, subtractTimespec, usFromTimespec } from "./timespec.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A counter turned by hand. */
function handCounter(options: Partial<Timecounter & { count: number }> = {}): Timecounter & { count: number } {
  return {
    name: "hand",
    frequency: 1e6,
    mask: 0xffff,
    quality: 0,
    count: 0,
    ...options,
    read() {
      return this.count;
    },
  };
}

describe("Timekeeper", () => {
  it("counts on across the wraps of a 16-bit counter, however often it winds up", () => {
    const gaps = fc.array(fc.record({ us: fc.nat(32_767), windUp: fc.boolean() }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.nat(2 ** 32), gaps, (startUs, steps) => {
        const clock = new VirtualClock({ startUs });
        const keeper = new Timekeeper({ counters: [virtualCounter(clock, { mask: 0xffff })] });
        let sinceWindUp = 0;
        for (const { us, windUp } of steps) {
          if (windUp || sinceWindUp + us > keeper.windUpLimitUs) {
            keeper.windUp();
            sinceWindUp = 0;
          }
          clock.runForSync(us);
          sinceWindUp += us;
          expect(keeper.now()).toBeCloseTo(clock.now() - startUs, 3);
        }
      }),
    );
  });

  it("keeps the fractions of a counter whose count is no whole number of ns, over many wind-ups", () => {
    const counter = handCounter({ frequency: 3_579_545, mask: 0xff_ffff });
    const keeper = new Timekeeper({ counters: [counter] });
    let total = 0;
    for (let i = 0; i < 100_000; i++) {
      const counts = 1 + ((i * 7919) % 4001);
      total += counts;
      counter.count = (counter.count + counts) % (counter.mask + 1);
      keeper.windUp();
    }
    expect(Math.abs(keeper.now() - (total / counter.frequency) * 1e6)).toBeLessThan(0.01);
    expect(usFromTimespec(keeper.uptime())).toBeCloseTo(keeper.now(), 2);
  });

  it("uses the best counter, and none of negative quality unless it is chosen by name", () => {
    const counters = [
      handCounter({ name: "bad", quality: -5, frequency: 1e9 }),
      handCounter({ name: "fair", quality: 5 }),
      handCounter({ name: "finer", quality: 5, frequency: 2e6 }),
    ];
    const keeper = new Timekeeper({ counters });
    expect(keeper.counter.name).toBe("finer");
    keeper.register(handCounter({ name: "best", quality: 6 }));
    expect(keeper.counter.name).toBe("best");
    keeper.choose("bad");
    keeper.register(handCounter({ name: "better", quality: 7 }));
    expect(keeper.counter.name).toBe("bad");
    keeper.choose(null);
    expect(keeper.counter.name).toBe("better");
    expect(() => keeper.choose("nobody")).toThrow(/no timecounter is called nobody/);
    expect(() => keeper.register(handCounter({ name: "fair" }))).toThrow(/already/);
    for (let i = keeper.counters.length; i < 8; i++) keeper.register(handCounter({ name: `c${i}`, quality: -1 }));
    expect(() => keeper.register(handCounter({ name: "ninth" }))).toThrow(/at most 8/);
    expect(() => new Timekeeper({ counters: [] })).toThrow(/needs a counter/);
  });

  it("changes counters while running, and uptime goes on where it was", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(20_000), fc.constantFrom("fast", "slow", "wide")), { maxLength: 60 }),
        (steps) => {
          const clock = new VirtualClock({ startUs: 123_456_789 });
          const counters = [
            virtualCounter(clock, { name: "fast", frequency: 1e6, mask: 0xffff }),
            virtualCounter(clock, { name: "slow", frequency: 2.5e5, mask: 0xffff }),
            virtualCounter(clock, { name: "wide", frequency: 1e7, mask: 2 ** 40 - 1 }),
          ];
          const keeper = new Timekeeper({ counters });
          let last = keeper.now();
          for (const [us, name] of steps) {
            clock.runForSync(us);
            const before = keeper.now();
            keeper.choose(name);
            const after = keeper.now();
            expect(after).toBeGreaterThanOrEqual(before);
            // A change may lose the part of a count that had begun: at most 4 µs here.
            expect(after - before).toBeLessThan(4.1);
            expect(before).toBeGreaterThanOrEqual(last);
            last = after;
          }
          expect(Math.abs(last - (clock.now() - 123_456_789))).toBeLessThanOrEqual(4.1 * (steps.length + 1));
        },
      ),
    );
  });

  it("is not thrown forward by a count that goes back", () => {
    const counter = handCounter({ count: 1000 });
    const keeper = new Timekeeper({ counters: [counter] });
    counter.count = 1500;
    keeper.windUp();
    counter.count = 1490;
    expect(keeper.now()).toBe(500);
    keeper.windUp();
    expect(keeper.now()).toBe(500);
    counter.count = 1510;
    expect(keeper.now()).toBe(510);
  });

  it("never gives less than before, exact or not, when a count goes back between two wind-ups and across a wrap", () => {
    const counter = handCounter({ count: 0xfff0 });
    const keeper = new Timekeeper({ counters: [counter], wall: { seconds: 9, nanoseconds: 0 } });
    const seen = [0xfff8, 0x0010, 0x0004, 0xfffe, 0x0011].map((count) => {
      counter.count = count;
      if (count === 0x0004) keeper.windUp();
      return [keeper.now(), usFromTimespec(keeper.uptime()), usFromTimespec(keeper.wall())];
    });
    expect(seen.map(([now]) => now)).toEqual([8, 32, 32, 32, 33]);
    for (const [now, uptime, wall] of seen) expect([uptime, wall]).toEqual([now, 9e6 + now!]);
  });

  it("steps the wall clock without moving uptime, for readers too", () => {
    const clock = new VirtualClock();
    const counter = virtualCounter(clock);
    const keeper = new Timekeeper({ counters: [counter], wall: { seconds: 1000, nanoseconds: 0 } });
    const reader = new TimehandsReader(keeper.page, [counter]);
    clock.runForSync(1_500_000);
    for (const step of [3600e6, -7200e6, 0.5]) {
      const [uptime, wall] = [keeper.uptime(), keeper.wall()];
      keeper.stepWall(step);
      expect(keeper.uptime()).toEqual(uptime);
      expect(usFromTimespec(subtractTimespec(keeper.wall(), wall))).toBeCloseTo(step, 3);
      expect(reader.wall()).toEqual(keeper.wall());
      expect(reader.uptime()).toEqual(uptime);
    }
    keeper.setWall({ seconds: 7, nanoseconds: 8 });
    clock.runForSync(2);
    expect(keeper.wall()).toEqual({ seconds: 7, nanoseconds: 2008 });
    expect(addTimespec(keeper.uptime(), { seconds: 0, nanoseconds: 0 })).toEqual({
      seconds: 1,
      nanoseconds: 500_002_000,
    });
  });

  it("gives readers exact time by the counters that they know, and the last wind-up otherwise", () => {
    const clock = new VirtualClock();
    const [fast, other] = [
      virtualCounter(clock, { name: "fast" }),
      virtualCounter(clock, { name: "other", frequency: 1e5 }),
    ];
    const keeper = new Timekeeper({ counters: [fast] });
    const reader = new TimehandsReader(keeper.page, [fast]);
    clock.runForSync(250);
    expect([reader.now(), reader.coarse()]).toEqual([250, 0]);
    expect([keeper.refresh(), reader.coarse()]).toEqual([250, 250]);
    keeper.register(other);
    keeper.choose("other");
    clock.runForSync(100);
    expect([keeper.now(), reader.now()]).toEqual([350, 250]);
    keeper.windUp();
    expect(reader.now()).toBe(350);
    expect(new TimehandsReader(keeper.page, [other, fast]).now()).toBe(350);
  });

  it("refuses a cycle counter without a constant rate", () => {
    expect(() => tscCounter(() => 0, 0)).toThrow(RangeError);
    expect(tscCounter(() => 5, 3e9)).toMatchObject({ name: "tsc", frequency: 3e9, quality: 800 });
  });
});
