import { describe, expect, it } from "vitest";
import { Address } from "../../src/address.ts";
import { PROTOCOL_TCP } from "../../src/ip/protocol.ts";
import { attach, bench } from "./bench.ts";
import { concat, ethernet, fragmentHeader, ipv4, ipv6, mac, ramp } from "./packets.ts";

const from = "10.0.0.2";

describe("interfaces and routes of a stack", () => {
  it("keep a subnet on the link as long as one address of it is left", () => {
    const { stack, iface } = bench({ addresses: ["10.0.0.1/24", "10.0.0.7/24"] });
    const { w3 } = Address.parse(from);
    expect(iface.removeAddress("10.0.0.1")).toBe(true);
    expect(`${stack.ip.selectSource(stack.ip.route(0, 0, 0xffff, w3)!)}`).toBe("10.0.0.7");
    iface.removeAddress("10.0.0.7");
    expect(stack.ip.route(0, 0, 0xffff, w3)).toBeNull();
    expect(iface.removeAddress("10.0.0.7")).toBe(false);
  });

  it("refuse addresses that cannot be, or are there already", () => {
    const { stack, iface } = bench();
    for (const address of ["10.0.0.1/16", "224.0.0.1/24", "0.0.0.0/8", "::/64", "ff02::5/16"]) {
      expect(() => iface.addAddress(address)).toThrow(RangeError);
    }
    expect(() => attach(stack, "net0", "10.5.0.1/24")).toThrow(/exists already/);
    expect(() => attach(stack, "net8", "10.6.0.1/24", { mtu: 67 })).toThrow(/too small/);
    expect(() => attach(stack, "net9", "fd06::1/64", { mtu: 1279 })).toThrow(/needs an MTU of 1280/);
  });

  it("turn to another interface when a link goes down, and tell holders of routes by the generation", () => {
    const { stack, driver } = bench();
    const other = attach(stack, "net1", "10.0.1.1/24");
    stack.routes.add({ destination: "default", gateway: from });
    stack.routes.add({ destination: "default", gateway: "10.0.1.2" });
    const { w3 } = Address.parse("8.8.8.8");
    const held = stack.ip.route(0, 0, 0xffff, w3)!;
    expect(held.iface.name).toBe("net0");
    driver.setLink(false);
    expect(held.generation).not.toBe(stack.routes.generation);
    expect(stack.ip.route(0, 0, 0xffff, w3)?.iface.name).toBe("net1");
    const socket = stack.udp.bind({ message: () => {} });
    socket.send(ramp(4), "8.8.8.8", 9);
    expect(other.take().length).toBe(1);
  });

  it("send nothing by an interface that is down, and count it", () => {
    const { stack, iface, sent } = bench();
    iface.setUp(false);
    const socket = stack.udp.bind({ message: () => {} });
    expect(socket.send(ramp(4), from, 9)).not.toBe(0);
    expect(sent()).toEqual([]);
    expect([iface.statistics.oqDrops, stack.outstandingPackets]).toEqual([1, 0]);
  });

  it("keep the destination cache bounded", () => {
    const { stack, iface } = bench();
    stack.routes.add({ destination: "default", interface: iface });
    const first = stack.ip.route(0, 0, 0xffff, 0x01000000)!;
    for (let i = 1; i < 5000; i++) stack.ip.route(0, 0, 0xffff, 0x01000000 + i);
    expect(stack.ip.route(0, 0, 0xffff, 0x01000000)).not.toBe(first);
    expect(stack.ip.route(0, 0, 0xffff, 0x01000000 + 4999)).toBe(stack.ip.route(0, 0, 0xffff, 0x01000000 + 4999));
  });

  it("refuse super-segments that the device or the path does not take", () => {
    const { stack, driver } = bench({ transmitChecksum: true, segmentation4: 30_000 });
    const send = (payload: number, segmentSize: number): number => {
      const packet = stack.acquireOutbound();
      packet.protocol = PROTOCOL_TCP;
      packet.family = 4;
      packet.src0 = packet.src1 = packet.dst0 = packet.dst1 = 0;
      packet.src2 = packet.dst2 = 0xffff;
      packet.src3 = 0x0a000001;
      packet.dst3 = 0x0a000002;
      packet.transportLength = 20;
      packet.view.setUint16(packet.transportOffset + 12, 0x5010);
      packet.checksumOffset = 16;
      packet.segmentSize = segmentSize;
      packet.addSlice(ramp(payload), 0, payload);
      return stack.ip.output(packet, null);
    };
    expect(send(20_000, 1460)).toBe(0);
    expect(send(20_000, 1461)).not.toBe(0);
    expect(send(29_961, 1460)).not.toBe(0);
    expect(driver.take().map((packet) => [packet.segmentSize, packet.checksumPartial])).toEqual([[1460, true]]);
    expect(stack.outstandingPackets).toBe(0);
  });

  it("leave nothing armed behind when closed", async () => {
    const { stack, clock, driver, iface } = bench({ medium: "ethernet", macAddress: mac("02:00:00:00:00:01") });
    const frame = (type: number, packet: Uint8Array): Uint8Array =>
      ethernet("02:00:00:00:00:01", "02:00:00:00:00:02", type, packet);
    driver.inject([
      frame(0x0800, ipv4({ from, to: "10.0.0.1", more: true }, ramp(8))),
      frame(
        0x86dd,
        ipv6({ from: "fd00::2", to: "fd00::1", next: 44 }, concat(fragmentHeader(17, 0, true, 1), ramp(8))),
      ),
    ]);
    stack.ip.updatePathMtu(0, 0, 0xffff, 0x0a000002, 1000);
    stack.udp.bind({ message: () => {} }).send(ramp(4), from, 9);
    expect(clock.armed).toBeGreaterThan(0);
    await stack.close();
    expect([clock.armed, iface.up, stack.outstandingPackets]).toEqual([0, false, 0]);
    await stack.close();
  });
});
