import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { nativeAvailable } from "@nfs4/native";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SCENARIOS } from "./scenarios.ts";

interface Outcome {
  readonly name: string;
  readonly error: string | null;
  /** That came in through our TUN: the proof that it was our stack. */
  readonly packets: number;
}

/** Where it can be had: root on Linux. There it must not be missing. */
const able = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun");

describe.runIf(able)("our TCP and the kernel's, over a TUN", () => {
  const outcomes: Outcome[] = [];
  let complaints = "";
  let kill = (): void => {};

  beforeAll(async () => {
    expect(nativeAvailable()).toMatchObject({ ok: true });
    const main = fileURLToPath(new URL("./main.ts", import.meta.url));
    // The namespace goes when the process does.
    const child = spawn("unshare", ["--net", process.execPath, "--conditions=source", "--import", "tsx", main]);
    kill = () => child.kill("SIGKILL");
    child.stderr.on("data", (bytes: Buffer) => {
      complaints += bytes.toString();
    });
    createInterface({ input: child.stdout }).on("line", (line) => outcomes.push(JSON.parse(line) as Outcome));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code, complaints).toBe(0);
  }, 600_000);

  afterAll(() => kill());

  const families = ["IPv4", "IPv6"];
  const openers = ["we open", "the kernel opens"];
  for (const family of families) {
    for (const opener of openers) {
      for (const scenario of SCENARIOS) {
        it(`${scenario.name}, ${family}, ${opener}`, () => check(`${scenario.name}, ${family}, ${opener}`));
      }
      const bulk = SCENARIOS[0]!.name;
      it(`${bulk}, ${family}, ${opener}, segment by segment`, () =>
        check(`${bulk}, ${family}, ${opener}, without offload`));
      it(`${bulk}, ${family}, ${opener}, over a bad road: loss, reordering, duplicates, damage and delay both ways`, () =>
        check(`${bulk}, ${family}, ${opener}, over a bad road`));
    }
  }

  function check(name: string): void {
    const outcome = outcomes.find((candidate) => candidate.name === name);
    expect(outcome, `${name} did not run: ${complaints}`).toBeDefined();
    expect(outcome?.error).toBeNull();
    expect(outcome?.packets).toBeGreaterThan(0);
  }
});
