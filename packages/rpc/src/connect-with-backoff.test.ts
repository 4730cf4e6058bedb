import { MemoryNetwork } from "@nfs4/bytestream";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { connectWithBackoff } from "./connect-with-backoff.ts";

describe("connectWithBackoff", () => {
  const to = { address: "server", port: 2049 };

  function scene() {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock);
    return { clock, network, options: { connector: network.connector(), to, clock, random: new SeededRandom(3) } };
  }

  it("tries until the server is there, with growing pauses", async () => {
    const { clock, network, options } = scene();
    const connecting = connectWithBackoff(options);
    await clock.runUntil(20_000_000);
    const listener = network.listen(to);
    listener.accept(() => {});
    const stream = await clock.runToSettle(connecting);
    expect(stream.peerAddress.port).toBe(2049);
    expect(clock.coarse()).toBeLessThan(20_000_000 + 15_000_000);
    await listener.close();
  });

  it("gives up after so many attempts with the last error", async () => {
    const { clock, options } = scene();
    const failure = connectWithBackoff({ ...options, attempts: 3 }).catch((error: { code: string }) => error.code);
    expect(await clock.runToSettle(failure)).toBe("ECONNREFUSED");
    // Two pauses: 50 … 100 ms and 100 … 200 ms.
    expect(clock.coarse()).toBeGreaterThanOrEqual(150_000);
    expect(clock.coarse()).toBeLessThanOrEqual(300_000);
  });

  it("stops at the signal, also while it pauses", async () => {
    const { clock, options } = scene();
    const controller = new AbortController();
    const failure = connectWithBackoff({ ...options, signal: controller.signal }).catch((error: unknown) => error);
    await clock.runUntil(1_000_000);
    controller.abort("enough");
    expect(await clock.runToSettle(failure)).toBe("enough");
    expect(clock.armed).toBe(0);
  });
});
