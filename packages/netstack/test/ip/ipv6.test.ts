import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Address } from "../../src/address.ts";
import { IPV6_MINIMUM_MTU } from "../../src/ip/protocol.ts";
import type { InboundPacket } from "../../src/packet.ts";
import { finishTransportChecksum } from "../../src/segmentation.ts";
import type { ControlError, TransportProtocol } from "../../src/transport.ts";
import { bench } from "./bench.ts";
import {
  checksumHolds6,
  concat,
  describe6,
  extension,
  icmp6,
  ipv6,
  ipv6Checksummed,
  ramp,
  sameBytes,
  udp,
  viewOf,
} from "./packets.ts";

const from = "fd00::2";
const to = "fd00::1";

class Recorder implements TransportProtocol {
  readonly payloads: Uint8Array[] = [];
  readonly errors: { kind: string; mtu: number; quoted: Uint8Array }[] = [];
  input(packet: InboundPacket): void {
    this.payloads.push(packet.slab.slice(packet.transportOffset, packet.end));
  }
  controlInput(error: ControlError): void {
    const quoted = error.slab.slice(error.quotedOffset, error.quotedOffset + error.quotedLength);
    this.errors.push({ kind: error.kind, mtu: error.mtu, quoted });
  }
}

function recording(): ReturnType<typeof bench> & { recorder: Recorder } {
  const made = bench();
  const recorder = new Recorder();
  made.stack.registerTransport(253, recorder);
  return { ...made, recorder };
}

const ping = ipv6Checksummed({ from, to, next: 58 }, icmp6(128, 0, 0x00010002, ramp(21)));

describe("IPv6 input (RFC 8200)", () => {
  it.each([
    ["tooShort", ping.subarray(0, 39)],
    ["tooSmall", ping.subarray(0, ping.length - 1)],
    ["badScope", ipv6({ from: "ff02::9", to }, ramp(8))],
    ["badScope", ipv6({ from: "::1", to }, ramp(8))],
    ["badScope", ipv6({ from, to: "::1" }, ramp(8))],
    ["badScope", ipv6({ from, to: "::" }, ramp(8))],
    ["badScope", ipv6({ from: to, to }, ramp(8))],
    ["badScope", ipv6({ from, to: "ff01::1" }, ramp(8))],
    ["badScope", ipv6({ from: "::", to }, ramp(8))],
    ["notMember", ipv6({ from, to: "ff02::5" }, ramp(8))],
    ["cantForward", ipv6({ from, to: "fd00::9" }, ramp(8))],
  ] as const)("drops and counts %s", (counter, packet) => {
    const { stack, exchange, recorder } = recording();
    expect(exchange(packet)).toEqual([]);
    expect(stack.statistics.ip6[counter]).toBe(1);
    expect(recorder.payloads).toEqual([]);
  });

  it("refuses mapped IPv4 addresses on the wire", () => {
    const packet = ipv6({ from, to }, ramp(8));
    packet.set(concat(new Uint8Array(10), Uint8Array.of(255, 255, 10, 0, 0, 9)), 8);
    const { stack, exchange } = recording();
    exchange(packet);
    expect(stack.statistics.ip6.badScope).toBe(1);
  });

  test.prop([fc.uint8Array({ maxLength: 150 })])("survives any bytes behind a header", (bytes) => {
    const { stack, exchange } = bench();
    exchange(ipv6({ from, to, next: bytes[0] ?? 0 }, bytes));
    expect(stack.outstandingPackets).toBe(0);
  });

  test.prop([
    fc.array(fc.tuple(fc.constantFrom(0, 43, 44, 58, 59, 60, 6, 17), fc.uint8Array({ maxLength: 30 })), {
      maxLength: 6,
    }),
  ])("survives any chain of headers", (chain) => {
    const { stack, exchange } = bench();
    const headers = chain.map(([next, body]) => extension(next, body));
    exchange(ipv6({ from, to, next: chain[0]?.[0] ?? 59 }, concat(...headers, ramp(30))));
    expect(stack.outstandingPackets).toBe(0);
  });
});

