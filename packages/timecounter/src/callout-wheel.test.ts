import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CalloutEntry } from "./callout-entry.ts";
import { CalloutWheel, TICK_US } from "./callout-wheel.ts";

/** What the wheel must do, in the simplest way: look at all of them. */
class NaiveWheel {
  readonly armed = new Map<number, { deadline: number; arming: number }>();
  #armings = 0;

  schedule(id: number, deadline: number): void {
    this.armed.set(id, { deadline, arming: ++this.#armings });
  }

  first(): { id: number; deadline: number } | undefined {
    const sorted = [...this.armed].sort(([, a], [, b]) => a.deadline - b.deadline || a.arming - b.arming);
    const first = sorted[0];
    return first && { id: first[0], deadline: first[1].deadline };
  }

  takeDue(now: number): number | undefined {
    const first = this.first();
    if (first === undefined || first.deadline > now) return undefined;
    this.armed.delete(first.id);
    return first.id;
  }
}

const CALLOUTS = 12;
const id = fc.nat(CALLOUTS - 1);
/** Deadlines around every edge of the wheel: within a tick, a level, beyond the horizon, for ever; and in the past. */
const delay = fc.oneof(
  { weight: 4, arbitrary: fc.nat(5000) },
  { weight: 4, arbitrary: fc.nat(TICK_US * 300) },
  { weight: 3, arbitrary: fc.nat(TICK_US * 70_000) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: TICK_US * 2 ** 33, noNaN: true }) },
  fc.integer({ min: -10_000, max: 0 }),
  fc.constantFrom(TICK_US, TICK_US * 255, TICK_US * 256, TICK_US * 65_535, TICK_US * 65_536, TICK_US * 2 ** 32),
  fc.constant(Number.POSITIVE_INFINITY),
);
const pass = fc.oneof(
  fc.nat(3000),
  fc.nat(TICK_US * 300),
  fc.nat(TICK_US * 70_000),
  fc.double({ min: 0, max: TICK_US * 2 ** 32, noNaN: true }),
);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("schedule" as const), id, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), id }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), pass, peek: fc.boolean() }) },
);

describe("CalloutWheel", () => {
  it("fires what a naive list would, in the same order, at any scale of time", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.array(command, { maxLength: 60 }), (startUs, commands) => {
        let now = startUs;
        const wheel = new CalloutWheel({ coarse: () => now, startUs });
        const model = new NaiveWheel();
        const entries = Array.from({ length: CALLOUTS }, () => wheel.callout(() => {}));
        for (const step of commands) {
          if (step.do === "schedule") {
            entries[step.id]?.scheduleAfter(step.delay);
            model.schedule(step.id, now + step.delay);
          } else if (step.do === "cancel") {
            entries[step.id]?.cancel();
            model.armed.delete(step.id);
          } else {
            if (step.peek) expect(wheel.nextDeadline()).toBe(model.first()?.deadline ?? Number.POSITIVE_INFINITY);
            now += step.pass;
            for (;;) {
              const expected = model.takeDue(now);
              expect(wheel.takeDue(now)?.id).toBe(expected === undefined ? undefined : expected + 1);
              if (expected === undefined) break;
            }
          }
          expect(wheel.size).toBe(model.armed.size);
          expect(entries.map((entry) => entry.armed)).toEqual(entries.map((_, at) => model.armed.has(at)));
          expect([...wheel].length).toBe(wheel.size);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves an entry where it is when its deadline moves later, and moves it at once when earlier", () => {
    const wheel = new CalloutWheel({ coarse: () => 0 });
    const callout = wheel.callout(() => {});
    callout.schedule(10 * TICK_US);
    const place = callout.place;
    callout.schedule(5000 * TICK_US);
    expect(callout.place).toBe(place);
    expect(wheel.takeDue(20 * TICK_US)).toBeNull();
    expect(callout.place).not.toBe(place);
    callout.schedule(30 * TICK_US);
    expect(wheel.nextDeadline()).toBe(30 * TICK_US);
    expect(wheel.takeDue(30 * TICK_US - 1)).toBeNull();
    expect(wheel.takeDue(30 * TICK_US)).toBe(callout);
  });

  it("carries thousands of callouts in one millisecond", () => {
    const wheel = new CalloutWheel({ coarse: () => 0 });
    const fired: number[] = [];
    for (let i = 0; i < 5000; i++) {
      const deadline = 50_000 + ((i * 7919) % 1000);
      wheel.callout(() => fired.push(deadline)).schedule(deadline);
    }
    expect(wheel.run(50_500)).toBe(fired.length);
    expect(wheel.run(51_000)).toBe(5000 - fired.filter((deadline) => deadline <= 50_500).length);
    expect(fired).toHaveLength(5000);
    expect(fired).toEqual([...fired].sort((a, b) => a - b));
  });

  it("in a turn, lets handlers cancel, move and arm others and themselves", () => {
    const wheel = new CalloutWheel({ coarse: () => 100 });
    const fired: string[] = [];
    const make = (name: string, more: () => void = () => {}): CalloutEntry =>
      wheel.callout(() => {
        fired.push(name);
        more();
      });
    const cancelled = make("cancelled");
    const moved = make("moved");
    const again = make("again", () => again.schedule(1));
    const added = make("added");
    const first = make("first", () => {
      expect(first.armed).toBe(false);
      cancelled.cancel();
      cancelled.cancel();
      moved.schedule(5000);
      added.schedule(2);
      expect(wheel.run(100)).toBe(0);
    });
    first.schedule(3);
    for (const callout of [cancelled, moved, again]) callout.schedule(4);
    wheel.run(100);
    expect(fired).toEqual(["first", "again"]);
    again.cancel();
    wheel.run(100);
    expect(fired).toEqual(["first", "again", "added"]);
    wheel.run(5000);
    expect(fired.at(-1)).toBe("moved");
    expect(wheel.size).toBe(0);
  });

  it("keeps the rest of a turn due when a handler throws", () => {
    const wheel = new CalloutWheel({ coarse: () => 0 });
    let ran = 0;
    wheel
      .callout(() => {
        throw new Error("boom");
      })
      .schedule(1);
    wheel.callout(() => ran++).schedule(2);
    expect(() => wheel.run(10)).toThrow("boom");
    expect([ran, wheel.size, wheel.nextDeadline()]).toEqual([0, 1, 2]);
    expect(wheel.run(10)).toBe(1);
  });

  it("tells its driver of earlier deadlines only, and when the first is armed and the last gone", () => {
    const told: (number | boolean)[] = [];
    const wheel = new CalloutWheel({
      coarse: () => 0,
      onEarlier: (deadline) => told.push(deadline),
      onOccupied: (occupied) => told.push(occupied),
    });
    wheel.wakeAt = Number.POSITIVE_INFINITY;
    const [a, b] = [wheel.callout(() => {}), wheel.callout(() => {})];
    a.schedule(500);
    b.schedule(600);
    a.schedule(700);
    b.schedule(400);
    a.cancel();
    b.cancel();
    expect(told).toEqual([true, 500, 400, false]);
  });

  it("refuses a deadline that is not a number, and keeps what was armed", () => {
    const wheel = new CalloutWheel({ coarse: () => 0 });
    const callout = wheel.callout(() => {});
    callout.schedule(10);
    expect(() => callout.schedule(Number.NaN)).toThrow(RangeError);
    expect([callout.armed, callout.deadline, wheel.size]).toEqual([true, 10, 1]);
  });
});
