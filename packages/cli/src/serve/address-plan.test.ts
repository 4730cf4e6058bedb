import { describe, expect, it } from "vitest";
import { freePlan, hostAddressBeside } from "./address-plan.ts";

const network = (text: string, prefixLength: number) => ({
  address: Uint8Array.from(text.split("."), Number),
  prefixLength,
});

describe("the address plan", () => {
  it("takes the first free network", () => {
    expect(freePlan(0, [])).toEqual({ address: "10.78.0.2/24", hostAddress: "10.78.0.1" });
    expect(freePlan(255, [network("10.78.255.0", 24)])?.address).toBe("10.78.0.2/24");
  });

  it("keeps clear of what overlaps, be it smaller or larger", () => {
    expect(freePlan(0, [network("10.78.0.77", 32), network("10.78.1.0", 30)])?.address).toBe("10.78.2.2/24");
    expect(freePlan(0, [network("10.78.0.0", 17)])?.address).toBe("10.78.128.2/24");
    expect(freePlan(0, [network("10.0.0.0", 8)])).toBeNull();
  });

  it("knows the other end of a link", () => {
    expect(hostAddressBeside("10.1.2.7/24")).toBe("10.1.2.1");
    expect(hostAddressBeside("10.1.2.1/24")).toBe("10.1.2.2");
  });
});