describe("extension headers (RFC 8200 §4)", () => {
  const padding = Uint8Array.of(1, 4, 0, 0, 0, 0);
  function send(next: number, ...headers: Uint8Array[]): { answer: Uint8Array | null; recorder: Recorder } {
    const { exchange, recorder } = recording();
    const [reply] = exchange(ipv6({ from, to, next }, concat(...headers, ramp(8))));
    return { answer: reply === undefined ? null : describe6(reply).payload, recorder };
  }

  it("passes over hop-by-hop and destination options that it knows or may skip", () => {
    const skippable = Uint8Array.of(0x1e, 2, 9, 9, 0, 0);
    const { recorder } = send(0, extension(60, padding), extension(60, skippable), extension(253, padding));
    expect(recorder.payloads).toEqual([ramp(8)]);
  });

  it.each([
    ["01", 0x5e, null],
    ["10", 0x9e, [4, 2, 42]],
    ["11", 0xde, [4, 2, 42]],
  ])("does what the action bits %s of an unknown option say (§4.2)", (_bits, type, expected) => {
    const { answer, recorder } = send(60, extension(253, Uint8Array.of(type, 2, 0, 0, 0, 0)));
    expect(recorder.payloads).toEqual([]);
    expect(answer === null ? null : [answer[0], answer[1], answer[7]]).toEqual(expected);
  });

  it("wants hop-by-hop options first", () => {
    const { answer } = send(60, extension(0, padding), extension(253, padding));
    expect([answer?.[0], answer?.[1], answer?.[7]]).toEqual([4, 1, 40]);
  });

  it("refuses routing headers with segments left (RFC 5095), passes over others", () => {
    const routing = (left: number): Uint8Array => extension(253, concat(Uint8Array.of(0, left), new Uint8Array(20)));
    const refused = send(43, routing(1));
    expect(refused.recorder.payloads).toEqual([]);
    expect([refused.answer?.[0], refused.answer?.[1], refused.answer?.[7]]).toEqual([4, 0, 42]);
    expect(send(43, routing(0)).recorder.payloads).toEqual([ramp(8)]);
  });

  it("says which next header it does not know", () => {
    const { answer } = send(60, extension(200, padding));
    expect([answer?.[0], answer?.[1], answer?.[7]]).toEqual([4, 1, 40]);
    expect(send(200).answer?.[7]).toBe(6);
  });

  it("stops at the limit of nested headers", () => {
    const { answer, recorder } = send(
      60,
      ...Array.from({ length: 15 }, () => extension(60, padding)),
      extension(253, padding),
    );
    expect(answer).toBeNull();
    expect(recorder.payloads).toEqual([]);
  });

  it("answers no echo behind 'no next header'", () => {
    expect(send(59).answer).toBeNull();
  });
});

