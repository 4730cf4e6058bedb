import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventLoop, LoopTimer } from "./event-loop.ts";
import { RealClock } from "./real-clock.ts";
import { virtualCounter } from "./timecounter.ts";
import { Timekeeper } from "./timekeeper.ts";
import type { Callout, Timespec } from "./types.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** An event loop in virtual time whose timers wake as early and as late as the test says. */
class ImitationLoop implements EventLoop {
  readonly time = new VirtualClock();
  /** Added to the delay of every timer, in µs. */
  lateness: () => number = () => 0;
  timersSet = 0;
  hostWallUs = 1e12;
  readonly timers: { held: boolean; callout: Callout }[] = [];

  timer(wake: () => void): LoopTimer {
    const state = { held: true, callout: this.time.callout(wake) };
    this.timers.push(state);
    return {
      set: (delayMs) => {
        this.timersSet++;
        state.callout.scheduleAfter(delayMs <= 0 ? 0 : Math.max(100, delayMs * 1000 + this.lateness()));
      },
      clear: () => state.callout.cancel(),
      hold: (keepAlive) => {
        state.held = keepAlive;
      },
    };
  }

  soon(task: () => void): void {
    this.time.defer(task);
  }

  wall(): Timespec {
    return { seconds: Math.floor(this.hostWallUs / 1e6), nanoseconds: (this.hostWallUs % 1e6) * 1000 };
  }

  get keepsAlive(): boolean {
    return this.timers.some((timer) => timer.held && timer.callout.armed);
  }
}

function build(options: { ref?: boolean; mask?: number } = {}): {
  loop: ImitationLoop;
  clock: RealClock;
  keeper: Timekeeper;
} {
  const loop = new ImitationLoop();
  const keeper = new Timekeeper({ counters: [virtualCounter(loop.time, options.mask ? { mask: options.mask } : {})] });
  return { loop, keeper, clock: new RealClock({ timekeeper: keeper, loop, ref: options.ref ?? true }) };
}

