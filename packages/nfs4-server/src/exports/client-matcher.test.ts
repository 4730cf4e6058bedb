import { expect, it } from "vitest";
import { clientMatcher } from "./client-matcher.ts";

it("matches addresses and prefixes of both families, and nothing that is no address", () => {
  const matcher = clientMatcher(["10.1.0.0/16", "192.0.2.7", "fd00::/8"]);
  for (const address of ["10.1.2.3", "192.0.2.7", "fd12::1"]) expect(matcher.matches(address)).toBe(true);
  for (const address of ["10.2.0.1", "192.0.2.8", "fe80::1", "memory"]) expect(matcher.matches(address)).toBe(false);
});

it("gives the same verdict again, however many addresses were asked about", () => {
  const matcher = clientMatcher(["10.0.0.0/16"]);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3000; i++) {
      expect(matcher.matches(`10.${i & 1}.${i >> 8}.${i & 255}`)).toBe((i & 1) === 0);
    }
  }
});

it.each(["10.0.0.0/33", "10.0.0.0/", "host", "10.0.0.0/8/8"])("refuses %s", (pattern) => {
  expect(() => clientMatcher([pattern])).toThrow(RangeError);
});
