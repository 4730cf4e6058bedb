import { runFlows } from "../../test/tcp/flows.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { percent, type SimTable } from "./table.ts";

const BANDWIDTH = 50e6;

export const bufferTable: SimTable = {
  name: "bottleneck-buffer",
  title: "Buffers of the bottleneck",
  text:
    "One flow over 50 Mbit/s; nothing is lost but what finds the bottleneck's buffer full, whose size is given in bandwidth × delay." +
    " For each: how much of the link is used, how long packets wait on average, and how many are sent again.",
  columns: ["RTT", "buffer", ...ALGORITHMS],
  async *rows() {
    for (const rttMs of [5, 20, 100]) {
      for (const buffer of [0.1, 0.5, 1, 4]) {
        const row = [`${rttMs} ms`, `${buffer}`];
        const queueLimit = Math.max(4, Math.ceil((buffer * BANDWIDTH * rttMs) / 8e3 / 1500));
        for (const algorithm of ALGORITHMS) {
          const result = await runFlows({
            bandwidth: BANDWIDTH,
            rttMs,
            queueLimit,
            algorithms: [algorithm],
            warmUpSeconds: 3,
            seconds: 10,
          });
          row.push(`${percent(result.utilization)}, ${result.queueMs.toFixed(1)} ms, ${percent(result.retransmitted)}`);
        }
        yield row;
      }
    }
  },
};
