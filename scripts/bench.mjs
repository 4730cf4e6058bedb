#!/usr/bin/env node
/**
 * `npm run bench`: sets up what is missing and compares the project with its peers, as docs/benchmarks.md tells: TCP over a TUN beside Node's `net`, and NFS
 * beside NFS-Ganesha. `npm run bench -- nfs` and `-- tcp` run a part; `--write` puts the tables into that page. Plain Node: it runs before anything is installed.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensurePackages, whyNoE2e } from "../e2e/setup/packages.mjs";
import { buildAddon, buildPackages, installPackages } from "./setup.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const page = join(root, "docs", "benchmarks.md");
const PARTS = {
  tcp: ["--conditions=source", "--import", "tsx", "packages/netstack/bench/tun.ts", "--seconds", "2", "--rounds", "2"],
  nfs: ["--import", "tsx", "e2e/bench/nfs.ts", "--seconds", "1", "--rounds", "3"],
};
const SYSTEM_PACKAGES = ["iproute2", "util-linux", "nfs-ganesha", "nfs-ganesha-vfs"];

const { values, positionals } = parseArgs({ options: { write: { type: "boolean" } }, allowPositionals: true });
const unknown = positionals.find((part) => !(part in PARTS));
if (unknown !== undefined) fail(`there is no part "${unknown}", only ${Object.keys(PARTS).join(" and ")}`);
const reason = whyNoE2e();
if (reason) fail(`the benchmarks cannot run here: ${reason}`);
installPackages();
if (!buildAddon()) fail("the native addon could not be built");
buildPackages();
ensurePackages(SYSTEM_PACKAGES);

for (const part of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const before = `load average before ${loadavg()[0]?.toFixed(1)}`;
  console.log(`\n=== ${part}, on ${machine()}, ${before}`);
  const output = await run(PARTS[part]);
  if (values.write) write(part, `${machine()}, ${before}; ${output.trim()}`);
}

/** Shows what it prints, and gives it. */
function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
    process.stdout.write(text);
  });
  return new Promise((resolve) =>
    child.once("close", (status) => (status === 0 ? resolve(printed) : fail(`it ended with ${status}`))),
  );
}

function write(part, result) {
  const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) fail(`${page} has no place for ${part}`);
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(page, `${text.slice(0, from)}${begin}\n${date}, ${result}\n${text.slice(to)}`);
}

function machine() {
  const processors = cpus();
  const model = processors[0]?.model ?? "unknown processor";
  return `${processors.length} × ${model}, Linux ${release()}, Node ${process.versions.node}`;
}

function fail(why) {
  console.error(`bench: ${why}`);
  process.exit(1);
}
