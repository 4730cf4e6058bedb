import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Address } from "../../src/address.ts";
import { sumBytes } from "../../src/checksum.ts";
import { PROTOCOL_TCP } from "../../src/ip/protocol.ts";
import { CHECKSUM_GOOD, CHECKSUM_PARTIAL } from "../../src/packet.ts";
import { cutSegments, finishTransportChecksum } from "../../src/segmentation.ts";
import { attach, bench } from "./bench.ts";
import { concat, describe4, icmp, ipv4, ramp, sameBytes, udp, udp4, viewOf } from "./packets.ts";

const PING = icmp(8, 0, 0x00010001, ramp(32));
const from = "10.0.0.2";
const to = "10.0.0.1";

function damaged(packet: Uint8Array, change: (view: DataView) => void, fixChecksum = true): Uint8Array {
  const copy = packet.slice();
  const view = viewOf(copy);
  change(view);
  if (fixChecksum) {
    view.setUint16(10, 0);
    view.setUint16(10, ~sumBytes(copy, 0, Math.min(copy.length, (view.getUint8(0) & 15) * 4)));
  }
  return copy;
}

describe("IPv4 input (RFC 791, RFC 1122 §3.2)", () => {
  const good = ipv4({ from, to, protocol: 1 }, PING);
  it.each([
    ["tooShort", good.subarray(0, 19)],
    ["badHlen", damaged(good, (v) => v.setUint8(0, 0x44))],
    ["badHlen", damaged(good, (v) => v.setUint8(0, 0x4f)).subarray(0, 40)],
    ["badSum", damaged(good, (v) => v.setUint8(8, 63), false)],
    ["badLen", damaged(good, (v) => v.setUint16(2, 19))],
    ["tooSmall", damaged(good, (v) => v.setUint16(2, 61))],
    ["badAddr", ipv4({ from: "224.0.0.1", to, protocol: 1 }, PING)],
    ["badAddr", ipv4({ from: "255.255.255.255", to, protocol: 1 }, PING)],
    ["badAddr", ipv4({ from: "127.0.0.1", to, protocol: 1 }, PING)],
    ["badAddr", ipv4({ from, to: "127.0.0.1", protocol: 1 }, PING)],
    ["badAddr", ipv4({ from: to, to, protocol: 1 }, PING)],
    ["notMember", ipv4({ from, to: "224.0.0.5", protocol: 1 }, PING)],
    ["cantForward", ipv4({ from, to: "10.0.0.3", protocol: 1 }, PING)],
    ["badOptions", ipv4({ from, to, protocol: 1, options: Uint8Array.of(7, 40, 4, 0) }, PING)],
    ["sourceRouted", ipv4({ from, to, protocol: 1, options: Uint8Array.of(131, 7, 4, 10, 0, 0, 9, 0) }, PING)],
  ] as const)("drops and counts %s", (counter, packet) => {
    const { stack, exchange } = bench();
    const replies = exchange(packet);
    expect(stack.statistics.ip[counter]).toBe(1);
    expect(stack.statistics.ip.delivered).toBe(0);
    expect(replies.filter((reply) => describe4(reply).payload[0] === 0)).toEqual([]);
  });

  it("says where a malformed option is (RFC 1122 §3.2.2.5)", () => {
    const reply = describe4(
      bench().exchange(ipv4({ from, to, protocol: 1, options: Uint8Array.of(1, 7, 40, 0) }, PING))[0]!,
    );
    expect([reply.payload[0], reply.payload[1], reply.payload[4]]).toEqual([12, 0, 22]);
  });

  it("answers in spite of well-formed options, and of link padding", () => {
    const { exchange } = bench();
    const options = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 1);
    const packet = concat(ipv4({ from, to, protocol: 1, options }, PING), new Uint8Array(18));
    expect(describe4(exchange(packet)[0]!).payload.subarray(8)).toEqual(ramp(32));
  });

  it("takes a super-segment longer than the MTU", () => {
    const { stack, driver } = bench();
    let seen = 0;
    stack.registerTransport(253, {
      input: (packet) => {
        seen = packet.end - packet.transportOffset + packet.segmentSize;
      },
      controlInput: () => {},
    });
    driver.inject(ipv4({ from, to }, ramp(60_000)), { segmentSize: 1460, checksum: CHECKSUM_GOOD });
    expect(seen).toBe(61_460);
  });

  test.prop([fc.uint8Array({ maxLength: 120 })])("survives any bytes", (bytes) => {
    const { stack, exchange } = bench();
    exchange(bytes);
    expect(stack.outstandingPackets).toBe(0);
  });

  test.prop([fc.nat(19), fc.nat(255), fc.nat(52)])("survives any damage to a header", (at, value, length) => {
    const { stack, exchange } = bench();
    const header = (good[at] as number) ^ value;
    exchange(damaged(good, (view) => view.setUint8(at, header)).subarray(0, 8 + length));
    expect(stack.outstandingPackets).toBe(0);
  });
});

