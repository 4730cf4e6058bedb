import { cubicThroughput, mathis, runFlows } from "../../test/tcp/flows.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { mbit, percent, type SimTable } from "./table.ts";

const MSS = 1448;
const BANDWIDTH = 50e6;

export const lossTable: SimTable = {
  name: "random-loss",
  title: "Random loss",
  text:
    "One flow over 50 Mbit/s with a buffer of one bandwidth × delay; packets are lost at random. Goodput in Mbit/s, beside what theory has for the loss rate alone:" +
    " Mathis et al. for Reno, MSS/RTT × √(3/2)/√p, and RFC 9438 §5.1 for CUBIC (with its Reno-friendly region); the link bounds both.",
  columns: ["RTT", "loss", ...ALGORITHMS, "theory: Reno", "theory: CUBIC"],
  async *rows() {
    for (const rttMs of [10, 50, 200]) {
      for (const loss of [0, 0.0001, 0.001, 0.01, 0.03, 0.1]) {
        const row = [`${rttMs} ms`, percentOf(loss)];
        for (const algorithm of ALGORITHMS) {
          const seconds = Math.max(10, rttMs / 10);
          const result = await runFlows({
            bandwidth: BANDWIDTH,
            rttMs,
            loss,
            algorithms: [algorithm],
            warmUpSeconds: 3 + rttMs / 50,
            seconds,
          });
          row.push(mbit(result.goodput));
        }
        const most = (BANDWIDTH * MSS) / 1500;
        const theory = (rate: number): string => (loss === 0 || rate > most ? `≥ ${mbit(most)}` : mbit(rate));
        row.push(theory(mathis(MSS, rttMs / 1000, loss)), theory(cubicThroughput(MSS, rttMs / 1000, loss)));
        yield row;
      }
    }
  },
};

function percentOf(loss: number): string {
  return loss === 0 ? "0" : loss < 0.001 ? `${loss * 100} %` : percent(loss);
}
