import { fc, test } from "@fast-check/vitest";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { captureInterface } from "../../src/capture.ts";
import { type CapturedPacket, CaptureError, readCapture } from "../../src/capture-reader.ts";
import { createStack } from "../../src/create-stack.ts";
import { ReplayDriver } from "../../src/drivers/replay.ts";
import { CHECKSUM_PARTIAL } from "../../src/packet.ts";
import { PcapngWriter } from "../../src/pcapng.ts";
import { finishTransportChecksum } from "../../src/segmentation.ts";
import { bench } from "./bench.ts";
import { concat, describe4, icmp, ipv4, ramp, udp, udp4, viewOf } from "./packets.ts";

const from = "10.0.0.2";
const to = "10.0.0.1";

function captured(take: (sink: (bytes: Uint8Array) => void) => void): { file: Uint8Array; packets: CapturedPacket[] } {
  const chunks: Uint8Array[] = [];
  take((bytes) => chunks.push(bytes));
  const file = concat(...chunks);
  return { file, packets: [...readCapture(file)] };
}

describe("pcapng", () => {
  test.prop([
    fc.array(fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(4_000_000_000), fc.nat(999_999_999), fc.nat(1)), {
      maxLength: 10,
    }),
  ])("reads what it wrote", (packets) => {
    const { packets: read } = captured((sink) => {
      const writer = new PcapngWriter(sink);
      writer.addInterface({ name: "a", linkType: 1 });
      writer.addInterface({ name: "b", linkType: 101, macAddress: ramp(6) });
      for (const [bytes, seconds, nanoseconds, on] of packets) {
        writer.packet(on, { seconds, nanoseconds }, bytes, on === 0 ? "in" : "out", "a comment");
      }
    });
    expect(read.map((packet) => [packet.bytes, packet.linkType])).toEqual(
      packets.map(([bytes, , , on]) => [bytes, on === 0 ? 1 : 101]),
    );
    read.forEach((packet, i) => {
      const [, seconds, nanoseconds] = packets[i]!;
      expect(Math.abs(packet.time - (seconds * 1e6 + nanoseconds / 1e3))).toBeLessThan(1);
    });
  });

  it("is exact to the nanosecond", () => {
    const { file } = captured((sink) => {
      const writer = new PcapngWriter(sink);
      writer.packet(
        writer.addInterface({ name: "a", linkType: 101 }),
        { seconds: 1_704_067_200, nanoseconds: 123_456_789 },
        ramp(4),
      );
    });
    const view = viewOf(file);
    const block = file.length - 36;
    const stamp = (BigInt(view.getUint32(block + 12, true)) << 32n) | BigInt(view.getUint32(block + 16, true));
    expect(stamp).toBe(1_704_067_200_123_456_789n);
  });

  it("reads pcap of both byte orders and resolutions", () => {
    for (const little of [true, false]) {
      for (const [magic, fraction] of [
        [0xa1b2c3d4, 500_000],
        [0xa1b23c4d, 500_000_000],
      ] as const) {
        const file = new Uint8Array(24 + 16 + 3);
        const view = viewOf(file);
        view.setUint32(0, magic, little);
        view.setUint32(20, 101, little);
        view.setUint32(24, 7, little);
        view.setUint32(28, fraction, little);
        view.setUint32(32, 3, little);
        view.setUint32(36, 9, little);
        file.set([1, 2, 3], 40);
        expect([...readCapture(file)]).toEqual([
          { time: 7_500_000, linkType: 101, bytes: Uint8Array.of(1, 2, 3), originalLength: 9 },
        ]);
        expect(() => [...readCapture(file.subarray(0, 42))]).toThrow(CaptureError);
      }
    }
  });

  test.prop([fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0x0a0d0d0a, 0xd4c3b2a1, 0xa1b2c3d4)])(
    "refuses damaged files in order",
    (bytes, magic) => {
      const file = concat(new Uint8Array(4), bytes);
      viewOf(file).setUint32(0, magic);
      try {
        for (const packet of readCapture(file)) expect(packet.bytes.length).toBeLessThan(200);
      } catch (error) {
        expect(error).toBeInstanceOf(CaptureError);
      }
    },
  );
});

describe("capturing an interface", () => {
  it("writes both directions, with checksums finished that were left to a device", () => {
    const b = bench({ transmitChecksum: true });
    const { packets } = captured((sink) => {
      using _capture = captureInterface(b.iface, sink);
      b.driver.inject(ipv4({ from, to, protocol: 17 }, udp(1, 7, ramp(5))), { checksum: CHECKSUM_PARTIAL });
      b.stack.udp.bind({ port: 8, message: () => {} }).send(ramp(6), from, 9);
    });
    expect(packets.map((packet) => describe4(packet.bytes).protocol)).toEqual([17, 1, 17]);
    for (const { bytes, linkType } of packets) {
      const again = bytes.slice();
      finishTransportChecksum(again, 20);
      expect(again).toEqual(bytes);
      expect(linkType).toBe(101);
    }
    b.driver.inject(udp4(from, 1, to, 7, ramp(5)));
    expect(packets.length).toBe(3);
  });

  it("cuts super-segments if told to, else writes them whole", () => {
    const header = new Uint8Array(20);
    viewOf(header).setUint16(12, 0x5010);
    const segment = ipv4({ from, to: "10.0.0.77", protocol: 6 }, concat(header, ramp(3000)));
    const lengths = (cutSegments: boolean): number[] => {
      const b = bench();
      return captured((sink) => {
        captureInterface(b.iface, sink, { cutSegments });
        b.driver.inject(segment, { checksum: CHECKSUM_PARTIAL, segmentSize: 1460 });
      }).packets.map((packet) => packet.bytes.length);
    };
    expect(lengths(false)).toEqual([3040]);
    expect(lengths(true)).toEqual([1500, 1500, 120]);
  });
});

describe("replaying a capture", () => {
  const ping = (sequence: number): Uint8Array => ipv4({ from, to, protocol: 1 }, icmp(8, 0, sequence, ramp(8)));

  it("gives packets to the stack at the pace at which they came", async () => {
    const { file } = captured((sink) => {
      const writer = new PcapngWriter(sink);
      const on = writer.addInterface({ name: "a", linkType: 101 });
      writer.packet(on, { seconds: 100, nanoseconds: 0 }, ping(1));
      writer.packet(
        on,
        { seconds: 100, nanoseconds: 1000 },
        ipv4({ from: to, to: from, protocol: 1 }, icmp(0, 0, 1, ramp(8))),
      );
      writer.packet(on, { seconds: 101, nanoseconds: 500_000_000 }, ping(2));
    });
    const clock = new VirtualClock();
    const stack = createStack({ name: "replayed", clock, random: new SeededRandom(1) });
    const times: number[] = [];
    let ended = false;
    const driver = new ReplayDriver(clock, file, {
      select: (bytes) => bytes[19] === 1,
      onEnd: () => {
        ended = true;
      },
    });
    stack.addInterface({ name: "net0", driver }).addAddress(`${to}/24`);
    await clock.runFor(1.4e6);
    times.push(driver.sent.length);
    await clock.runFor(0.2e6);
    times.push(driver.sent.length);
    expect(times).toEqual([1, 2]);
    expect([ended, driver.remaining]).toEqual([true, 0]);
    expect(driver.sent.map((sent) => viewOf(describe4(sent.bytes).payload).getUint32(4))).toEqual([1, 2]);
  });
});
