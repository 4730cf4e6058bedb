import { describe, expect, it } from "vitest";
import { SeededRandom } from "./seeded-random.ts";
import { sleepOn } from "./sleep.ts";
import { VirtualClock } from "./virtual-clock.ts";

describe("VirtualClock", () => {
  it("runs callouts in the order of deadline, then of arming", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    for (const [name, at] of [
      ["c", 30],
      ["a", 10],
      ["b2", 20],
      ["b1", 20],
    ] as const) {
      clock.callout(() => seen.push(`${name}@${clock.coarse()}`)).schedule(at);
    }
    await clock.runUntil(25);
    expect(seen).toEqual(["a@10", "b2@20", "b1@20"]);
    expect(clock.now()).toBe(25);
    await clock.runUntilIdle();
    expect(seen.at(-1)).toBe("c@30");
    expect(clock.now()).toBe(30);
  });

  it("drains chains of promises, ticks and deferred tasks before time moves", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const note = (what: string): void => {
      seen.push(`${what}@${clock.now()}`);
    };
    clock
      .callout(() => {
        void (async () => {
          for (let i = 0; i < 50; i++) await null;
          note("microtasks");
          process.nextTick(() => void Promise.resolve().then(() => note("tick")));
          clock.defer(() => note("deferred"));
        })();
      })
      .schedule(5);
    clock.callout(() => note("later")).schedule(6);
    await clock.runUntilIdle();
    expect(seen).toEqual(["microtasks@5", "tick@5", "deferred@5", "later@6"]);
  });

  it("never fires within schedule(), and fires a deadline that has passed at the present instant", () => {
    const clock = new VirtualClock({ startUs: 1000 });
    let fired = 0;
    const callout = clock.callout(() => fired++);
    callout.schedule(3);
    expect([fired, callout.armed]).toEqual([0, true]);
    clock.runUntilSync(1000);
    expect([fired, callout.armed, clock.now()]).toEqual([1, false, 1000]);
  });

  it("stands still while a busy token is held, but runs what is deferred meanwhile", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const io = (): void => {
      const token = clock.busy();
      setImmediate(() => {
        clock.defer(() => seen.push(`progress@${clock.now()}`));
        setImmediate(() =>
          setImmediate(() => {
            seen.push(`io@${clock.now()}`);
            token.release();
            token.release();
          }),
        );
      });
    };
    clock.callout(io).schedule(10);
    clock.callout(() => seen.push("next")).schedule(11);
    await clock.runUntil(20);
    expect(seen).toEqual(["progress@10", "io@10", "next"]);
    expect(clock.busyTokens).toBe(0);
  });

  it("runUntilSync throws where it would have to wait", () => {
    const clock = new VirtualClock();
    clock.busy();
    expect(() => clock.runUntilSync(1)).toThrow(/busy token/);
  });

  it("lets the wall clock step without moving uptime", () => {
    const clock = new VirtualClock({ wall: { seconds: 100, nanoseconds: 999_999_000 } });
    clock.runForSync(2);
    expect(clock.wall()).toEqual({ seconds: 101, nanoseconds: 1000 });
    clock.stepWall(-3_000_000.5);
    expect(clock.wall()).toEqual({ seconds: 98, nanoseconds: 500 });
    clock.setWall({ seconds: 5, nanoseconds: 6 });
    expect(clock.wall()).toEqual({ seconds: 5, nanoseconds: 6 });
    expect([clock.coarse(), clock.uptime()]).toEqual([2, { seconds: 0, nanoseconds: 2000 }]);
  });

  it("a sleeping function wakes at its time, and runToSettle gives its outcome", async () => {
    const clock = new VirtualClock();
    const sleep = sleepOn(clock);
    const work = async (): Promise<number> => {
      await sleep(1e6);
      await sleep(2e6);
      return clock.now();
    };
    expect(await clock.runToSettle(work())).toBe(3e6);
    await expect(clock.runToSettle(new Promise(() => {}))).rejects.toThrow(/has not settled/);
  });

  it("rejects with what a handler throws, and can go on", async () => {
    const clock = new VirtualClock();
    let later = false;
    clock
      .callout(() => {
        throw new Error("boom");
      })
      .schedule(1);
    clock
      .callout(() => {
        later = true;
      })
      .schedule(2);
    await expect(clock.runUntil(5)).rejects.toThrow("boom");
    await clock.runUntil(5);
    expect(later).toBe(true);
  });

  it("names what is armed when idleness does not come", async () => {
    const clock = new VirtualClock();
    const keepalive = clock.callout(function keepaliveTimer() {
      keepalive.scheduleAfter(1e6);
    });
    keepalive.scheduleAfter(1e6);
    await expect(clock.runUntilIdle({ limit: 10e6 })).rejects.toThrow(/keepaliveTimer/);
  });

  it("notices a callout that holds time still", () => {
    const clock = new VirtualClock({ maxEventsPerInstant: 1000 });
    const loop = clock.callout(() => loop.schedule(0));
    loop.schedule(0);
    expect(() => clock.runUntilSync(1)).toThrow(/stands still/);
  });

  it("gives the same event hash for the same seed, and another for another", async () => {
    const run = async (seed: number): Promise<string> => {
      const clock = new VirtualClock();
      const random = new SeededRandom(seed);
      for (let i = 0; i < 20; i++) {
        let left = 10;
        const callout = clock.callout(() => {
          if (--left > 0) callout.scheduleAfter(random.below(5000));
        });
        callout.scheduleAfter(random.below(5000));
      }
      await clock.runUntilIdle();
      expect(clock.events).toBe(200);
      return clock.eventHash();
    };
    expect(await run(1)).toBe(await run(1));
    expect(await run(1)).not.toBe(await run(2));
  });
});
