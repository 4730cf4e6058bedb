import { bufferTable } from "./bottleneck-buffer.ts";
import { buffersTable } from "./buffers.ts";
import { delayedAcksTable } from "./delayed-acks.ts";
import { fairnessTable } from "./fairness.ts";
import { lossTable } from "./random-loss.ts";
import { retransmitTimersTable } from "./retransmit-timers.ts";
import type { SimTable } from "./table.ts";

/** In the order of the page. */
export const TABLES: readonly SimTable[] = [
  lossTable,
  bufferTable,
  fairnessTable,
  buffersTable,
  delayedAcksTable,
  retransmitTimersTable,
];
