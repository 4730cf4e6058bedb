import { runFlows } from "../../test/tcp/flows.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { percent, type SimTable } from "./table.ts";

export const fairnessTable: SimTable = {
  name: "fairness",
  title: "Fairness",
  text:
    "So many flows of one kind, each begun 100 ms after the one before, share 50 Mbit/s at 20 ms with a buffer of one bandwidth × delay for 20 s:" +
    " Jain's index (1: all get the same), and how much of the link they use together.",
  columns: ["flows", ...ALGORITHMS],
  async *rows() {
    for (const count of [1, 2, 4, 16, 64]) {
      const row = [String(count)];
      for (const algorithm of ALGORITHMS) {
        const result = await runFlows({
          bandwidth: 50e6,
          rttMs: 20,
          algorithms: Array.from({ length: count }, () => algorithm),
          staggerMs: 100,
          warmUpSeconds: 5,
          seconds: 20,
        });
        row.push(`${result.jain.toFixed(3)}, ${percent(result.utilization)}`);
      }
      yield row;
    }
  },
};
