import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { createStack } from "../../src/create-stack.ts";
import { ImpairedDriver, type ImpairedDriverOptions } from "../../src/drivers/impaired.ts";
import { MemoryLink } from "../../src/drivers/memory-link.ts";
import { ramp } from "./packets.ts";

/** Sends 500 datagrams each way through an impaired device at one end of a good link; gives how many came, and when the first did. */
async function run(options: ImpairedDriverOptions): Promise<{ there: number; back: number; first: number }> {
  const clock = new VirtualClock();
  const link = new MemoryLink(clock);
  const stacks = [new ImpairedDriver(link.a, clock, options), link.b].map((driver, i) => {
    const stack = createStack({ name: `${i}`, clock, random: new SeededRandom(i + 1) });
    stack.addInterface({ name: "net0", driver }).addAddress(`10.0.0.${i + 1}/24`);
    return stack;
  });
  const counts = [0, 0];
  let first = -1;
  const payload = ramp(1000);
  stacks.forEach((stack, i) => {
    stack.udp.bind({
      port: 9,
      message: ({ bytes }) => {
        expect(Buffer.compare(bytes, payload)).toBe(0);
        if (first < 0) first = clock.coarse();
        counts[i]!++;
      },
    });
    const socket = stack.udp.bind({ message: () => {} });
    for (let n = 0; n < 500; n++) socket.send(payload, `10.0.0.${2 - i}`, 9);
  });
  await clock.runFor(1e6);
  for (const stack of stacks) await stack.close();
  return { there: counts[1]!, back: counts[0]!, first };
}

describe("an impaired device", () => {
  it("lets packets through both ways, late", async () => {
    expect(await run({ delay: 700 })).toEqual({ there: 500, back: 500, first: 700 });
  });

  it("loses each way as it is told", async () => {
    const { there, back } = await run({ loss: 0.5, back: { loss: 0 } });
    expect(there).toBeGreaterThan(200);
    expect(there).toBeLessThan(300);
    expect(back).toBe(500);
  });

  it("damages packets so that their checksums tell", async () => {
    const { there, back } = await run({ corrupt: 0.3 });
    expect(Math.max(there, back)).toBeLessThan(400);
  });

  it("refuses a device that leaves work to others", () => {
    const clock = new VirtualClock();
    const { a } = new MemoryLink(clock, { offload: true });
    expect(() => new ImpairedDriver(a, clock, {})).toThrow(/offloads/);
  });
});