describe("IPv4 output", () => {
  it("cuts datagrams that are longer than the MTU at multiples of eight (RFC 791 §3.2)", () => {
    const { stack, sent } = bench({ mtu: 576 });
    const socket = stack.udp.bind({ port: 5000, message: () => {} });
    const data = ramp(2000);
    expect(socket.send(data, from, 6000)).toBe(0);
    const pieces = sent().map(describe4);
    expect(pieces.map(({ flags, offset }) => [flags, offset])).toEqual([
      ["MF", 0],
      ["MF", 552],
      ["MF", 1104],
      ["", 1656],
    ]);
    expect(new Set(pieces.map((piece) => piece.id)).size).toBe(1);
    const whole = concat(...pieces.map((piece) => piece.payload));
    expect(whole.subarray(8)).toEqual(data);
    const packet = ipv4({ from: to, to: from, protocol: 17 }, whole);
    finishTransportChecksum(packet, 20);
    expect(packet.subarray(20)).toEqual(whole);
    expect(stack.statistics.ip.fragmented).toBe(1);
    expect(stack.statistics.ip.oFragments).toBe(4);
  });

  test.prop([fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 68, max: 1500 })])(
    "its fragments make the datagram again",
    (length, mtu) => {
      const sender = bench({ mtu });
      const data = ramp(length);
      sender.stack.udp.bind({ port: 5000, message: () => {} }).send(data, from, 6000);
      const receiver = bench({ addresses: ["10.0.0.2/24"], sysctl: { "net.inet.ip.maxfragsperpacket": 1000 } });
      let got: Uint8Array | null = null;
      receiver.stack.udp.bind({
        port: 6000,
        message: ({ bytes }) => {
          got = bytes.slice();
        },
      });
      receiver.driver.inject(sender.sent());
      expect(sameBytes(got, data)).toBe(true);
    },
  );

  it("never sends TCP to a group or broadcast", () => {
    const { stack, sent } = bench();
    const route = stack.ip.route(0, 0, 0xffff, Address.parse("10.0.0.255").w3);
    const packet = stack.acquireOutbound();
    packet.protocol = PROTOCOL_TCP;
    expect(stack.ip.output(packet, route)).not.toBe(0);
    expect(sent()).toEqual([]);
  });
});