describe("ICMPv6 (RFC 4443)", () => {
  it("reflects an echo request", () => {
    const { exchange } = bench();
    const [reply] = exchange(ping);
    const described = describe6(reply!);
    expect([described.from, described.to, described.payload[0]]).toEqual([to, from, 129]);
    expect(described.payload.subarray(4)).toEqual(ping.subarray(44));
    expect(checksumHolds6(reply!)).toBe(true);
  });

  it("answers a ping to all nodes from its own address", () => {
    const { exchange } = bench();
    const [reply] = exchange(ipv6Checksummed({ from, to: "ff02::1", next: 58 }, icmp6(128, 0, 1, ramp(8))));
    expect(describe6(reply!).from).toBe(to);
    expect(checksumHolds6(reply!)).toBe(true);
  });

  it("drops damaged messages, and requests from nobody", () => {
    const { exchange, stack } = bench();
    const damaged = ping.slice();
    damaged[50] = (damaged[50] as number) ^ 1;
    expect(exchange(damaged)).toEqual([]);
    expect(stack.statistics.icmp6.checksum).toBe(1);
    expect(exchange(ipv6Checksummed({ from: "::", to, next: 58 }, icmp6(128, 0, 1, ramp(8))))).toEqual([]);
  });

  it("says port unreachable, quoting as much as fits 1280 bytes", () => {
    const { exchange } = bench();
    const datagram = ipv6Checksummed({ from, to, next: 17 }, udp(1, 2, ramp(1400)));
    const [reply] = exchange(datagram);
    expect(reply!.length).toBe(IPV6_MINIMUM_MTU);
    const { payload } = describe6(reply!);
    expect([payload[0], payload[1]]).toEqual([1, 4]);
    expect(sameBytes(payload.subarray(8), datagram.subarray(0, 1232))).toBe(true);
    expect(checksumHolds6(reply!)).toBe(true);
  });

  it("sends no errors about errors, to groups, or more than the limit (§2.4)", () => {
    const { exchange, stack } = bench({ sysctl: { "net.inet6.icmp6.errppslimit": 3 } });
    const unknownError = ipv6Checksummed({ from, to, next: 58 }, icmp6(1, 4, 0, ramp(60)));
    expect(exchange(unknownError)).toEqual([]);
    expect(exchange(ipv6Checksummed({ from, to: "ff02::1", next: 17 }, udp(1, 2, ramp(8))))).toEqual([]);
    const datagram = ipv6Checksummed({ from, to, next: 17 }, udp(1, 2, ramp(8)));
    expect(exchange(...Array.from({ length: 5 }, () => datagram)).length).toBe(3);
    expect(stack.statistics.icmp6.tooFreq).toBe(2);
  });

  it("tells transports of errors about their packets", () => {
    const ours = ipv6({ from: to, to: from }, ramp(40));
    const { exchange, recorder } = recording();
    const error = (type: number, code: number, rest: number, quoted: Uint8Array): void => {
      expect(exchange(ipv6Checksummed({ from: "fd00::99", to, next: 58 }, icmp6(type, code, rest, quoted)))).toEqual(
        [],
      );
    };
    error(1, 3, 0, ours);
    error(2, 0, 1300, ours);
    error(3, 0, 0, ipv6({ from: to, to: from, next: 60 }, concat(extension(253, new Uint8Array(6)), ramp(40))));
    error(2, 0, 1279, ours);
    error(1, 0, 0, ours.subarray(0, 47));
    error(1, 0, 0, ipv6({ from: "fd00::77", to: from }, ramp(40)));
    expect(recorder.errors).toEqual([
      { kind: "unreachable-host", mtu: 0, quoted: ramp(40) },
      { kind: "packet-too-big", mtu: 1300, quoted: ramp(40) },
      { kind: "time-exceeded", mtu: 0, quoted: ramp(40) },
    ]);
  });
});

describe("IPv6 output", () => {
  it("cuts datagrams at the source (RFC 8200 §4.5), also to a path MTU that it was told (RFC 8201)", () => {
    const { stack, sent, exchange } = bench();
    const socket = stack.udp.bind({ port: 5000, message: () => {} });
    socket.send(ramp(1400), from, 6000);
    const [whole] = sent();
    expect(whole!.length).toBe(1448);
    exchange(ipv6Checksummed({ from: "fd00::99", to, next: 58 }, icmp6(2, 0, 1280, whole!.subarray(0, 1232))));
    expect(stack.ip.pathMtu(0xfd000000, 0, 0, 2)).toBe(1280);
    socket.send(ramp(1400), from, 6000);
    const pieces = sent().map(describe6);
    expect(pieces.map((piece) => piece.protocol)).toEqual([44, 44]);
    expect(pieces.map((piece) => viewOf(piece.payload).getUint16(2))).toEqual([1, 1232]);
    const joined = concat(...pieces.map((piece) => piece.payload.subarray(8)));
    const packet = ipv6({ from: to, to: from, next: 17 }, joined);
    finishTransportChecksum(packet, 40);
    expect(sameBytes(packet.subarray(40), joined)).toBe(true);
  });

  test.prop([fc.integer({ min: 0, max: 6000 })], { numRuns: 30 })("its fragments make the datagram again", (length) => {
    const sender = bench({ mtu: 1280 });
    const data = ramp(length);
    sender.stack.udp.bind({ port: 5000, message: () => {} }).send(data, from, 6000);
    const receiver = bench({ addresses: ["fd00::2/64"] });
    let got: Uint8Array | null = null;
    receiver.stack.udp.bind({
      port: 6000,
      message: ({ bytes }) => {
        got = bytes.slice();
      },
    });
    receiver.driver.inject(sender.sent());
    expect(sameBytes(got, data)).toBe(true);
  });
});

