/** The last packets, kept for a look at what led to an odd one. */
import { describe, expect, it } from "vitest";
import { readCapture } from "../src/capture-reader.ts";
import { OddRing } from "../src/odd-ring.ts";
import { ack, Conversation, flags, payload } from "./tcp/conversation.ts";

function watched(sysctl = {}) {
  const talk = new Conversation({ sysctl, wall: { seconds: 1000, nanoseconds: 0 } });
  const ring = new OddRing(talk.stack);
  const comments = (): (string | undefined)[] => commentsOf(ring.capture());
  return { talk, ring, comments };
}

/** The comment of each packet of a capture. */
function commentsOf(capture: Uint8Array): (string | undefined)[] {
  const view = new DataView(capture.buffer, capture.byteOffset, capture.byteLength);
  const found: (string | undefined)[] = [];
  for (let at = 0; at < capture.length; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) !== 6) continue;
    let comment: string | undefined;
    let option = at + 28 + ((view.getUint32(at + 20, true) + 3) & ~3);
    const end = at + view.getUint32(at + 4, true) - 4;
    while (option < end && view.getUint16(option, true) !== 0) {
      const length = view.getUint16(option + 2, true);
      if (view.getUint16(option, true) === 1) {
        comment = new TextDecoder().decode(capture.subarray(option + 4, option + 4 + length));
      }
      option += 4 + ((length + 3) & ~3);
    }
    found.push(comment);
  }
  return found;
}

describe("the ring of the last packets", () => {
  it("holds both ways in their order, with their times, cut to the snap length", () => {
    const { talk, ring } = watched();
    const connection = talk.accept();
    talk.pass(1_500_000);
    connection.write([{ bytes: new Uint8Array(1000).fill(7) }]);
    talk.hear(payload(1000));
    const packets = [...readCapture(ring.capture())];
    expect(packets.map(({ bytes }) => bytes.length)).toEqual([44, 44, 40, 128]);
    expect(packets[3]!.bytes.subarray(40)).toEqual(new Uint8Array(88).fill(7));
    expect(packets[3]!.time - packets[0]!.time).toBe(1.5e6);
  });

  it("tells beside an odd packet what is odd about it", () => {
    const { talk, comments } = watched();
    talk.accept();
    const spoilt = talk.packet({ seq: 1, ack: 1, payload: "spoilt" });
    spoilt[spoilt.length - 1]! ^= 1;
    talk.inject(spoilt);
    talk.say({ seq: 200_000, ack: 1, payload: "far" });
    talk.say({ flags: "S", seq: 1 });
    const said = comments();
    expect(said.slice(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(said[3]).toBe("TCP checksum wrong");
    expect(said[4]).toBe("TCP segment beyond the window");
    expect(said.filter((each) => each !== undefined).length).toBe(3);
  });

  it("bytes that come twice and differ are odd; the same ones are not", () => {
    const { talk, comments } = watched();
    talk.accept();
    talk.say({ seq: 11, ack: 1, payload: "abcdef" });
    talk.say({ seq: 13, ack: 1, payload: "cdefgh" });
    expect(comments().every((each) => each === undefined)).toBe(true);
    talk.say({ seq: 9, ack: 1, payload: "__aXc" });
    expect(talk.tcp.statistics.rcvContradictions).toBe(1);
    expect(comments()).toContain("TCP bytes that differ from those that came before");
  });

  it("reserved bits and malformed options are marked, and taken no notice of otherwise", () => {
    const { talk, comments } = watched();
    talk.accept();
    const packet = talk.packet({ seq: 1, ack: 1, payload: "x" });
    const view = new DataView(packet.buffer, packet.byteOffset);
    // One reserved bit more, and so much less in the checksum.
    view.setUint16(32, view.getUint16(32) | 0x0800);
    const sum = view.getUint16(36);
    view.setUint16(36, sum >= 0x0800 ? sum - 0x0800 : sum + 0xffff - 0x0800);
    talk.inject(packet);
    expect(comments()).toContain("TCP reserved bits set");
    talk.hear(flags("A"), ack(2));
  });

  it("keeps no more than net.odd.packets, none older than net.odd.seconds, and nothing at 0", () => {
    const { talk, ring } = watched({ "net.odd.packets": 4, "net.odd.seconds": 2 });
    talk.accept();
    for (let i = 0; i < 10; i++) talk.say({ seq: 1 + i, ack: 1, payload: "x" });
    expect([...readCapture(ring.capture())]).toHaveLength(4);
    talk.pass(2_000_001);
    expect([...readCapture(ring.capture())]).toHaveLength(0);
    talk.stack.sysctl.set("net.odd.packets", 0);
    talk.say({ seq: 11, ack: 1, payload: "x" });
    expect([...readCapture(ring.capture())]).toHaveLength(0);
  });

  it("an odd packet sets a capture off half a second later, and the next not before net.odd.interval has passed", () => {
    const { talk, ring } = watched({ "net.odd.interval": 10 });
    const captures: Uint8Array[] = [];
    ring.watch((capture) => captures.push(capture));
    talk.accept();
    const odd = (): void => talk.say({ seq: 200_000, ack: 1, payload: "far" });
    odd();
    talk.pass(499_999);
    expect(captures).toHaveLength(0);
    talk.pass(1);
    expect(commentsOf(captures[0]!)).toContain("TCP segment beyond the window");
    for (let i = 0; i < 9; i++) {
      odd();
      talk.pass(1e6);
    }
    expect(captures).toHaveLength(1);
    talk.pass(1e6);
    odd();
    talk.pass(1e6);
    expect(captures).toHaveLength(2);
    ring.watch(null);
    talk.pass(60e6);
    odd();
    talk.pass(1e6);
    expect(ring.statistics).toEqual({ marked: 12, captures: 2 });
  });
});