describe("path MTU discovery (RFC 1191)", () => {
  function tooBig(quoted: Uint8Array, mtu: number): Uint8Array {
    return ipv4({ from: "10.0.0.254", to, protocol: 1 }, icmp(3, 4, mtu, quoted.subarray(0, 28)));
  }

  it("lowers the path's MTU, cuts to it, and tries more again after ten minutes", async () => {
    const { clock, stack, sent, exchange } = bench();
    const socket = stack.udp.bind({ port: 5000, message: () => {} });
    socket.send(ramp(1400), from, 6000);
    const first = sent();
    expect(first.length).toBe(1);
    exchange(tooBig(first[0]!, 600));
    const { w3 } = Address.parse(from);
    expect(stack.ip.pathMtu(0, 0, 0xffff, w3)).toBe(600);
    socket.send(ramp(1400), from, 6000);
    expect(sent().length).toBe(3);
    await clock.runFor(599e6);
    expect(stack.ip.pathMtu(0, 0, 0xffff, w3)).toBe(600);
    await clock.runFor(2e6);
    expect(stack.ip.pathMtu(0, 0, 0xffff, w3)).toBe(1500);
  });

  it("guesses from the plateaus where an old router does not say (§7.1)", () => {
    const { stack, sent, exchange } = bench();
    stack.udp.bind({ port: 5000, message: () => {} }).send(ramp(1400), from, 6000);
    exchange(tooBig(sent()[0]!, 0));
    expect(stack.ip.pathMtu(0, 0, 0xffff, Address.parse(from).w3)).toBe(1006);
  });

  it("does not believe a message about a port that nobody uses, nor absurdly small MTUs", () => {
    const { stack, exchange, sent } = bench();
    const { w3 } = Address.parse(from);
    exchange(tooBig(udp4(to, 5001, from, 6000, ramp(100)), 600));
    expect(stack.ip.pathMtu(0, 0, 0xffff, w3)).toBe(1500);
    stack.udp.bind({ port: 5000, message: () => {} }).send(ramp(1400), from, 6000);
    exchange(tooBig(sent()[0]!, 68));
    expect(stack.ip.pathMtu(0, 0, 0xffff, w3)).toBe(256);
  });
});

describe("forwarding (RFC 1812 §5)", () => {
  const sysctl = { "net.inet.ip.forwarding": true };

  it("is off by default", () => {
    const { stack, exchange } = bench();
    attach(stack, "net1", "10.0.1.1/24");
    expect(exchange(ipv4({ from, to: "10.0.1.2" }, ramp(8)))).toEqual([]);
    expect(stack.statistics.ip.cantForward).toBe(1);
  });

  it("passes packets on with one hop less", () => {
    const { stack, driver } = bench({ sysctl });
    const other = attach(stack, "net1", "10.0.1.1/24");
    driver.inject(ipv4({ from, to: "10.0.1.2", ttl: 7, options: Uint8Array.of(1, 1, 1, 0) }, ramp(8)));
    const out = describe4(other.take()[0]!.bytes);
    expect([out.from, out.to, out.ttl, out.payload]).toEqual([from, "10.0.1.2", 6, ramp(8)]);
    expect(stack.statistics.ip.forward).toBe(1);
  });

  it("answers time exceeded when the hops are used up, unreachable where there is no route", () => {
    const { stack, exchange } = bench({ sysctl });
    attach(stack, "net1", "10.0.1.1/24");
    const expired = describe4(exchange(ipv4({ from, to: "10.0.1.2", ttl: 1 }, ramp(8)))[0]!);
    expect([expired.from, expired.to, expired.payload[0], expired.payload[1]]).toEqual([to, from, 11, 0]);
    const lost = describe4(exchange(ipv4({ from, to: "10.9.9.9" }, ramp(8)))[0]!);
    expect([lost.payload[0], lost.payload[1]]).toEqual([3, 1]);
  });

  it("fragments, or says the MTU if it may not (RFC 1191 §4)", () => {
    const { stack, driver, exchange } = bench({ sysctl });
    const other = attach(stack, "net1", "10.0.1.1/24", { mtu: 600 });
    driver.inject(ipv4({ from, to: "10.0.1.2", id: 77 }, ramp(1000)));
    const pieces = other.take().map((packet) => describe4(packet.bytes));
    expect(pieces.map(({ id, offset, flags }) => [id, offset, flags])).toEqual([
      [77, 0, "MF"],
      [77, 576, ""],
    ]);
    expect(concat(...pieces.map((piece) => piece.payload))).toEqual(ramp(1000));
    const refusal = describe4(exchange(ipv4({ from, to: "10.0.1.2", dontFragment: true }, ramp(1000)))[0]!);
    expect([refusal.payload[0], refusal.payload[1], viewOf(refusal.payload).getUint16(6)]).toEqual([3, 4, 600]);
  });

  it("finishes checksums that were left to a device, and cuts super-segments", () => {
    const { stack, driver } = bench({ sysctl });
    const other = attach(stack, "net1", "10.0.1.1/24");
    const datagram = ipv4({ from, to: "10.0.1.2", protocol: 17 }, udp(1, 2, ramp(9)));
    driver.inject(datagram, { checksum: CHECKSUM_PARTIAL });
    const finished = datagram.slice();
    finishTransportChecksum(finished, 20);
    expect(describe4(other.take()[0]!.bytes).payload).toEqual(finished.subarray(20));

    const header = new Uint8Array(20);
    viewOf(header).setUint32(4, 1000);
    viewOf(header).setUint16(12, 0x5018);
    const segment = ipv4({ from, to: "10.0.1.2", protocol: 6, dontFragment: true }, concat(header, ramp(3500)));
    driver.inject(segment, { checksum: CHECKSUM_PARTIAL, segmentSize: 1460 });
    const cut = other.take().map((packet) => packet.bytes);
    expect(cut.map((packet) => packet.length)).toEqual([1500, 1500, 620]);
    for (const packet of cut) {
      const again = packet.slice();
      finishTransportChecksum(again, 20);
      expect(again).toEqual(packet);
    }
    expect(cut.map((packet) => viewOf(packet).getUint32(24))).toEqual([1000, 2460, 3920]);
    expect(cut.map((packet) => packet[33])).toEqual([0x10, 0x10, 0x18]);
    expect(concat(...cut.map((packet) => packet.subarray(40)))).toEqual(ramp(3500));
  });

  it("leaves both to a device that can", () => {
    const { stack, driver } = bench({ sysctl });
    const other = attach(stack, "net1", "10.0.1.1/24", { transmitChecksum: true, segmentation4: 65535 });
    const header = new Uint8Array(20);
    viewOf(header).setUint16(12, 0x5010);
    driver.inject(ipv4({ from, to: "10.0.1.2", protocol: 6 }, concat(header, ramp(3500))), {
      checksum: CHECKSUM_GOOD,
      segmentSize: 1460,
    });
    const [out] = other.take();
    expect([out?.segmentSize, out?.checksumPartial, out?.bytes.length]).toEqual([1460, true, 3540]);
  });
});

