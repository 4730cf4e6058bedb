import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { InboundPacket } from "../../src/packet.ts";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TransportProtocol } from "../../src/transport.ts";
import { type Bench, bench } from "./bench.ts";
import {
  concat,
  describe4,
  describe6,
  extension,
  fragmentHeader,
  icmp,
  ipv4,
  ipv6,
  ramp,
  sameBytes,
} from "./packets.ts";

const from = "10.0.0.2";
const to = "10.0.0.1";
const from6 = "fd00::2";
const to6 = "fd00::1";

class Collector implements TransportProtocol {
  readonly payloads: Uint8Array[] = [];
  readonly classes: number[] = [];
  input(packet: InboundPacket): void {
    this.payloads.push(packet.slab.slice(packet.transportOffset, packet.end));
    this.classes.push(packet.trafficClass);
  }
  controlInput(): void {}
}

function collecting(sysctl: Record<string, SysctlValue> = {}): Bench & { collector: Collector } {
  const made = bench({ sysctl });
  const collector = new Collector();
  made.stack.registerTransport(253, collector);
  return { ...made, collector };
}

type Piece = readonly [start: number, end: number];

function fragment4(data: Uint8Array, [start, end]: Piece, id = 7, tos = 0): Uint8Array {
  return ipv4({ from, to, id, tos, offset: start, more: end < data.length }, data.subarray(start, end));
}

function fragment6(data: Uint8Array, [start, end]: Piece, id = 7): Uint8Array {
  const header = fragmentHeader(253, start, end < data.length, id);
  return ipv6({ from: from6, to: to6, next: 44 }, concat(header, data.subarray(start, end)));
}

/** A datagram cut at random places, its pieces in random order. */
const cut = fc
  .tuple(
    fc.integer({ min: 9, max: 2000 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 249 }), { minLength: 1, maxLength: 20 }),
  )
  .map(([length, places]) => {
    const marks = [0, ...places.map((place) => place * 8).filter((place) => place < length), length].sort(
      (a, b) => a - b,
    );
    const pieces = marks.slice(1).map((end, i): Piece => [marks[i] as number, end]);
    return { data: ramp(length).map((byte, i) => byte ^ (i >>> 8)), pieces };
  })
  .filter(({ pieces }) => pieces.length > 1);
const shuffled = cut.chain(({ data, pieces }) =>
  fc.record({
    data: fc.constant(data),
    pieces: fc.shuffledSubarray([...pieces], { minLength: pieces.length, maxLength: pieces.length }),
  }),
);

