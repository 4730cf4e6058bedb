import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Address, Prefix, scoped, unscoped } from "./address.ts";

const word = fc.oneof(fc.constant(0), fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff }));

describe("addresses", () => {
  it.each([
    ["2001:db8::1", "2001:db8::1"],
    ["2001:0DB8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["fe80::1%3", "fe80::1%3"],
    ["192.0.2.255", "192.0.2.255"],
  ])("prints %s as %s (RFC 5952 §4)", (text, canonical) => {
    expect(Address.parse(text).toString()).toBe(canonical);
  });

  it.each([
    "",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7:8::",
    "::1%1",
    "fe80::1%0",
    "fe80::1%eth0",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "1.2.3.4 ",
    "::1.2.3",
    "::1.2.3.4:1",
    "1:2:3:4:5:6:7::8",
  ])("refuses %j", (text) => {
    expect(Address.isAddress(text)).toBe(false);
  });

  test.prop([word, word, word, word])("parses what it prints", (w0, w1, w2, w3) => {
    const address = Address.fromWords(w0, w1, w2, w3);
    expect(Address.parse(address.toString()).equals(address)).toBe(true);
    expect(Address.fromBytes(address.toBytes()).is(unscoped(address.w0), w1, w2, w3)).toBe(true);
  });

  it("knows kinds of addresses", () => {
    expect(Address.parse("224.0.0.1").isMulticast).toBe(true);
    expect(Address.parse("ff02::1").isMulticast).toBe(true);
    expect(Address.parse("127.9.9.9").isLoopback).toBe(true);
    expect(Address.parse("::1").isLoopback).toBe(true);
    expect(Address.parse("fe80::1").isLinkLocal).toBe(true);
    expect(Address.parse("fec0::1").isLinkLocal).toBe(false);
    expect(Address.parse("0.0.0.0").isUnspecified).toBe(true);
    expect(Address.parse("::").isUnspecified).toBe(true);
  });

  it("carries the zone of link-scoped addresses within the stack only", () => {
    expect(scoped(0xfe800000, 3)).toBe(0xfe800003);
    expect(scoped(0xff020000, 3)).toBe(0xff020003);
    expect(scoped(0xff0e0000, 3)).toBe(0xff0e0000);
    expect(unscoped(0xfe800003)).toBe(0xfe800000);
    expect(Address.parse("fe80::1%3").toBytes().slice(0, 4)).toEqual(Uint8Array.of(0xfe, 0x80, 0, 0));
  });
});

describe("prefixes", () => {
  it("parses, masks and contains", () => {
    const prefix = Prefix.parse("10.1.2.3/20");
    expect(`${prefix.network}`).toBe("10.1.0.0/20");
    expect(`${prefix.broadcast}`).toBe("10.1.15.255");
    expect(prefix.contains(Address.parse("10.1.15.255"))).toBe(true);
    expect(prefix.contains(Address.parse("10.1.16.0"))).toBe(false);
    expect(Prefix.parse("fd00::1/64").contains(Address.parse("fd00::ffff"))).toBe(true);
    expect(Prefix.parse("10.0.0.0/31").broadcast).toBeNull();
    expect(`${Prefix.parse("default")}`).toBe("0.0.0.0/0");
    expect(`${Prefix.parse("::1")}`).toBe("::1/128");
  });

  it.each(["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/1.5", "x/8"])("refuses %s", (text) => {
    expect(() => Prefix.parse(text)).toThrow(RangeError);
  });
});
