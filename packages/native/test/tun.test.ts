import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nativeAvailable, openTun } from "../src/index.ts";

const leftOut = reasonToLeaveOut();
if (leftOut !== undefined) console.warn(`TUN and TAP devices are not tested: ${leftOut}`);

function reasonToLeaveOut(): string | undefined {
  const available = nativeAvailable();
  if (!available.ok) return available.reason;
  if (process.getuid?.() !== 0) return "only root may make network namespaces and devices";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "/dev/net/tun cannot be opened";
  }
  return spawnSync("unshare", ["-n", "true"]).status === 0 ? undefined : "unshare -n is refused";
}

function mirror(mode: "tun" | "tap"): Record<string, unknown> {
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  const script = fileURLToPath(new URL("./tun-mirror.ts", import.meta.url));
  const child = spawnSync("unshare", ["-n", process.execPath, tsx, script, mode], {
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(child.stderr).toBe("");
  return JSON.parse(child.stdout) as Record<string, unknown>;
}

describe.runIf(leftOut === undefined)("a device in a network namespace of its own", () => {
  it("TUN: carries IPv4 and IPv6 both ways, aligned, with offloads, gathered on sending", () => {
    const report = mirror("tun");
    expect(report).toMatchObject({
      name: "tun0",
      same4: 50,
      same6: 50,
      routed: 5,
      misaligned: 0,
      strays: [],
      afterClose: -9,
    });
    expect(report["offload"]).toSatisfy((flags: number) => (flags & 0x0f) === 0x0f);
    expect(report["addresses"]).toEqual(["10.77.0.1/24", "253.119.0.0.0.0.0.0.0.0.0.0.0.0.0.1/64"]);
    expect(report["routes"]).toEqual(expect.arrayContaining(["10.77.0.0/24", "10.78.0.0/16"]));
    // One callback and two reads (the second finds nothing) for each packet of a ping-pong: no storm.
    expect(report["wakeUps"]).toBe(105);
    expect(report["statistics"]).toMatchObject({
      receivedPackets: 105,
      sentPackets: 105,
      sendCalls: 105,
      receiveCalls: 210,
    });
  });

  it("TAP: carries Ethernet frames, ARP among them", () => {
    expect(mirror("tap")).toMatchObject({ name: "tap0", same4: 50, routed: 5, misaligned: 0, strays: [] });
  });

  it("refuses a name that is too long", () => {
    expect(() => openTun({ name: "x".repeat(16), mode: "tun", vnetHeader: false, offload: 0 })).toThrow(TypeError);
  });
});
