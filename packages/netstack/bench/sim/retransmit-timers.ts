import { exchangeLatency } from "../../test/tcp/exchange-latency.ts";
import type { SimTable } from "./table.ts";

/** rexmit_min and rexmit_slop, ms. */
const CHOICES = [
  [30, 200],
  [200, 0],
  [30, 30],
  [5, 30],
  [30, 0],
  [1000, 0],
] as const;

/** A peer as there are: it acknowledges every second segment, and one alone after 200 ms. */
const SLOW_PEER = { "net.inet.tcp.delacktime": 200, "net.inet.tcp.delack_adaptive": false, "net.inet.tcp.quickack": 0 };

export const retransmitTimersTable: SimTable = {
  name: "retransmit-timers",
  title: "Retransmission timers",
  text:
    "Messages of 1, 2, 4 and 7 segments, one after another; each path's delay varies by half the round trip, each way. For each choice of" +
    " `rexmit_min` + `rexmit_slop` (ms): segments sent again for nothing in 100 messages, and the 99th percentile of the time until a message has arrived (ms)." +
    " 30 + 200 is the default, 200 + 0 is near Linux's, 1000 + 0 RFC 6298's. Peers acknowledge as ours does, or a lone segment after 200 ms.",
  columns: ["RTT", "loss", "peer's ACKs", ...CHOICES.map(([minimum, slop]) => `${minimum} + ${slop}`)],
  async *rows() {
    for (const receiver of [{}, SLOW_PEER]) {
      for (const rttMs of [0.1, 1, 10, 100, 300, 600]) {
        for (const loss of [0, 0.02]) {
          const row = [`${rttMs} ms`, `${loss * 100} %`, receiver === SLOW_PEER ? "≤ 200 ms" : "ours"];
          for (const [minimum, slop] of CHOICES) {
            const rtt = rttMs * 1000;
            const sender = { "net.inet.tcp.rexmit_min": minimum, "net.inet.tcp.rexmit_slop": slop };
            const { spurious, p99 } = await exchangeLatency({ rtt, jitter: rtt / 2, loss, sender, receiver });
            row.push(`${(spurious * 100).toFixed(1)}; ${(p99 / 1000).toFixed(0)}`);
          }
          yield row;
        }
      }
    }
  },
};
