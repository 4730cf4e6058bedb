import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { createStack } from "../../src/create-stack.ts";
import type { DriverEvents } from "../../src/driver.ts";
import { MemoryLink, type MemoryLinkOptions } from "../../src/drivers/memory-link.ts";
import { OutboundPacket } from "../../src/packet.ts";
import { ramp } from "./packets.ts";

interface Outcome {
  /** Number in the datagram, and when it came (µs). */
  readonly arrivals: [number: number, time: number][];
  readonly hash: string;
  readonly damaged: number;
}

/** Sends `count` datagrams of 1000 bytes (IP) at once, then looks at what comes. */
async function run(options: MemoryLinkOptions, count = 100, during?: (link: MemoryLink) => void): Promise<Outcome> {
  const clock = new VirtualClock();
  const link = new MemoryLink(clock, options);
  const a = createStack({ name: "a", clock, random: new SeededRandom(1) });
  const b = createStack({ name: "b", clock, random: new SeededRandom(2) });
  a.addInterface({ name: "net0", driver: link.a }).addAddress("10.0.0.1/24");
  b.addInterface({ name: "net0", driver: link.b }).addAddress("10.0.0.2/24");
  const arrivals: [number, number][] = [];
  b.udp.bind({ port: 9, message: ({ bytes }) => arrivals.push([bytes[0]! | (bytes[1]! << 8), clock.coarse()]) });
  const socket = a.udp.bind({ message: () => {} });
  during?.(link);
  a.enter();
  const payloads: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const payload = ramp(972);
    payload[0] = i & 255;
    payload[1] = i >>> 8;
    payloads.push(payload);
    socket.send(payload, "10.0.0.2", 9);
  }
  a.leave();
  await clock.runFor(10e6);
  const { ip, udp } = b.statistics;
  const damaged =
    udp.badSum +
    ip.badSum +
    ip.badLen +
    ip.tooSmall +
    ip.badHlen +
    ip.badAddr +
    ip.cantForward +
    ip.badVers +
    b.statistics.link.noProto;
  await a.close();
  await b.close();
  return { arrivals, hash: clock.eventHash(), damaged };
}

const numbers = (outcome: Outcome): number[] => outcome.arrivals.map(([number]) => number);
const inOrder = Array.from({ length: 100 }, (_, i) => i);

describe("the in-memory link", () => {
  it("takes the time that bandwidth and delay say", async () => {
    const { arrivals } = await run({ bandwidth: 8e6, delay: 5000 }, 3);
    expect(arrivals).toEqual([
      [0, 6000],
      [1, 7000],
      [2, 8000],
    ]);
  });

  it("keeps the order under jitter, and loses it under reordering", async () => {
    expect(numbers(await run({ delay: 1000, jitter: 5000 }))).toEqual(inOrder);
    const reordered = numbers(await run({ bandwidth: 8e7, reorder: 0.2 }));
    expect(reordered).not.toEqual(inOrder);
    expect([...reordered].sort((a, b) => a - b)).toEqual(inOrder);
  });

  it("loses, doubles and damages as often as told", async () => {
    const lossy = numbers(await run({ loss: 0.3 }, 1000)).length;
    expect(lossy).toBeGreaterThan(640);
    expect(lossy).toBeLessThan(760);
    const doubled = numbers(await run({ duplicate: 0.5 }, 1000)).length;
    expect(doubled).toBeGreaterThan(1420);
    expect(doubled).toBeLessThan(1580);
    const corrupt = await run({ corrupt: 0.5 }, 1000);
    expect(corrupt.arrivals.length + corrupt.damaged).toBeGreaterThan(990);
    expect(corrupt.damaged).toBeGreaterThan(400);
  });

  it("drops what its queue does not hold", async () => {
    expect(numbers(await run({ bandwidth: 8e6, queueLimit: 10 }))).toEqual(inOrder.slice(0, 10));
  });

  it("loses everything while partitioned or down", async () => {
    expect(numbers(await run({}, 10, (link) => link.impair({ loss: 1 })))).toEqual([]);
    expect(numbers(await run({}, 10, (link) => link.setLink(false)))).toEqual([]);
  });

  it("does the same again for the same seed, and not for another", async () => {
    const options = { delay: 1000, jitter: 900, loss: 0.1, reorder: 0.1, duplicate: 0.1, corrupt: 0.1 };
    const [first, again, other] = [
      await run({ ...options, seed: 5 }),
      await run({ ...options, seed: 5 }),
      await run({ ...options, seed: 6 }),
    ];
    expect(again).toEqual(first);
    expect(other.arrivals).not.toEqual(first.arrivals);
  });

  it("carries Ethernet, with ARP at both ends", async () => {
    expect(numbers(await run({ medium: "ethernet" }, 16))).toEqual(inOrder.slice(0, 16));
  });
});

it("an end that is started again, by another stack, tells it what comes", () => {
  const clock = new VirtualClock();
  const link = new MemoryLink(clock);
  const told: string[] = [];
  const events = (name: string): DriverEvents => ({ ready: () => told.push(name), linkChanged: () => {} });
  const slab = new Uint8Array(64);
  const packet = new OutboundPacket(slab, new DataView(slab.buffer), 0);
  for (const name of ["first", "second"]) {
    link.b.start(events(name));
    link.b.poll(0);
    packet.headerLength = 40;
    link.a.transmit([packet], 1);
    clock.runForSync(1);
    // Told, and never asked: its stack has gone.
    void link.b.close();
  }
  expect(told).toEqual(["first", "second"]);
});
