import { exchangeLatency } from "../../test/tcp/exchange-latency.ts";
import type { SimTable } from "./table.ts";

const CHOICES = [
  ["adaptive", {}],
  ["without the quick ones", { "net.inet.tcp.quickack": 0 }],
  ["40 ms", { "net.inet.tcp.quickack": 0, "net.inet.tcp.delack_adaptive": false }],
  ["none", { "net.inet.tcp.delayed_ack": false }],
] as const;

export const delayedAcksTable: SimTable = {
  name: "delayed-acks",
  title: "Delayed acknowledgments",
  text:
    "Messages of 1, 2, 4 and 7 segments, one after another, to a user who does not answer. For each way of delaying: acknowledgments for each message, and what" +
    " the sender takes the round trip for in the end (ms): what a delay adds to it, its timeouts feel.",
  columns: ["RTT", ...CHOICES.map(([name]) => name)],
  async *rows() {
    for (const rttMs of [0.1, 1, 10, 100, 300, 600]) {
      const row = [`${rttMs} ms`];
      for (const [, receiver] of CHOICES) {
        const { acknowledgments, srtt } = await exchangeLatency({ rtt: rttMs * 1000, receiver });
        row.push(`${acknowledgments.toFixed(2)}; ${(srtt / 1000).toFixed(1)}`);
      }
      yield row;
    }
  },
};
