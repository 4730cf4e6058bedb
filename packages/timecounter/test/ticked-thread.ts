import { parentPort } from "node:worker_threads";
import { startTickedCounter } from "../src/adapters/ticked-counter.ts";

/** Starts a counter and closes it; says so. Nothing else keeps this thread alive. */
const counter = await startTickedCounter();
await counter.close();
parentPort?.postMessage("closed");
