import { describe, expect, it } from "vitest";
import { SysctlTree } from "./sysctl.ts";

describe("sysctl", () => {
  it("applies settings when their owner registers them, and knows those that nobody owns", () => {
    const tree = new SysctlTree({ "net.a": 7, "net.b": 1, "net.typo": 1 });
    const a = tree.number("net.a", 1, { description: "a" });
    const b = tree.boolean("net.b", false, { description: "b" });
    expect([a.value, b.value]).toEqual([7, true]);
    expect(tree.unknown).toEqual(["net.typo"]);
  });

  it("refuses wrong types, bounds, names and writes", () => {
    const tree = new SysctlTree();
    const seen: number[] = [];
    tree.number("net.a", 1, { description: "a", minimum: 0, maximum: 9, onChange: (value) => seen.push(value) });
    tree.string("net.s", "x", { description: "s", choices: ["x", "y"] });
    tree.number("net.r", 1, { description: "r", readOnly: true });
    tree.set("net.a", 9);
    expect(seen).toEqual([9]);
    expect(() => tree.set("net.a", 10)).toThrow("net.a must be from 0 to 9, not 10");
    expect(() => tree.set("net.a", Number.NaN)).toThrow(RangeError);
    expect(() => tree.set("net.a", "9")).toThrow("net.a is a number");
    expect(() => tree.set("net.s", "z")).toThrow("one of x, y");
    expect(() => tree.set("net.r", 2)).toThrow("read only");
    expect(() => tree.get("net.none")).toThrow("no such sysctl");
    expect(() => tree.number("net.a", 1, { description: "again" })).toThrow("registered already");
    expect(() => new SysctlTree({ "net.a": "x" }).number("net.a", 1, { description: "a" })).toThrow(RangeError);
  });

  it("describes", () => {
    const tree = new SysctlTree();
    tree.number("net.b", 1, { description: "the b", minimum: 0 });
    tree.number("net.a", 2, { description: "the a" });
    tree.number("kern.c", 3, { description: "the c" });
    expect(tree.list("net.").map((entry) => entry.name)).toEqual(["net.a", "net.b"]);
    expect(tree.describe("net.b")).toEqual({
      name: "net.b",
      value: 1,
      initial: 1,
      description: "the b",
      readOnly: false,
      minimum: 0,
    });
  });
});
