import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Address, Prefix } from "./address.ts";
import type { NetworkInterface } from "./interface.ts";
import { RoutingTable } from "./routing-table.ts";

function fakeInterface(up = true): NetworkInterface {
  return { up } as unknown as NetworkInterface;
}

/** Few distinct bits, so that prefixes nest. */
const ipv4 = fc
  .array(fc.constantFrom(0, 1, 10, 128, 255), { minLength: 4, maxLength: 4 })
  .map((b) => Address.parse(b.join(".")));
const ipv6 = fc
  .array(fc.constantFrom("0", "1", "fd00", "8000", "ffff"), { minLength: 8, maxLength: 8 })
  .map((g) => Address.parse(g.join(":")))
  .filter((address) => address.family === 6);
const prefix = fc.oneof(
  fc.tuple(ipv4, fc.nat(32)).map(([address, length]) => new Prefix(address, length).network),
  fc.tuple(ipv6, fc.nat(128)).map(([address, length]) => new Prefix(address, length).network),
);

describe("the routing table", () => {
  test.prop([
    fc.uniqueArray(prefix, { maxLength: 40, selector: String }),
    fc.array(fc.oneof(ipv4, ipv6), { minLength: 1, maxLength: 20 }),
    fc.nat(0xffff),
    fc.nat(),
  ])("finds the longest match, as looking at every route does", (prefixes, destinations, seed, removeAt) => {
    const table = new RoutingTable(seed);
    const through = fakeInterface();
    const entries = prefixes.map((destination) => table.add({ destination, interface: through }));
    const removed = entries.splice(entries.length > 0 ? removeAt % entries.length : 0, 1)[0];
    if (removed !== undefined) expect(table.remove(removed)).toBe(true);
    for (const d of destinations) {
      const fitting = entries.filter((entry) => entry.destination.family === d.family && entry.destination.contains(d));
      fitting.sort((a, b) => b.destination.length - a.destination.length);
      expect(table.lookup(d.w0, d.w1, d.w2, d.w3)).toBe(fitting[0] ?? null);
    }
    expect(new Set(table)).toEqual(new Set(entries));
  });

  it("takes the first of equal routes whose interface is up", () => {
    const table = new RoutingTable();
    const down = table.add({ destination: "10.0.0.0/8", interface: fakeInterface(false) });
    const up = table.add({ destination: "10.0.0.0/8", interface: fakeInterface() });
    const { w0, w1, w2, w3 } = Address.parse("10.1.1.1");
    expect(table.lookup(w0, w1, w2, w3)).toBe(up);
    expect(table.lookup(w0, w1, w2, w3, down.interface)).toBe(down);
    table.remove(up);
    expect(table.lookup(w0, w1, w2, w3)).toBe(down);
  });

  it("finds the interface of a gateway", () => {
    const table = new RoutingTable();
    const link = fakeInterface();
    table.add({ destination: "10.0.0.0/24", interface: link });
    expect(table.add({ destination: "default", gateway: "10.0.0.1" }).interface).toBe(link);
    expect(() => table.add({ destination: "::/0", gateway: "fd00::1" })).toThrow(/on no link/);
    expect(() => table.add({ destination: "::/0", gateway: "10.0.0.1" })).toThrow(/family/);
    expect(() => table.add({ destination: "default", gateway: "10.0.0.1" })).toThrow(/already/);
  });

  it("counts a generation with every change", () => {
    const table = new RoutingTable();
    const before = table.generation;
    const entry = table.add({ destination: "10.0.0.0/24", interface: fakeInterface() });
    expect(table.generation).toBe(before + 1);
    table.remove(entry);
    expect(table.generation).toBe(before + 2);
    expect(table.remove(entry)).toBe(false);
  });
});
