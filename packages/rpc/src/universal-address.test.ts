import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { formatUniversalAddress, parseUniversalAddress } from "./universal-address.ts";

describe("universal addresses (RFC 5665 §5.2.3)", () => {
  it("reads the example of §5.2.3.3", () => {
    expect(parseUniversalAddress("tcp", "192.0.2.7.203.81")).toEqual({
      family: "IPv4",
      address: "192.0.2.7",
      port: 52049,
    });
  });

  it.each([
    ["::.0.111", "::", 111],
    ["::1.8.1", "::1", 2049],
    ["2001:DB8:0:0:8:800:200C:417A.8.1", "2001:db8::8:800:200c:417a", 2049],
    ["::ffff:192.0.2.7.8.1", "::ffff:c000:207", 2049],
    ["2001:db8::1:0:0:1.255.255", "2001:db8::1:0:0:1", 65535],
    ["1:0:0:2:0:0:0:3.0.0", "1:0:0:2::3", 0],
    ["fe80::.1.0", "fe80::", 256],
  ])("reads %s", (uaddr, address, port) => {
    expect(parseUniversalAddress("tcp6", uaddr)).toEqual({ family: "IPv6", address, port });
  });

  it.each([
    ["tcp", ""],
    ["tcp", "1.2.3.4"],
    ["tcp", "1.2.3.4.5"],
    ["tcp", "1.2.3.4.5.256"],
    ["tcp", "1.2.3.456.5.6"],
    ["tcp", "1.2.3.4.5.6.7"],
    ["tcp", "1.2.3.4.-5.6"],
    ["tcp", " 1.2.3.4.5.6"],
    ["tcp", "::1.8.1"],
    ["tcp6", "1:2:3:4:5:6:7.8.1"],
    ["tcp6", "1:2:3:4:5:6:7:8:9.8.1"],
    ["tcp6", "1::2::3.8.1"],
    ["tcp6", "1:2:3:4::5:6:7:8.8.1"],
    ["tcp6", "12345::.8.1"],
    ["tcp6", "1.2.3.4::.8.1"],
    ["tcp6", ":1:2:3:4:5:6:7.8.1"],
    ["udp", "1.2.3.4.5.6"],
    ["tcp", "1".repeat(100_000)],
  ])("refuses %s %s", (netid, uaddr) => {
    expect(parseUniversalAddress(netid, uaddr)).toBeNull();
  });

  it("has none for transports without IP", () => {
    expect(formatUniversalAddress({ family: "memory", address: "a", port: 1 })).toBeNull();
    expect(formatUniversalAddress({ family: "IPv4", address: "nonsense", port: 1 })).toBeNull();
  });

  test.prop([fc.ipV4(), fc.nat(65535)])("IPv4 comes back", (address, port) => {
    const { netid, uaddr } = formatUniversalAddress({ family: "IPv4", address, port })!;
    expect(parseUniversalAddress(netid, uaddr)).toEqual({ family: "IPv4", address, port });
  });

  test.prop([fc.ipV6(), fc.nat(65535)])("IPv6 comes back in canonical form", (address, port) => {
    const { netid, uaddr } = formatUniversalAddress({ family: "IPv6", address, port })!;
    const parsed = parseUniversalAddress(netid, uaddr)!;
    expect(new URL(`http://[${address}]/`).hostname).toBe(`[${parsed.address}]`);
    expect(parsed.port).toBe(port);
  });
});
