import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { nativeAvailable } from "@nfs4/native";
import { afterAll, beforeAll, describe, expect } from "vitest";

interface Outcome {
  readonly name: string;
  readonly error: string | null;
  /** Through our TUN: the proof that it was our stack. */
  readonly packets: number;
}

/** Where it can be had: root on Linux. There it must not be missing. */
const able = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun");

/**
 * Tests of what a program beside this file, run in a network namespace of its own, tells line by line in JSON. `tests` is given the check that a
 * scenario has run, without an error and over our stack.
 */
export function describeInNamespace(
  title: string,
  program: string,
  tests: (check: (name: string) => void) => void,
): void {
  describe.runIf(able)(title, () => {
    const outcomes: Outcome[] = [];
    let complaints = "";
    let kill = (): void => {};

    beforeAll(async () => {
      expect(nativeAvailable()).toMatchObject({ ok: true });
      const main = fileURLToPath(new URL(program, import.meta.url));
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

    tests((name) => {
      const outcome = outcomes.find((candidate) => candidate.name === name);
      expect(outcome, `${name} did not run: ${complaints}`).toBeDefined();
      expect(outcome?.error).toBeNull();
      expect(outcome?.packets).toBeGreaterThan(0);
    });
  });
}