describe("cutting super-segments", () => {
  test.prop([fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 1500 }), fc.boolean()])(
    "keeps every byte and its sequence number",
    (length, size, isIpv6) => {
      const header = new Uint8Array(20);
      const view = viewOf(header);
      view.setUint32(4, 0xfffffff0);
      view.setUint16(12, 0x5019);
      const tcp = concat(header, ramp(length));
      const ipLength = isIpv6 ? 40 : 20;
      const packet = isIpv6
        ? concat(Uint8Array.of(0x60, 0, 0, 0, tcp.length >>> 8, tcp.length & 255, 6, 64), new Uint8Array(32), tcp)
        : ipv4({ from, to, protocol: 6 }, tcp);
      const segments = cutSegments(packet, 0, packet.length, size);
      let next = 0xfffffff0;
      for (const segment of segments) {
        expect(viewOf(segment).getUint32(ipLength + 4)).toBe(next);
        const payload = segment.length - ipLength - 20;
        expect(payload).toBeLessThanOrEqual(size);
        next = (next + payload) >>> 0;
        const again = segment.slice();
        finishTransportChecksum(again, ipLength);
        expect(sameBytes(again, segment)).toBe(true);
      }
      const joined = concat(...segments.map((segment) => segment.subarray(ipLength + 20)));
      expect(sameBytes(joined, ramp(length))).toBe(true);
      const fin = segments.map((segment) => (segment[ipLength + 13] as number) & 1);
      expect(fin.filter((bit) => bit === 1).length).toBe(1);
      expect(fin.at(-1)).toBe(1);
    },
  );
});
