import { describe, expect, it } from "vitest";
import { hasCapability, refuseWithoutMeans } from "./means.ts";

describe("means", () => {
  it("are effective capabilities, not permitted ones", () => {
    const status = (effective: string): string =>
      `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t0\n`;
    expect(hasCapability(status("0000000000001000"), 12n)).toBe(true);
    expect(hasCapability(status("000001ffffffefff"), 12n)).toBe(false);
    expect(hasCapability(status("0000000000000000"), 12n)).toBe(false);
    expect(hasCapability("Name:\tnode\n", 12n)).toBe(false);
  });

  it("are not needed for the kernel's sockets", () => {
    expect(() => refuseWithoutMeans({ transport: "host" })).not.toThrow();
  });
});
