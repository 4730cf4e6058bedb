import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MD5_SCENARIOS } from "./md5-scenarios.ts";

interface Outcome {
  readonly name: string;
  readonly error: string | null;
  /** Through our TUN, both ways: the proof that it was our stack. A kernel that refuses says nothing. */
  readonly packets: number;
}

const able = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun");

describe.runIf(able)("signed connections with the kernel's TCP_MD5SIG, over a TUN", () => {
  const outcomes: Outcome[] = [];
  let complaints = "";
  let kill = (): void => {};

  beforeAll(async () => {
    const main = fileURLToPath(new URL("./md5-main.ts", import.meta.url));
    // The namespace goes when the process does.
    const child = spawn("unshare", ["--net", process.execPath, "--conditions=source", "--import", "tsx", main]);
    kill = () => child.kill("SIGKILL");
    child.stderr.on("data", (bytes: Buffer) => {
      complaints += bytes.toString();
    });
    createInterface({ input: child.stdout }).on("line", (line) => outcomes.push(JSON.parse(line) as Outcome));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code, complaints).toBe(0);
  }, 300_000);

  afterAll(() => kill());

  for (const family of ["IPv4", "IPv6"]) {
    for (const opener of ["we open", "the kernel opens"]) {
      for (const scenario of MD5_SCENARIOS) {
        const name = `${scenario}, ${family}, ${opener}`;
        it(name, () => {
          const outcome = outcomes.find((candidate) => candidate.name === name);
          expect(outcome, `it did not run: ${complaints}`).toBeDefined();
          expect(outcome?.error).toBeNull();
          expect(outcome?.packets).toBeGreaterThan(0);
        });
      }
    }
  }
});
