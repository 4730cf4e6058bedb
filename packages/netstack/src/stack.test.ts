import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { Address } from "./address.ts";
import { MemoryLink } from "./drivers/memory-link.ts";
import type { InboundPacket } from "./packet.ts";
import { Stack } from "./stack.ts";
import type { TransportProtocol } from "./transport.ts";

const PROTOCOL = 253;

class Recorder implements TransportProtocol {
  readonly received: string[] = [];
  input(packet: InboundPacket): void {
    const text = new TextDecoder().decode(packet.slab.subarray(packet.transportOffset, packet.end));
    this.received.push(`${Address.fromWords(packet.src0, packet.src1, packet.src2, packet.src3)}: ${text}`);
  }
  controlInput(): void {}
}

function send(stack: Stack, to: string, text: string): number {
  const { w0, w1, w2, w3, family } = Address.parse(to);
  const route = stack.ip.route(w0, w1, w2, w3);
  const source = route === null ? null : stack.ip.selectSource(route);
  stack.enter();
  const packet = stack.acquireOutbound();
  packet.family = family;
  packet.protocol = PROTOCOL;
  packet.dst0 = w0;
  packet.dst1 = w1;
  packet.dst2 = w2;
  packet.dst3 = w3;
  packet.src0 = source?.w0 ?? 0;
  packet.src1 = source?.w1 ?? 0;
  packet.src2 = source?.w2 ?? 0;
  packet.src3 = source?.w3 ?? 0;
  const bytes = new TextEncoder().encode(text);
  packet.addSlice(bytes, 0, bytes.length);
  const result = stack.ip.output(packet, route);
  stack.leave();
  return result;
}

function pair(): { clock: VirtualClock; a: Stack; b: Stack; atA: Recorder; atB: Recorder } {
  const clock = new VirtualClock();
  const link = new MemoryLink(clock, { delay: 1000 });
  const make = (name: string, seed: number): Stack => new Stack({ name, clock, random: new SeededRandom(seed) });
  const a = make("a", 1);
  const b = make("b", 2);
  a.addInterface({ name: "net0", driver: link.a }).addAddress("10.0.0.1/24");
  b.addInterface({ name: "net0", driver: link.b }).addAddress("10.0.0.2/24");
  const atA = new Recorder();
  const atB = new Recorder();
  a.registerTransport(PROTOCOL, atA);
  b.registerTransport(PROTOCOL, atB);
  return { clock, a, b, atA, atB };
}

describe("a stack", () => {
  it("carries a transport's packet to another stack over a link that takes time", async () => {
    const { clock, a, atB } = pair();
    expect(send(a, "10.0.0.2", "hello")).toBe(0);
    await clock.runUntil(999);
    expect(atB.received).toEqual([]);
    await clock.runUntil(1000);
    expect(atB.received).toEqual(["10.0.0.1: hello"]);
    expect(a.outstandingPackets).toBe(0);
  });

  it("loops packets to its own addresses back, in a later turn", async () => {
    const { clock, a, atA } = pair();
    expect(send(a, "10.0.0.1", "me")).toBe(0);
    expect(send(a, "127.0.0.1", "lo")).toBe(0);
    expect(atA.received).toEqual([]);
    await clock.runFor(0);
    expect(atA.received).toEqual(["10.0.0.1: me", "127.0.0.1: lo"]);
  });

  it("says when there is no route", () => {
    const { a } = pair();
    expect(send(a, "10.9.9.9", "lost")).toBe(1);
    expect(a.statistics.ip.noRoute).toBe(1);
    expect(a.outstandingPackets).toBe(0);
  });
});