describe.each([
  ["IPv4 (RFC 791 §3.2)", fragment4, "ip"],
  ["IPv6 (RFC 8200 §4.5)", fragment6, "ip6"],
] as const)("reassembly, %s", (_name, fragment, counters) => {
  test.prop([shuffled], { numRuns: 60 })("puts pieces together in any order, once", ({ data, pieces }) => {
    const { driver, collector, stack } = collecting();
    driver.inject(pieces.map((piece) => fragment(data, piece)));
    expect(collector.payloads.length).toBe(1);
    expect(sameBytes(collector.payloads[0]!, data)).toBe(true);
    expect(stack.statistics[counters].reassembled).toBe(1);
    expect(stack.statistics[counters].fragDropped).toBe(0);
  });

  test.prop([shuffled, fc.nat()], { numRuns: 40 })("ignores exact duplicates", ({ data, pieces }, which) => {
    const { driver, collector, stack } = collecting();
    const twice = pieces[which % (pieces.length - 1)] as Piece;
    driver.inject([...pieces.slice(0, -1), twice, pieces.at(-1) as Piece].map((piece) => fragment(data, piece)));
    expect(collector.payloads.length).toBe(1);
    expect(stack.statistics[counters].fragDropped).toBe(1);
  });

  test.prop([shuffled, fc.nat(), fc.integer({ min: 1, max: 4 })], { numRuns: 60 })(
    "gives nothing at all of a datagram with overlapping pieces (RFC 5722)",
    ({ data, pieces }, which, units) => {
      const { driver, collector } = collecting();
      const victim = pieces[which % (pieces.length - 1)] as Piece;
      const start = victim[1] - 8 * units < victim[0] ? victim[0] + 8 : victim[1] - 8 * units;
      const overlap: Piece = start < victim[1] ? [start, victim[1]] : [Math.max(0, victim[0] - 8), victim[1]];
      // All of it in one piece would be no fragment.
      fc.pre(overlap[0] !== victim[0] && overlap[1] > overlap[0] && (overlap[0] > 0 || overlap[1] < data.length));
      driver.inject([...pieces.slice(0, -1), overlap, pieces.at(-1) as Piece].map((piece) => fragment(data, piece)));
      expect(collector.payloads).toEqual([]);
    },
  );

  it("refuses the same range with other bytes", () => {
    const { driver, collector } = collecting();
    const data = ramp(64);
    const other = data.map((byte) => byte ^ 1);
    driver.inject([fragment(data, [0, 32]), fragment(other, [0, 32]), fragment(data, [32, 64])]);
    expect(collector.payloads).toEqual([]);
  });

  it("keeps datagrams with different identifications apart", () => {
    const { driver, collector } = collecting();
    const [a, b] = [ramp(64), ramp(80)];
    driver.inject([
      fragment(a, [0, 32], 1),
      fragment(b, [0, 40], 2),
      fragment(b, [40, 80], 2),
      fragment(a, [32, 64], 1),
    ]);
    expect(collector.payloads).toEqual([b, a]);
  });

  it("bounds the datagrams of one source, all of them, their fragments and their bytes", async () => {
    const family = counters === "ip" ? "net.inet.ip" : "net.inet6.ip6";
    const bounds = {
      [`${family}.maxfragpackets`]: 8,
      [`${family}.maxfragpacketspersource`]: 4,
      [`${family}.maxfragsperpacket`]: 3,
    };
    const { driver, stack, collector, clock } = collecting(bounds);
    const data = ramp(64);
    for (let id = 0; id < 6; id++) driver.inject(fragment(data, [0, 32], id));
    expect(stack.statistics[counters].fragDropped).toBe(2);
    // Those within the bound are still completed.
    driver.inject(fragment(data, [32, 64], 3));
    expect(collector.payloads.length).toBe(1);
    const many = [0, 8, 16, 24].map((start) => fragment(data, [start, start + 8], 9));
    driver.inject([...many, fragment(data, [32, 64], 9)]);
    expect(collector.payloads.length).toBe(1);
    await clock.runFor(120e6);
    expect(clock.armed).toBe(0);
    driver.inject([fragment(data, [0, 32], 9), fragment(data, [32, 64], 9)]);
    expect(collector.payloads.length).toBe(2);
  });

  it("lets the oldest go where bytes run out", () => {
    const family = counters === "ip" ? "net.inet.ip" : "net.inet6.ip6";
    const { driver, collector } = collecting({ [`${family}.maxfragbytes`]: 65536 });
    const data = ramp(1400);
    for (let id = 0; id < 60; id++) driver.inject(fragment(data, [0, 1392], id));
    driver.inject([fragment(data, [1392, 1400], 0), fragment(data, [1392, 1400], 59)]);
    expect(collector.payloads.length).toBe(1);
  });

  test.prop([
    fc.array(
      fc.record({ start: fc.nat(300), length: fc.integer({ min: 1, max: 20 }), id: fc.nat(3), more: fc.boolean() }),
      { maxLength: 40 },
    ),
  ])("survives any fragments, and what it gives is what was sent", (wild) => {
    const { driver, collector, stack } = collecting();
    const data = ramp(4096);
    driver.inject(
      wild.map(({ start, length, id, more }) => {
        const piece: Piece = [start * 8, start * 8 + length * 8];
        return fragment(more ? data : data.subarray(0, piece[1]), piece, id);
      }),
    );
    for (const payload of collector.payloads) expect(sameBytes(payload, data.subarray(0, payload.length))).toBe(true);
    expect(stack.outstandingPackets).toBe(0);
  });
});

