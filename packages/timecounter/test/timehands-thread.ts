import { parentPort, workerData } from "node:worker_threads";
import { hrtimeCounter } from "../src/adapters/hrtime-counter.ts";
import { emptyTimehands, TimehandsPage } from "../src/timehands-page.ts";
import { TimehandsReader } from "../src/timehands-reader.ts";

/** What the thread has seen. */
export interface ThreadReport {
  reads: number;
  /** Reads whose hands were a mixture of two wind-ups. */
  torn: number;
  /** Different hands met. */
  generations: number;
  /** Times that uptime went back. */
  backward: number;
}

/** Reads `raw` (hands whose fields are all the same number) and `time` (a keeper's) until the writer sets the flag. */
const { raw, time, flag } = workerData as Record<"raw" | "time" | "flag", SharedArrayBuffer>;
const stop = new Int32Array(flag);
const page = new TimehandsPage(raw);
const reader = new TimehandsReader(time, [hrtimeCounter]);
const hands = emptyTimehands();
const report: ThreadReport = { reads: 0, torn: 0, generations: 0, backward: 0 };
let lastCount = -1;
let lastNow = -1;

parentPort?.postMessage("ready");
while (Atomics.load(stop, 0) === 0) {
  while (!page.tryRead(hands));
  report.reads++;
  const values = Object.values(hands);
  if (values.some((value) => value !== hands.count)) report.torn++;
  if (hands.count !== lastCount) report.generations++;
  lastCount = hands.count;
  const now = reader.now();
  // Two bases differ by the rounding of a float64.
  if (now < lastNow - 0.01) report.backward++;
  lastNow = now;
}
parentPort?.postMessage(report);