describe("source addresses (RFC 6724)", () => {
  function sourceFor(addresses: string[], destination: string): string | null {
    const { stack, iface } = bench({ addresses });
    stack.routes.add({ destination: "::/0", interface: iface });
    stack.routes.add({ destination: "default", interface: iface });
    const { w0, w1, w2, w3 } = Address.parse(destination);
    const route = stack.ip.route(w0, w1, w2, w3);
    return route === null ? null : (stack.ip.selectSource(route)?.toString() ?? null);
  }

  it.each([
    [["fe80::1/64", "2001:db8::1/64"], "2001:db8:9::1", "2001:db8::1"],
    [["fe80::1/64", "2001:db8::1/64"], "fe80::9%2", "fe80::1%2"],
    [["2001:db8::1/64", "fd00::1/64"], "fd00::7", "fd00::1"],
    [["2001:db8:1::1/64", "2001:db8:2::1/64"], "2001:db8:2:1::9", "2001:db8:2::1"],
    [["2001:db8::1/64", "2001:db8::2/64"], "2001:db8::2", "2001:db8::2"],
    [["10.0.0.1/24"], "2001:db8::2", null],
    [["10.0.0.1/24", "192.168.0.1/24"], "192.168.0.9", "192.168.0.1"],
    [["169.254.0.1/16", "10.0.0.1/24"], "8.8.8.8", "10.0.0.1"],
  ])("of %j takes for %s %s", (addresses, destination, source) => {
    expect(sourceFor(addresses, destination)).toBe(source);
  });
});

describe("link-scoped addresses", () => {
  it("of two links do not mix, and lose their zone on the wire", () => {
    const { stack, driver, sent } = bench({ addresses: ["fe80::1/64"] });
    stack.udp.bind({
      port: 7,
      message: ({ bytes, from: source, fromPort }) => {
        echo.send(bytes, source, fromPort);
      },
    });
    const echo = stack.udp.bind({ port: 8, message: () => {} });
    driver.inject(ipv6Checksummed({ from: "fe80::9", to: "fe80::1", next: 17 }, udp(9, 7, ramp(5))));
    const { from: source, to: destination, payload } = describe6(sent()[0]!);
    expect([source, destination]).toEqual(["fe80::1", "fe80::9"]);
    expect(payload.subarray(8)).toEqual(ramp(5));
    expect(stack.ip.isLocal(0xfe800002, 0, 0, 1)).toBe(true);
    expect(stack.ip.isLocal(0xfe800003, 0, 0, 1)).toBe(false);
  });

  it("are reached over the loopback too", async () => {
    const { stack, clock } = bench({ addresses: ["fe80::1/64"] });
    let heard = "";
    const socket = stack.udp.bind({
      port: 7,
      message: ({ from: source }) => {
        heard = source.toString();
      },
    });
    expect(socket.send(ramp(3), "fe80::1%2", 7)).toBe(0);
    await clock.runFor(0);
    expect(heard).toBe("fe80::1%2");
  });
});