describe("RealClock", () => {
  it("never fires before the deadline, and in its order, though timers wake early and late", async () => {
    const lateness = fc.array(fc.integer({ min: -3000, max: 20_000 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(lateness, fc.array(fc.nat(300_000), { minLength: 1, maxLength: 20 }), async (late, delays) => {
        const { loop, clock } = build();
        let turn = 0;
        loop.lateness = () => late[turn++ % late.length] as number;
        const fired: { deadline: number; at: number }[] = [];
        for (const delay of delays) {
          const callout = clock.callout(() => fired.push({ deadline: callout.deadline, at: clock.now() }));
          callout.scheduleAfter(delay);
        }
        await loop.time.runUntil(1e6);
        expect(fired.map(({ deadline }) => deadline)).toEqual([...delays].sort((a, b) => a - b));
        for (const { deadline, at } of fired) expect(at).toBeGreaterThanOrEqual(deadline);
      }),
      { numRuns: 100 },
    );
  });

  it("sets its timer only for a deadline earlier than the one it is set for", async () => {
    const { loop, clock } = build();
    const before = loop.timersSet;
    const callouts = Array.from({ length: 100 }, () => clock.callout(() => {}));
    for (const [i, callout] of callouts.entries()) callout.schedule(5000 + i);
    for (const callout of callouts) callout.schedule(9000);
    expect(loop.timersSet - before).toBe(1);
    callouts[7]?.schedule(2000);
    expect(loop.timersSet - before).toBe(2);
    await loop.time.runUntil(20_000);
    // The turn at 2000 sees that all others have moved on to 9000.
    expect(loop.timersSet - before).toBe(3);
    expect(clock.armed).toBe(0);
  });

  it("runs a deadline that has passed in the next turn, and lets a handler arm itself so for ever without holding time", async () => {
    const { loop, clock } = build();
    await loop.time.runUntil(100);
    let turns = 0;
    const callout = clock.callout(() => {
      if (++turns < 1000) callout.schedule(0);
    });
    callout.schedule(0);
    expect(turns).toBe(0);
    await loop.time.runUntil(101);
    expect(turns).toBe(1000);
  });

  it("reads coarse time once per callback, so that nothing is armed by the time of a loop that slept", async () => {
    const { loop, clock } = build();
    let wakes = 0;
    const seen: number[][] = [];
    loop.time
      .callout(() => {
        const [first, second] = [clock.coarse(), clock.coarse()];
        seen.push([first, second]);
        clock.callout(() => wakes++).scheduleAfter(1000);
      })
      .schedule(500_000);
    await loop.time.runUntil(500_500);
    expect(seen).toEqual([[500_000, 500_000]]);
    expect(wakes).toBe(0);
    await loop.time.runUntil(502_000);
    expect(wakes).toBe(1);
    expect(clock.tick()).toBe(502_000);
  });

  it("keeps the process alive while a callout is armed, and only if asked to", () => {
    const { loop, clock } = build();
    expect(loop.keepsAlive).toBe(false);
    const callout = clock.callout(() => {});
    callout.schedule(60e6);
    expect(loop.keepsAlive).toBe(true);
    callout.cancel();
    expect(loop.keepsAlive).toBe(false);
    callout.schedule(90e6);
    expect(loop.keepsAlive).toBe(true);
    const unheld = build({ ref: false });
    unheld.clock.callout(() => {}).schedule(5);
    expect(unheld.loop.keepsAlive).toBe(false);
  });

  it("runs deferred tasks in a later turn, in order, and loses none when one throws", async () => {
    const { loop, clock } = build();
    const ran: string[] = [];
    clock.defer(() => {
      ran.push("first");
      clock.defer(() => ran.push("nested"));
    });
    clock.defer(() => {
      throw new Error("boom");
    });
    clock.defer(() => ran.push("last"));
    expect(ran).toEqual([]);
    await expect(loop.time.runFor(0)).rejects.toThrow("boom");
    await loop.time.runFor(0);
    expect(ran).toEqual(["first", "last", "nested"]);
  });

  it("carries on after a handler that throws", async () => {
    const { loop, clock } = build();
    let later = 0;
    clock
      .callout(() => {
        throw new Error("boom");
      })
      .schedule(1000);
    clock.callout(() => later++).schedule(1000);
    clock.callout(() => later++).schedule(5000);
    await expect(loop.time.runUntil(10_000)).rejects.toThrow("boom");
    await loop.time.runUntil(10_000);
    expect(later).toBe(2);
  });

  it("winds up in time for a counter that wraps every 65 ms, also when it comes into use later", async () => {
    const { loop, clock, keeper } = build({ mask: 0xffff });
    await loop.time.runUntil(3e6);
    expect(clock.now()).toBeCloseTo(3e6, 1);
    keeper.register(virtualCounter(loop.time, { name: "brief", mask: 0xfff, quality: 9 }));
    await loop.time.runUntil(4e6);
    expect(clock.now()).toBeCloseTo(4e6, 1);
  });

  it("follows steps of the host's wall clock, and uptime does not", async () => {
    const { loop, clock } = build();
    expect(clock.wall()).toEqual({ seconds: 1e6, nanoseconds: 0 });
    await loop.time.runUntil(1_500_000);
    loop.hostWallUs += 1_500_000 + 3600e6;
    await loop.time.runUntil(2_000_000);
    expect(clock.wall().seconds).toBeGreaterThanOrEqual(1e6 + 3600);
    expect(clock.now()).toBe(2_000_000);
  });

  it("stops for good when closed", async () => {
    const { loop, clock } = build();
    let fired = 0;
    const callout = clock.callout(() => fired++);
    callout.schedule(1000);
    clock.close();
    clock.close();
    clock.callout(() => fired++).schedule(500);
    await loop.time.runUntilIdle();
    expect([fired, clock.now()]).toEqual([0, 0]);
    clock.busy().release();
  });
});
