import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BgpHost, BgpReport, BgpSession } from "./harness/bgp-host.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type ServerProcess, startServerProcess } from "./harness/process.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

const PASSWORD = "open sesame";
const BIRD = { 4: "10.98.0.1", 6: "fd98::1" } as const;

/** One session for each family, whoever calls, and whether we have BIRD's password. */
const sessions: (BgpSession & { family: 4 | 6; right: boolean })[] = [];
for (const family of [4, 6] as const) {
  for (const weCall of [true, false]) {
    for (const right of [true, false]) {
      const host = sessions.length + 2;
      sessions.push({
        name: `ipv${family}_${weCall ? "we_call" : "bird_calls"}_${right ? "right" : "wrong"}`,
        address: family === 4 ? `10.98.0.${host}` : `fd98::${host}`,
        peer: BIRD[family],
        password: right ? PASSWORD : "barley",
        family,
        weCall,
        right,
      });
    }
  }
}

/** BIRD's side of all of them; it has a route to tell. */
function birdConfiguration(): string {
  const bgp = sessions.map(
    ({ name, address, family, weCall }) => `
protocol bgp ${name} {
  local ${BIRD[family]} as 65000;
  neighbor ${address} as 65001;
  password "${PASSWORD}";
  passive ${weCall ? "yes" : "no"};
  hold time 3;
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 2;
  ipv${family} { import all; export all; };
}`,
  );
  return `
log stderr all;
router id 192.0.2.100;
protocol device {}
protocol static { ipv4; route 198.51.100.0/24 blackhole; }
protocol static { ipv6; route 2001:db8::/32 blackhole; }
${bgp.join("\n")}
`;
}

describe("BGP with BIRD, signed by RFC 2385, over our stack", () => {
  let namespace: Namespace;
  let scratch: ScratchDirectory;
  let speakers: ServerProcess;
  let bird: ServerProcess;

  beforeAll(async () => {
    scratch = createScratchDirectory("bgp");
    namespace = await createNamespace();
    const host: BgpHost = { kernel: [`${BIRD[4]}/24`, `${BIRD[6]}/64`], sessions };
    const main = fileURLToPath(new URL("./harness/bgp-host.ts", import.meta.url));
    const argv = [process.execPath, "--conditions=source", "--import", "tsx", main, JSON.stringify(host)];
    speakers = startServerProcess(argv, { namespace, name: "speakers" });
    await speakers.waitForLine(/^ready$/, { timeoutMs: 60_000 });
    const configuration = join(scratch.path, "bird.conf");
    writeFileSync(configuration, birdConfiguration());
    bird = startServerProcess(["bird", "-f", "-c", configuration, "-s", join(scratch.path, "bird.ctl")], { namespace });
    // Longer than the hold time, so that what is there by then is there to stay.
    await speakers.waitUntil(
      () => sessions.every(({ name, right }) => !right || (report()?.sessions[name]?.keepalives ?? 0) >= 5),
      { timeoutMs: 60_000 },
    );
  });

  afterAll(async () => {
    await bird?.stop();
    await speakers?.stop();
    await namespace?.close();
    scratch?.remove();
  });

  function report(): BgpReport | undefined {
    const last = speakers.stdout.split("\n").findLast((line) => line.startsWith("{") && line.endsWith("}"));
    return last === undefined ? undefined : (JSON.parse(last) as BgpReport);
  }

  async function birdc(...command: string[]): Promise<string> {
    return namespace.must(["birdc", "-s", join(scratch.path, "bird.ctl"), ...command]);
  }

  for (const { name, right, family } of sessions) {
    if (right) {
      it(`${name} is Established, stays so beyond the hold time, and carries routes`, async () => {
        expect(report()?.sessions[name]).toMatchObject({ state: "Established", signature: "md5" });
        expect(report()?.sessions[name]?.updates).toBeGreaterThan(0);
        expect(await birdc("show", "protocols", name)).toMatch(/\bEstablished\b/);
        if (family === 4) expect(await birdc("show", "route", "protocol", name)).toContain("203.0.113.0/24");
        expect(speakers.stdout).not.toMatch(new RegExp(`^${name} Idle`, "m"));
      });
    } else {
      it(`${name} never gets so far as an OPEN`, async () => {
        expect(report()?.sessions[name]).toMatchObject({ state: "Idle", updates: 0 });
        expect(await birdc("show", "protocols", name)).not.toMatch(/Open|Established/);
        expect(speakers.stdout).not.toMatch(new RegExp(`^${name} (Open|Established)`, "m"));
      });
    }
  }

  it("all of it went through our stack, signature by signature", async () => {
    const { packetsReceived = 0, sigRcvGoodSig = 0, sigRcvBadSig = 0 } = report() ?? {};
    expect(sigRcvGoodSig).toBeGreaterThan(40);
    expect(packetsReceived).toBeGreaterThanOrEqual(sigRcvGoodSig);
    // BIRD's calls with a password that is not ours.
    expect(sigRcvBadSig).toBeGreaterThan(0);
    // The kernel has none of our addresses, and so no socket there.
    const sockets = await namespace.must(["ss", "-tanH"]);
    for (const { address } of sessions)
      expect(sockets).not.toMatch(new RegExp(`^\\S+\\s+\\d+\\s+\\d+\\s+\\[?${address}\\]?:`, "m"));
  });
});
