import { Address, Prefix } from "@nfs4/netstack";
import { describe, expect, it } from "vitest";
import { contested, freeAddress, neighbourOf } from "./link-addresses.ts";

const prefixes = (...texts: string[]): Prefix[] => texts.map((text) => Prefix.parse(text));
const free = (start: number, ...taken: string[]): string | undefined =>
  freeAddress(start, prefixes(...taken))?.toString();
const neighbour = (own: string): string | undefined => neighbourOf(Prefix.parse(own))?.toString();

describe("free networks", () => {
  it("are looked for from where the server prefers, around the end", () => {
    expect(free(0)).toBe("10.78.0.2/24");
    expect(free(81)).toBe("10.78.81.2/24");
    expect(free(255, "10.78.255.0/24")).toBe("10.78.0.2/24");
  });

  it("keep clear of what overlaps, be it narrower or wider, and do not mind IPv6", () => {
    expect(free(0, "10.78.0.77/32", "10.78.1.0/30")).toBe("10.78.2.2/24");
    expect(free(0, "10.78.0.0/17", "fd00::1/64", "::/0")).toBe("10.78.128.2/24");
    expect(free(0, "10.0.0.0/8")).toBeUndefined();
  });
});

describe("a network that was told or kept", () => {
  const own = Prefix.parse("10.78.3.2/24");

  it("is contested by the same network or a part of it", () => {
    for (const text of ["10.78.3.1/24", "10.78.3.128/25", "10.78.3.9/32"])
      expect(contested(own, prefixes(text))?.toString()).toBe(text);
  });

  it("is not by a wider one, for the narrower route wins, nor by a neighbour", () => {
    expect(contested(own, prefixes("10.0.0.0/8", "10.78.2.1/24", "fd00::1/64"))).toBeUndefined();
  });
});

describe("the host's end of a link", () => {
  it("is the first host of the network that is not the stack", () => {
    expect(neighbour("10.1.2.7/24")).toBe("10.1.2.1");
    expect(neighbour("10.1.2.1/24")).toBe("10.1.2.2");
    expect(neighbour("10.1.2.6/30")).toBe("10.1.2.5");
    expect(neighbour("fd00:1::2/64")).toBe("fd00:1::1");
    expect(neighbour("fd00:1::1/64")).toBe("fd00:1::2");
  });

  it("is the other address where there are two (RFC 3021), and nobody where there is one", () => {
    expect(neighbour("10.1.2.6/31")).toBe("10.1.2.7");
    expect(neighbour("10.1.2.7/31")).toBe("10.1.2.6");
    expect(neighbour("10.1.2.7/32")).toBeUndefined();
    expect(neighbour("fd00::1/128")).toBeUndefined();
  });

  it("is in the same network, always", () => {
    for (let length = 8; length <= 31; length++) {
      const own = new Prefix(Address.parse("172.31.255.254"), length);
      const other = neighbourOf(own);
      expect(other && own.contains(other) && !other.equals(own.address)).toBe(true);
    }
  });
});
