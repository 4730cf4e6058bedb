import { describe, expect, it } from "vitest";
import { cookieOf, offsetOf } from "./directory-pages.ts";

describe("cookies", () => {
  it("are offsets but for the reserved ones, there and back", () => {
    const offsets = [0n, 1n, 2n, 3n, 4n, 0x7fff_ffffn, 2n ** 32n, 2n ** 62n, 0x7fff_fffe_ffff_ffffn, 2n ** 63n - 1n];
    const cookies = offsets.map(cookieOf);
    for (const cookie of cookies) {
      expect(cookie).toBeGreaterThanOrEqual(3n);
      expect(cookie).toBeLessThan(2n ** 63n);
    }
    expect(new Set(cookies).size).toBe(offsets.length);
    expect(cookies.map(offsetOf)).toEqual(offsets);
  });

  it("0 is the beginning", () => {
    expect(offsetOf(0n)).toBe(0n);
  });
});
