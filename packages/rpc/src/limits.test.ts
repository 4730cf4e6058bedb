import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, resolveLimits } from "./limits.ts";

describe("resolveLimits", () => {
  it("fills in the defaults", () => {
    expect(resolveLimits()).toEqual(DEFAULT_LIMITS);
    expect(resolveLimits({ connections: 5 })).toEqual({ ...DEFAULT_LIMITS, connections: 5 });
  });

  it.each([
    { connections: 0 },
    { waitingCalls: -1 },
    { recordTimeoutMs: Number.NaN },
    { recordBytes: 9 << 20 },
    { memoryPerConnection: 1000 },
  ])("refuses %o", (limits) => {
    expect(() => resolveLimits(limits)).toThrow(RangeError);
  });
});
