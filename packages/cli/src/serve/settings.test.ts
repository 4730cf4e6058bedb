import { describe, expect, it } from "vitest";
import { addressAndPort, checkForm } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";

/** "key: message" of what is thrown. */
function refusal(settings: unknown): string {
  try {
    checkForm(settings);
  } catch (error) {
    if (error instanceof SettingsError) return `${error.key}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("the form of settings", () => {
  it("takes what makes sense", () => {
    const settings = {
      exports: [
        { directory: "/srv", path: "/data", id: 7, readOnly: true, clients: ["10.0.0.0/8", "fd00::1", "*"] },
        { memory: true, squash: "all", anonymousUid: 99, anonymousGid: 99 },
      ],
      transport: "tap",
      address: "10.0.0.2/24",
      address6: "fd00::2/64",
      gateway: "10.0.0.1",
      device: "nfs4-7",
      bridge: "br0",
      mtu: 9000,
      port: 2049,
      stateDirectory: "/var/lib/nfs4/x",
      leaseSeconds: 90,
      graceSeconds: 90,
      stopSeconds: 0,
      timecounter: "tsc",
      pcap: "out.pcapng",
      odd: "odd",
      admin: "[::1]:9049",
    };
    expect(checkForm(settings)).toEqual(settings);
    expect(checkForm({})).toEqual({});
    expect(checkForm({ admin: false })).toEqual({ admin: false });
  });

  it.each([
    [{ port: 0 }, /^port: .*>=1/],
    [{ port: 65_536 }, /^port: .*<=65535/],
    [{ port: "2049" }, /^port: .*expected number/],
    [{ mtu: 1000 }, /^mtu: .*>=1280/],
    [{ exports: [] }, /^exports: /],
    [{ exports: [{ directory: "" }] }, /^exports\.0\.directory: /],
    [{ exports: [{ memory: true }, { memory: true, path: "data" }] }, /^exports\.1\.path: .*"\/"/],
    [{ exports: [{ memory: true, id: 65_536 }] }, /^exports\.0\.id: /],
    [{ exports: [{ memory: true, squash: "most" }] }, /^exports\.0\.squash: .*"root"\|"all"\|"none"/],
    [
      { exports: [{ memory: true, clients: ["10.0.0.0/33"] }] },
      /^exports\.0\.clients\.0: .*prefix such as 10\.0\.0\.0\/8/,
    ],
    [{ exports: [{ memory: true, clients: [] }] }, /^exports\.0\.clients: /],
    [{ address6: "10.0.0.1/24" }, /^address6: .*IPv6/],
    [{ gateway: "10.0.0.256" }, /^gateway: must be an IP address/],
    [{ device: "a name with spaces" }, /^device: must be 1 to 15 characters/],
    [{ admin: true }, /^admin: must be address:port/],
    [{ admin: "127.0.0.1:70000" }, /^admin: must be address:port/],
    [{ transport: "wifi" }, /^transport: /],
    [{ prot: 2049 }, /^prot: there is no such setting/],
    [{ exports: [{ memory: true, readonly: true }] }, /^exports\.0\.readonly: there is no such setting/],
    ["hello", /^null: .*expected object/],
    [[], /^null: .*expected object/],
    [null, /^null: .*expected object/],
  ])("refuses %j and names the place", (settings, message) => {
    expect(refusal(settings)).toMatch(message);
  });
});

describe("address and port", () => {
  it("are told apart, IPv6 in brackets", () => {
    expect(addressAndPort("127.0.0.1:80")).toEqual({ host: "127.0.0.1", port: 80 });
    expect(addressAndPort("[fd00::1]:80")).toEqual({ host: "fd00::1", port: 80 });
    expect(addressAndPort("localhost:0")).toEqual({ host: "localhost", port: 0 });
    for (const wrong of ["80", ":80", "fd00::1:80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999"])
      expect(addressAndPort(wrong)).toBeNull();
  });
});
