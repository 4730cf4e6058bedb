/** A sample of the table of timers: npm run bench:sim -w packages/netstack -- --only retransmit-timers. */
import { describe, expect, it } from "vitest";
import { exchangeLatency } from "./exchange-latency.ts";

const SLOW_PEER = { "net.inet.tcp.delacktime": 200, "net.inet.tcp.delack_adaptive": false, "net.inet.tcp.quickack": 0 };

describe("the retransmission timeout", () => {
  it.each([100, 10_000, 100_000, 600_000])(
    "over a way of %i µs that varies by half, nothing is sent again though a peer acknowledges late",
    async (rtt) => {
      const { spurious } = await exchangeLatency({ rtt, jitter: rtt / 2, receiver: SLOW_PEER }, 60);
      expect(spurious).toBe(0);
    },
  );

  it("without rexmit_slop it would be", async () => {
    const sender = { "net.inet.tcp.rexmit_slop": 0 };
    const { spurious } = await exchangeLatency({ rtt: 100_000, jitter: 50_000, receiver: SLOW_PEER, sender }, 60);
    expect(spurious).toBeGreaterThan(0.02);
  });
});
