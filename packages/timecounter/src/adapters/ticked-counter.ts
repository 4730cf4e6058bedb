import { Worker } from "node:worker_threads";
import type { Timecounter } from "../timecounter.ts";

/**
 * Writes µs of the monotonic clock into the page, and sleeps on the page's second word between two ticks. The store takes the µs modulo 2^32; any
 * other modulus before that would make the count jump where it wraps.
 */
const TICKER = `
const { parentPort, workerData: { page, periodMs } } = require("node:worker_threads");
const words = new Int32Array(page);
const tick = () => {
  const [seconds, nanoseconds] = process.hrtime();
  Atomics.store(words, 0, seconds * 1e6 + Math.floor(nanoseconds / 1e3));
};
tick();
parentPort.postMessage(0);
do tick(); while (Atomics.wait(words, 1, 0, periodMs) === "timed-out");
`;

export interface TickedCounter extends Timecounter, AsyncDisposable {
  /** Two 32-bit words; another thread reads the same counter through `tickedCounterOf`. */
  readonly page: SharedArrayBuffer;
  /** Stops the worker; the counter stands still from then on. Idempotent. */
  close(): Promise<void>;
}

/**
 * A page that a worker thread writes the time into every `periodMs` (default 1). Reading it costs a load and no call; it is as coarse as the period,
 * and coarser when the machine is busy. Its turn is 71 minutes. Resolves at its first tick.
 */
export async function startTickedCounter(options: { readonly periodMs?: number } = {}): Promise<TickedCounter> {
  const page = new SharedArrayBuffer(8);
  const words = new Int32Array(page);
  const worker = new Worker(TICKER, { eval: true, workerData: { page, periodMs: options.periodMs ?? 1 } });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => worker.once("message", resolve).once("error", reject));
  worker.unref();
  const close = (): Promise<void> => {
    // Or a process with nothing else to do would end before this has settled.
    worker.ref();
    Atomics.store(words, 1, 1);
    Atomics.notify(words, 1);
    return exited;
  };
  return { ...tickedCounterOf(page), page, close, [Symbol.asyncDispose]: close };
}

/** The counter that lives in a ticked page. */
export function tickedCounterOf(page: SharedArrayBuffer): Timecounter {
  const words = new Int32Array(page);
  return { name: "ticked-page", frequency: 1e6, mask: 2 ** 32 - 1, quality: 100, read: () => words[0]! >>> 0 };
}
