import { describe, expect, it } from "vitest";
import { ack, Conversation, flags } from "./conversation.ts";
import { Collector } from "./pair.ts";

const CHUNK = 16 * 1024;
/** Four chunks. */
const sysctl = { "net.inet.tcp.recvmem_max": 4 * CHUNK };

/** Segments of 1,024 bytes, so that 16 fill a chunk. */
function sayInOrder(talk: Conversation, from: number, count: number): void {
  for (let i = 0; i < count; i++) talk.say({ seq: from + 1024 * i, ack: 1, payload: new Uint8Array(1024) });
}

describe("memory of all receive buffers (net.inet.tcp.recvmem_max)", () => {
  it("what nobody takes is stored up to the limit; the rest is dropped, and taken when it is sent again", () => {
    const talk = new Conversation({ sysctl });
    const connection = talk.accept({ mss: 1460, windowShift: 7 });
    sayInOrder(talk, 1, 70);
    expect(talk.tcp.receiveMemory).toBe(4 * CHUNK);
    expect(talk.tcp.statistics.rcvMemDrop).toBe(6);
    expect(talk.hearAll().at(-1)).toMatchObject({ ack: 1 + 64 * 1024 });
    const collector = new Collector(connection);
    talk.pass(0);
    expect(collector.length).toBe(64 * 1024);
    expect(talk.tcp.receiveMemory).toBe(0);
    sayInOrder(talk, 1 + 64 * 1024, 6);
    expect(collector.length).toBe(70 * 1024);
    expect(talk.tcp.statistics.rcvMemDrop).toBe(6);
  });

  it("bytes scattered over windows take no more either", () => {
    const talk = new Conversation({ sysctl });
    talk.accept({ mss: 1460, windowShift: 7 });
    for (let i = 1; i < 60; i++) talk.say({ seq: 1 + i * 1024, ack: 1, payload: "?" });
    talk.hearAll();
    talk.peerPort++;
    talk.accept({ mss: 1460, windowShift: 7 });
    for (let i = 1; i < 60; i++) talk.say({ seq: 1 + i * 1024, ack: 1, payload: "?" });
    expect(talk.tcp.receiveMemory).toBe(4 * CHUNK);
    expect(talk.tcp.statistics.rcvMemDrop).toBeGreaterThan(0);
  });

  it("whoever takes what comes is not disturbed by those who do not", () => {
    const talk = new Conversation({ sysctl });
    talk.accept({ mss: 1460, windowShift: 7 });
    sayInOrder(talk, 1, 70);
    talk.hearAll();
    talk.peerPort++;
    const collector = new Collector(talk.accept({ mss: 1460, windowShift: 7 }));
    talk.pass(0);
    sayInOrder(talk, 1, 200);
    expect(collector.length).toBe(200 * 1024);
  });

  it("a FIN behind what was dropped counts only once that has come", () => {
    const talk = new Conversation({ sysctl });
    const connection = talk.accept({ mss: 1460, windowShift: 7 });
    sayInOrder(talk, 1, 64);
    const last = { flags: "FA", seq: 1 + 64 * 1024, ack: 1, payload: "end" } as const;
    talk.say(last);
    const collector = new Collector(connection);
    talk.pass(0);
    expect([collector.length, collector.ended]).toEqual([64 * 1024, false]);
    talk.say(last);
    expect([collector.length, collector.ended]).toEqual([64 * 1024 + 3, true]);
  });

  it("what a user was offered and did not take is stored, until there is half as much again: then the connection is reset", () => {
    const talk = new Conversation({ sysctl });
    for (let i = 0; i < 7; i++) {
      talk.hearAll();
      talk.peerPort++;
      talk.accept({ mss: 1460, windowShift: 7 }).setSink({ data: () => 0, end: () => undefined });
      talk.pass(0);
      talk.say({ seq: 1, ack: 1, payload: "nobody wants this" });
    }
    // The sixth chunk is the last straw.
    expect(talk.tcp.statistics.rcvMemReset).toBe(2);
    expect(talk.tcp.connectionCount).toBe(5);
    talk.hear(flags("RA"), ack(18));
  });
});
