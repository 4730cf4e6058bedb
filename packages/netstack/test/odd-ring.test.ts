/** The last packets, kept for a look at what led to an odd one. */
import { describe, expect, it } from "vitest";
import { readCapture } from "../src/capture-reader.ts";
import { OddRing } from "../src/odd-ring.ts";
import { UdpLayer } from "../src/udp/udp-layer.ts";
import { concat, fragmentHeader, icmp, icmp6, ipv4, ipv6, ipv6Checksummed, ramp } from "./ip/packets.ts";
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

describe("what IP, ICMP and UDP find strange", () => {
  const to4 = { from: "10.0.0.2", to: "10.0.0.1" } as const;
  const to6 = { from: "fd00::2", to: "fd00::1" } as const;
  /** A packet with some bytes changed. */
  const changed = (packet: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array => {
    const bytes = packet.slice();
    for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
    return bytes;
  };
  const ping = ipv4({ ...to4, protocol: 1 }, icmp(8, 0, 0, ramp(16)));
  const ping6 = ipv6Checksummed({ ...to6, next: 58 }, icmp6(128, 0, 0, ramp(16)));
  const fragment = (offset: number, more: boolean, length: number): Uint8Array =>
    ipv4({ ...to4, protocol: 17, id: 7, offset, more }, ramp(length));
  const fragment6 = (offset: number, more: boolean, length: number): Uint8Array =>
    ipv6({ ...to6, next: 44 }, concat(fragmentHeader(17, offset, more, 7), ramp(length)));

  it.each<readonly [string, 4 | 6, readonly Uint8Array[]]>([
    ["IPv4 header cut off", 4, [ping.subarray(0, 19)]],
    ["IPv4 header length impossible", 4, [changed(ping, { 0: 0x44 })]],
    ["IPv4 header checksum wrong", 4, [changed(ping, { 10: ping[10]! ^ 1 })]],
    ["IPv4 packet cut off", 4, [ping.subarray(0, 30)]],
    ["IPv4 address that cannot be", 4, [ipv4({ from: "127.0.0.1", to: "10.0.0.1", protocol: 1 }, ramp(8))]],
    ["IPv4 fragment of impossible length", 4, [fragment(0, true, 9)]],
    ["IPv4 fragment that contradicts others", 4, [fragment(0, true, 16), fragment(8, true, 16)]],
    ["ICMP checksum wrong", 4, [changed(ping, { 22: ping[22]! ^ 1 })]],
    ["ICMP header cut off", 4, [ipv4({ ...to4, protocol: 1 }, ramp(4))]],
    ["UDP header cut off", 4, [ipv4({ ...to4, protocol: 17 }, ramp(4))]],
    ["UDP length impossible", 4, [ipv4({ ...to4, protocol: 17 }, Uint8Array.of(0, 1, 0, 2, 0, 99, 0, 0))]],
    ["UDP checksum wrong", 4, [ipv4({ ...to4, protocol: 17 }, Uint8Array.of(0, 1, 0, 2, 0, 8, 0x12, 0x34))]],
    ["IPv6 header cut off", 6, [ping6.subarray(0, 39)]],
    ["IPv6 packet cut off", 6, [ping6.subarray(0, 50)]],
    ["IPv6 address that cannot be", 6, [ipv6({ from: "ff02::1", to: "fd00::1", next: 58 }, ramp(8))]],
    ["IPv6 extension header cut off", 6, [ipv6({ ...to6, next: 60 }, ramp(4))]],
    ["IPv6 extension header that is refused", 6, [ipv6({ ...to6, next: 43 }, Uint8Array.of(58, 0, 0, 1, 0, 0, 0, 0))]],
    [
      "IPv6 options that are wrong or unknown",
      6,
      [ipv6({ ...to6, next: 60 }, Uint8Array.of(58, 0, 0xc9, 4, 0, 0, 0, 0))],
    ],
    ["IPv6 fragment of impossible length", 6, [fragment6(0, true, 9)]],
    ["IPv6 fragment that contradicts others", 6, [fragment6(0, true, 16), fragment6(8, true, 16)]],
    ["ICMPv6 checksum wrong", 6, [changed(ping6, { 42: ping6[42]! ^ 1 })]],
  ])("%s", (reason, family, packets) => {
    const talk = new Conversation({ family });
    const ring = new OddRing(talk.stack);
    new UdpLayer(talk.stack);
    for (const packet of packets) talk.inject(packet);
    const found = commentsOf(ring.capture()).filter((comment) => comment !== undefined);
    expect(found).toEqual([reason]);
  });
});
