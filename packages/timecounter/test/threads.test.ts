import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { drainMicrotasks, hrtimeCounter, startTickedCounter, Timekeeper, tickedCounterOf } from "../src/index.ts";
import { TimehandsPage } from "../src/timehands-page.ts";
import type { ThreadReport } from "./timehands-thread.ts";

/** Runs `workerData.entry`, a TypeScript module. */
const FROM_SOURCE = `
const { workerData } = require("node:worker_threads");
import("tsx/esm/api").then(({ register }) => { register(); return import(workerData.entry); });
`;

it("another thread reads whole timehands, and time that never goes back, while this one winds up without pause", async () => {
  const raw = new TimehandsPage();
  const keeper = new Timekeeper({ counters: [hrtimeCounter] });
  const flag = new SharedArrayBuffer(4);
  const publish = (k: number): void =>
    raw.publish({ counter: k, count: k, scale: k, seconds: k, nanoseconds: k, wallSeconds: k, wallNanoseconds: k });
  publish(1);
  const entry = new URL("timehands-thread.ts", import.meta.url).href;
  const worker = new Worker(FROM_SOURCE, {
    eval: true,
    workerData: { entry, raw: raw.buffer, time: keeper.page, flag },
  });
  try {
    expect(await once(worker, "message")).toEqual(["ready"]);
    const reported = once(worker, "message");
    for (let k = 2; k < 400_000; k++) {
      publish(k);
      if (k % 16 === 0) keeper.windUp();
    }
    Atomics.store(new Int32Array(flag), 0, 1);
    const [report] = (await reported) as [ThreadReport];
    expect(report).toMatchObject({ torn: 0, backward: 0 });
    expect(report.reads).toBeGreaterThan(0);
    expect(report.generations).toBeGreaterThan(0);
  } finally {
    await worker.terminate();
  }
});

it("a thread with nothing else to do lives until its ticked counter is closed", async () => {
  const entry = new URL("ticked-thread.ts", import.meta.url).href;
  const worker = new Worker(FROM_SOURCE, { eval: true, workerData: { entry } });
  const messages: unknown[] = [];
  worker.on("message", (message) => messages.push(message));
  await once(worker, "exit");
  expect(messages).toEqual(["closed"]);
});

it("a worker ticks a page that counts as a timecounter, until it is closed", async () => {
  await using counter = await startTickedCounter();
  const keeper = new Timekeeper({ counters: [counter] });
  const other = tickedCounterOf(counter.page);
  const first = counter.read();
  while (counter.read() === first) await drainMicrotasks();
  expect(keeper.now()).toBeGreaterThan(0);
  await counter.close();
  await counter.close();
  expect(other.read()).toBe(counter.read());
});
