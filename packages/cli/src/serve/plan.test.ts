import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { planExports, refuseContradictions } from "./plan.ts";
import type { ExportSettings, Settings } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SettingsError) return `${error.key}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("settings that contradict each other", () => {
  const cases: [Settings, RegExp][] = [
    [{ bridge: "br0", address: "10.0.0.2/24" }, /^bridge: means nothing with a TUN device, only with a TAP device$/],
    [{ transport: "tap", bridge: "br0" }, /^bridge: give --address, too/],
    [{ transport: "host", address6: "fd00::2/64" }, /^address6: means nothing with the kernel's sockets/],
    [{ transport: "host", pcap: "x" }, /^pcap: means nothing/],
    [{ transport: "host", mtu: 9000 }, /^mtu: means nothing/],
    [
      { transport: "uml", socket: "/s", device: "tun7" },
      /^device: means nothing with a User-mode Linux guest's socket/,
    ],
    [{ socket: "/s" }, /^socket: means nothing with a TUN device/],
    [{ transport: "uml" }, /^transport: "uml" needs the path of a socket/],
    [{ transport: "qemu" }, /^transport: "qemu" needs the path of a socket/],
    [{ address: "10.0.0.2" }, /^address: "10\.0\.0\.2" is no IPv4 address with its prefix length/],
    [{ address: "10.0.0.300/24" }, /^address: "10\.0\.0\.300\/24" is no IPv4/],
    [{ address: "10.0.0.2/33" }, /^address: .*is no IPv4/],
    [{ address: "fd00::2/64" }, /^address: .*is no IPv4/],
    [{ address: "10.0.0.0/24" }, /^address: 10\.0\.0\.0 is the network 10\.0\.0\.0\/24 itself/],
    [{ address: "10.0.0.255/24" }, /^address: 10\.0\.0\.255 is .*broadcast/],
    [{ address: "224.0.0.1/24" }, /^address: 224\.0\.0\.1 cannot be/],
    [{ address: "127.0.0.2/8" }, /^address: 127\.0\.0\.2 cannot be/],
    [
      { address: "10.0.0.2/24", gateway: "10.0.1.1" },
      /^gateway: 10\.0\.1\.1 is not in the stack's own network, 10\.0\.0\.0\/24$/,
    ],
    [{ address6: "fd00::2/64", gateway: "fd01::1" }, /^gateway: fd01::1 is not in/],
  ];
  it.each(cases)("%j", (settings, message) => {
    expect(refusal(() => refuseContradictions(settings))).toMatch(message);
  });

  const sound: Settings[] = [
    {},
    { address: "10.0.0.6/31" },
    { address: "10.0.0.2/24", gateway: "10.0.0.9" },
    { address6: "fd00::2/64", gateway: "fe80::1" },
    { transport: "tap", bridge: "br0", address: "10.0.0.2/24", device: "x", mtu: 9000 },
    { transport: "host", address: "localhost" },
    { transport: "uml", socket: "/s", pcap: "x" },
  ];
  it.each(sound)("and %j does not", (settings) => {
    expect(refusal(() => refuseContradictions(settings))).toBe("accepted");
  });
});

describe("exports", () => {
  const plan = (...exports: ExportSettings[]) => planExports({ exports }).map(({ path, source }) => [path, source]);

  it("are the current directory if nobody says anything", () => {
    expect(planExports({})).toEqual([{ directory: ".", path: "/", source: resolve(".") }]);
  });

  it("are at the root if there is one, else at their names", () => {
    expect(plan({ directory: "/srv/a" })).toEqual([["/", "/srv/a"]]);
    expect(plan({ directory: "/srv/a" }, { directory: "/srv/b/" }, { memory: true })).toEqual([
      ["/a", "/srv/a"],
      ["/b", "/srv/b"],
      ["/memory", null],
    ]);
    expect(plan({ directory: "/srv/a", path: "/x/y" }, { memory: true, path: "/z" })).toEqual([
      ["/x/y", "/srv/a"],
      ["/z", null],
    ]);
  });

  it("need different paths, and one thing behind each", () => {
    expect(refusal(() => plan({ directory: "/a/x" }, { directory: "/b/x" }))).toBe(
      'exports.1: clients would see it at /x, where exports.0 is: give one another "path"',
    );
    expect(refusal(() => plan({ directory: "/a", memory: true }))).toMatch(/^exports\.0: either/);
    expect(refusal(() => plan({ memory: true }, { readOnly: true }))).toMatch(/^exports\.1: it needs a "directory"/);
    expect(refusal(() => plan({ memory: false }))).toMatch(/^exports\.0: it needs a "directory"/);
  });
});