describe("reassembly, further", () => {
  it("says time exceeded after 30 s if the first piece had come (RFC 1122 §3.3.2)", async () => {
    const { driver, clock, sent, stack } = collecting();
    const data = ramp(64);
    driver.inject([fragment4(data, [0, 32], 1), fragment4(data, [32, 64], 2)]);
    await clock.runFor(29.9e6);
    expect(sent()).toEqual([]);
    await clock.runFor(0.2e6);
    const errors = sent().map((packet) => describe4(packet));
    expect(errors.length).toBe(1);
    expect([errors[0]?.to, errors[0]?.payload[0], errors[0]?.payload[1]]).toEqual([from, 11, 1]);
    expect(errors[0]?.payload.subarray(28)).toEqual(data.subarray(0, 32));
    expect(stack.statistics.ip.fragTimeout).toBe(2);
  });

  it("says time exceeded after 60 s over IPv6 (RFC 8200 §4.5)", async () => {
    const { driver, clock, sent } = collecting();
    driver.inject(fragment6(ramp(64), [0, 32]));
    await clock.runFor(59.9e6);
    expect(sent()).toEqual([]);
    await clock.runFor(0.2e6);
    const { payload } = describe6(sent()[0]!);
    expect([payload[0], payload[1]]).toEqual([3, 1]);
  });

  it("answers a ping that came in pieces", () => {
    const { exchange } = collecting();
    const ping = icmp(8, 0, 0x00010002, ramp(3000));
    const pieces = [0, 1480, 2960].map((start) =>
      ipv4({ from, to, protocol: 1, id: 5, offset: start, more: start < 2960 }, ping.subarray(start, start + 1480)),
    );
    const replies = exchange(...pieces).map(describe4);
    expect(concat(...replies.map((reply) => reply.payload)).subarray(8)).toEqual(ramp(3000));
  });

  it("carries congestion marks over, and refuses contradictory ones (RFC 3168 §5.3)", () => {
    const { driver, collector } = collecting();
    const data = ramp(64);
    driver.inject([fragment4(data, [0, 32], 1, 2), fragment4(data, [32, 64], 1, 3)]);
    driver.inject([fragment4(data, [0, 32], 2, 0), fragment4(data, [32, 64], 2, 3)]);
    expect(collector.classes).toEqual([3]);
  });

  it("refuses fragments that reach beyond 65,535 bytes", () => {
    const { driver, collector, stack } = collecting();
    driver.inject(ipv4({ from, to, offset: 65528 }, ramp(16)));
    expect(stack.statistics.ip.fragDropped).toBe(1);
    expect(collector.payloads).toEqual([]);
  });

  it("answers IPv6 fragments of impossible length or reach with a pointer (RFC 8200 §4.5)", () => {
    const { exchange } = collecting();
    const odd = ipv6({ from: from6, to: to6, next: 44 }, concat(fragmentHeader(253, 0, true, 1), ramp(13)));
    const oddReply = describe6(exchange(odd)[0]!).payload;
    expect([oddReply[0], oddReply[1], oddReply[7]]).toEqual([4, 0, 4]);
    const far = ipv6({ from: from6, to: to6, next: 44 }, concat(fragmentHeader(253, 65528, false, 1), ramp(16)));
    const farReply = describe6(exchange(far)[0]!).payload;
    expect([farReply[0], farReply[1], farReply[7]]).toEqual([4, 0, 42]);
  });

  it("wants the whole header chain in the first IPv6 fragment (RFC 7112)", () => {
    const { exchange } = collecting();
    const chain = concat(fragmentHeader(60, 0, true, 1), extension(253, new Uint8Array(22)).subarray(0, 16));
    const reply = describe6(exchange(ipv6({ from: from6, to: to6, next: 44 }, chain))[0]!).payload;
    expect([reply[0], reply[1]]).toEqual([4, 3]);
  });

  it("takes atomic IPv6 fragments as whole packets, though others of that number wait (RFC 6946)", () => {
    const { driver, collector, stack } = collecting();
    driver.inject(fragment6(ramp(64), [0, 32], 5));
    driver.inject(ipv6({ from: from6, to: to6, next: 44 }, concat(fragmentHeader(253, 0, false, 5), ramp(9))));
    expect(collector.payloads).toEqual([ramp(9)]);
    expect(stack.statistics.ip6.atomicFrags).toBe(1);
  });

  it("goes on with extension headers in front of and within the fragments", () => {
    const { driver, collector } = collecting();
    const inner = concat(extension(253, new Uint8Array(6)), ramp(40));
    const piece = (start: number, end: number): Uint8Array =>
      ipv6(
        { from: from6, to: to6, next: 0 },
        concat(
          extension(44, Uint8Array.of(1, 4, 0, 0, 0, 0)),
          fragmentHeader(60, start, end < inner.length, 8),
          inner.subarray(start, end),
        ),
      );
    driver.inject([piece(24, inner.length), piece(0, 24)]);
    expect(collector.payloads).toEqual([ramp(40)]);
  });
});
