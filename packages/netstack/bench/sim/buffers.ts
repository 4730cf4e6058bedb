import { fillPipe } from "../../test/tcp/fill-pipe.ts";
import { percent, type SimTable } from "./table.ts";

const RATES = [10e6, 100e6, 1e9, 10e9];
const RTTS = [1, 10, 100];

export const buffersTable: SimTable = {
  name: "buffers",
  title: "Buffers that follow the pace",
  text:
    "One flow over an idle path, its slow start ended at 1.25 times bandwidth × delay, both users as fast as can be; 64 KiB segments from 1 Gbit/s × 10 ms on." +
    " How much of the path it fills after slow start, the largest buffers of both ends, and in brackets the larger one in multiples of" +
    " max(256 KiB, rate × smoothed round trip).",
  columns: ["rate", "RTT", "filled", "receive buffer, MB", "send buffer, MB"],
  async *rows() {
    for (const rate of RATES) {
      for (const rttMs of RTTS) {
        const offload = rate * rttMs >= 10e9;
        const filled = await fillPipe({ rate, rtt: rttMs * 1000, offload });
        const size = (bytes: number, excess: number): string => `${(bytes / 1e6).toFixed(2)} (${excess.toFixed(1)})`;
        yield [
          `${rate / 1e6} Mbit/s`,
          `${rttMs} ms`,
          percent(filled.utilisation),
          size(filled.receiveBuffer, filled.receiveExcess),
          size(filled.sendBuffer, filled.sendExcess),
        ];
      }
    }
  },
};
