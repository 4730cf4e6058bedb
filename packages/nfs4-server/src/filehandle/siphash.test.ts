import { describe, expect, it } from "vitest";
import { SipHash } from "./siphash.ts";

const key = Uint8Array.from({ length: 16 }, (_, i) => i);

function hashOf(length: number): string {
  const out = new Uint8Array(8);
  new SipHash(key).hash(
    Uint8Array.from({ length }, (_, i) => i),
    length,
    out,
    0,
  );
  return Array.from(out, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("SipHash-2-4", () => {
  it("gives the reference vectors of the paper's authors", () => {
    expect(hashOf(0)).toBe("310e0edd47db6f72");
    expect(hashOf(1)).toBe("fd67dc93c539f874");
    expect(hashOf(7)).toBe("37d1018bf50002ab");
    expect(hashOf(8)).toBe("6224939a79f5f593");
    // Appendix A of the paper: 15 bytes, a129ca6149be45e5 as a number.
    expect(hashOf(15)).toBe("e545be4961ca29a1");
  });
});
