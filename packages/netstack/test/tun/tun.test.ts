/** The host kernel as neighbour, over a real TUN and a real TAP, each in a network namespace of its own. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nativeAvailable } from "@nfs4/native";
import { describe, expect, it } from "vitest";
import { readCapture } from "../../src/capture-reader.ts";

const run = promisify(execFile);

/** Why it cannot be tested here, or null. As root on Linux nothing is an excuse. */
function obstacle(): string | null {
  if (process.platform !== "linux") return "not on Linux";
  if (process.getuid?.() !== 0) return "not root";
  if (!existsSync("/dev/net/tun")) return "no /dev/net/tun";
  return null;
}

/** A ping program of the host. */
function pingCommand(): string[] {
  if (spawnSync("ping", ["-V"]).status === 0) return ["ping"];
  if (spawnSync("busybox", ["ping", "--help"]).error === undefined) return ["busybox"];
  throw new Error("neither ping nor busybox is here: apt-get install busybox-static");
}

const why = obstacle();
if (why !== null) console.warn(`TUN and TAP against the host kernel are not tested: ${why}`);

interface Result {
  readonly pings: Record<string, string>;
  readonly echoes: boolean[];
  readonly refused: string[];
  readonly statistics: Record<string, Record<string, number>>;
  readonly driver: { receiveErrors: number; transmitDrops: number };
  readonly outstanding: number;
  readonly capture: string;
}

describe.runIf(why === null)("the host kernel as neighbour", () => {
  it.each(["tun", "tap"] as const)("over a %s: ping, UDP, fragments and errors, IPv4 and IPv6", async (mode) => {
    const available = nativeAvailable();
    if (!available.ok) throw new Error(available.reason);
    const child = fileURLToPath(new URL("child.ts", import.meta.url));
    const node = [
      process.execPath,
      "--conditions=source",
      "--import",
      "tsx",
      child,
      mode,
      JSON.stringify(pingCommand()),
    ];
    const { stdout } = await run("unshare", ["--net", ...node], { timeout: 60_000, maxBuffer: 1 << 24 });
    const result = JSON.parse(stdout) as Result;
    expect(result.pings).toEqual({
      "4/56": "answered",
      "6/56": "answered",
      "4/3000": "answered",
      "6/3000": "answered",
    });
    expect(result.echoes).toEqual([true, true, true, true]);
    expect(result.refused).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
    expect([result.driver.receiveErrors, result.driver.transmitDrops, result.outstanding]).toEqual([0, 0, 0]);
    const { ip, ip6, icmp, icmp6, arp, udp } = result.statistics as Record<string, Record<string, number>>;
    expect([ip!["reassembled"], ip6!["reassembled"], icmp!["outEchoReply"], icmp6!["outEchoReply"]]).toEqual([
      2, 2, 2, 2,
    ]);
    expect([udp!["badSum"], icmp!["checksum"], icmp6!["checksum"], ip!["badSum"]]).toEqual([0, 0, 0, 0]);
    if (mode === "tap") expect([arp!["txReplies"]! > 0, icmp6!["outNeighborAdvert"]! > 2]).toEqual([true, true]);
    const packets = [...readCapture(Buffer.from(result.capture, "base64"))];
    expect(packets.length).toBeGreaterThan(40);
  });
});
