import { describe, expect, it } from "vitest";
import { CHECKSUM_PARTIAL } from "../../src/packet.ts";
import { finishTransportChecksum } from "../../src/segmentation.ts";
import { NOT_BOUND } from "../../src/udp/udp-socket.ts";
import { bench } from "./bench.ts";
import { concat, describe4, describe6, icmp, ipv4, ipv6Checksummed, ramp, udp, udp4, viewOf } from "./packets.ts";

const from = "10.0.0.2";
const to = "10.0.0.1";

describe("UDP (RFC 768, RFC 1122 §4.1)", () => {
  it("gives datagrams to who bound the address, else to who bound the port", () => {
    const { stack, driver, iface } = bench();
    iface.addAddress("10.0.0.7/24");
    const heard: string[] = [];
    const listen = (name: string, address?: string): void => {
      const message = ({
        bytes,
        from: source,
        fromPort,
        to: destination,
      }: {
        bytes: Uint8Array;
        from: object;
        fromPort: number;
        to: object;
      }) => heard.push(`${name}: ${bytes.length} from ${source}:${fromPort} to ${destination}`);
      stack.udp.bind({ port: 7, message, ...(address === undefined ? {} : { address }) });
    };
    listen("any");
    listen("seven", "10.0.0.7");
    driver.inject([
      udp4(from, 99, to, 7, ramp(3)),
      udp4(from, 99, "10.0.0.7", 7, ramp(4)),
      udp4(from, 99, "10.0.0.255", 7, ramp(5)),
    ]);
    driver.inject(ipv6Checksummed({ from: "fd00::2", to: "fd00::1", next: 17 }, udp(98, 7, ramp(6))));
    expect(heard).toEqual([
      "any: 3 from 10.0.0.2:99 to 10.0.0.1",
      "seven: 4 from 10.0.0.2:99 to 10.0.0.7",
      "any: 5 from 10.0.0.2:99 to 10.0.0.255",
      "any: 6 from fd00::2:98 to fd00::1",
    ]);
  });

  it("sends with a checksum, or leaves it to a device that finishes it", () => {
    const plain = bench();
    plain.stack.udp.bind({ port: 7, message: () => {} }).send(ramp(5), from, 99);
    const [packet] = plain.sent();
    const again = packet!.slice();
    finishTransportChecksum(again, 20);
    expect(again).toEqual(packet);
    expect(describe4(packet!).payload.subarray(8)).toEqual(ramp(5));

    const device = bench({ transmitChecksum: true });
    device.stack.udp.bind({ port: 7, message: () => {} }).send(ramp(5), from, 99);
    const [left] = device.driver.take();
    expect(left?.checksumPartial).toBe(true);
    finishTransportChecksum(left!.bytes, 20);
    expect(left!.bytes.subarray(20)).toEqual(packet!.subarray(20));
  });

  it("drops damaged datagrams, and takes unfinished and absent IPv4 checksums", () => {
    const { stack, driver } = bench();
    let count = 0;
    stack.udp.bind({ port: 7, message: () => count++ });
    const bare = ipv4({ from, to, protocol: 17 }, udp(9, 7, ramp(5)));
    driver.inject(bare);
    driver.inject(udp4(from, 9, to, 7, ramp(5)).map((byte, i) => (i === 30 ? byte ^ 1 : byte)));
    driver.inject(ipv4({ from, to, protocol: 17 }, concat(udp(9, 7, ramp(5)).subarray(0, 7))));
    const long = bare.slice();
    viewOf(long).setUint16(24, 14);
    driver.inject(long);
    const partial = bare.slice();
    viewOf(partial).setUint16(26, 0x1234);
    driver.inject(partial, { checksum: CHECKSUM_PARTIAL });
    const bare6 = ipv6Checksummed({ from: "fd00::2", to: "fd00::1", next: 17 }, udp(9, 7, ramp(5)));
    viewOf(bare6).setUint16(46, 0);
    driver.inject(bare6);
    expect(count).toBe(2);
    const { noSum, badSum, hdrOps, badLen } = stack.statistics.udp;
    expect({ noSum, badSum, hdrOps, badLen }).toEqual({ noSum: 1, badSum: 2, hdrOps: 1, badLen: 1 });
  });

  it("says port unreachable where nobody listens, unless told to be a black hole", () => {
    const { exchange, stack } = bench();
    const datagram = udp4(from, 9, to, 7, ramp(5));
    expect(describe4(exchange(datagram)[0]!).payload.subarray(0, 2)).toEqual(Uint8Array.of(3, 3));
    const datagram6 = ipv6Checksummed({ from: "fd00::2", to: "fd00::1", next: 17 }, udp(9, 7, ramp(5)));
    expect(describe6(exchange(datagram6)[0]!).payload.subarray(0, 2)).toEqual(Uint8Array.of(1, 4));
    expect(exchange(udp4(from, 9, "10.0.0.255", 7, ramp(5)))).toEqual([]);
    stack.sysctl.set("net.inet.udp.blackhole", true);
    expect(exchange(datagram)).toEqual([]);
    expect(stack.statistics.udp.noPort).toBe(3);
  });

  it("tells a socket what became of what it sent", () => {
    const { stack, sent, exchange } = bench();
    const errors: string[] = [];
    const socket = stack.udp.bind({
      message: () => {},
      error: (kind, address, port) => errors.push(`${kind} ${address}:${port}`),
    });
    socket.send(ramp(5), from, 53);
    exchange(ipv4({ from, to, protocol: 1 }, icmp(3, 3, 0, sent()[0]!)));
    expect(errors).toEqual(["unreachable-port 10.0.0.2:53"]);
  });

  it("refuses what cannot be", () => {
    const { stack } = bench();
    const socket = stack.udp.bind({ port: 7, message: () => {} });
    expect(() => stack.udp.bind({ port: 7, message: () => {} })).toThrow(/taken/);
    expect(() => stack.udp.bind({ port: 8, address: "10.0.0.9", message: () => {} })).toThrow(/not an address/);
    expect(() => stack.udp.bind({ port: 70000, message: () => {} })).toThrow(/port/);
    expect(socket.send(ramp(5), "10.0.0.255", 9)).not.toBe(0);
    expect(socket.send(new Uint8Array(65528), from, 9)).not.toBe(0);
    expect(socket.send(ramp(5), "8.8.8.8", 9)).not.toBe(0);
    socket.close();
    expect(socket.send(ramp(5), from, 9)).toBe(NOT_BOUND);
    expect(stack.udp.bind({ port: 7, message: () => {} }).port).toBe(7);
  });

  it("takes a free port that is not to be guessed", () => {
    const ports = [1, 2, 3].map((seed) => bench({ seed }).stack.udp.bind({ message: () => {} }).port);
    expect(new Set(ports).size).toBe(3);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(49152);
  });
});
