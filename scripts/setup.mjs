#!/usr/bin/env node
/**
 * Brings a fresh clone to where it can run: npm packages, the native addon, and (for the tests, as root on Debian) system packages.
 * Quick when there is nothing to do. Plain Node: it runs before anything is installed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamps = join(root, "node_modules", ".cache", "nfs4");

/** Installs what package-lock.json names, if it is not what is installed. */
export function installPackages() {
  const wanted = digest([join(root, "package-lock.json")]);
  if (existsSync(join(root, "node_modules", "typescript")) && readStamp("packages") === wanted) return;
  say("installing npm packages");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  // The Node 24 for tests must not become the `node` of every npm script.
  rmSync(join(root, "node_modules", ".bin", "node"), { force: true });
  writeStamp("packages", wanted);
}

/** What node-gyp calls, and the Debian packages that have it. */
const BUILD_TOOLS = { cc: "gcc", "g++": "g++", make: "make", python3: "python3" };

/** As root on Debian, installs what the addon is built with; elsewhere the build says what it misses. */
function ensureBuildTools() {
  const missing = Object.keys(BUILD_TOOLS).filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const packages = missing.map((tool) => BUILD_TOOLS[tool]);
  say(`installing ${packages.join(", ")} to build the native addon`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages, "libc6-dev"];
  for (const args of [["update"], install]) spawnSync("apt-get", ["-q", ...args], { env, stdio: ["ignore", 2, 2] });
}

/** Builds the addon if its sources have changed. Without it `--host` still works, and our own stack has no device. */
export function buildAddon() {
  const native = join(root, "packages", "native");
  const sources = [join(native, "binding.gyp"), ...filesIn(join(native, "src")).filter((file) => /\.[ch]$/.test(file))];
  const wanted = digest(sources);
  const built = join(native, "build", "Release", "nfs4_native.node");
  if (existsSync(built) && readStamp("addon") === wanted) return true;
  if (process.platform !== "linux") return false;
  ensureBuildTools();
  say("building the native addon");
  const result = spawnSync("npm", ["run", "--silent", "build", "-w", "packages/native"], {
    cwd: root,
    encoding: "utf8",
  });
  if (result.status !== 0) {
    say(`the native addon could not be built, so only --host will work:\n${result.stdout}${result.stderr}`);
    return false;
  }
  writeStamp("addon", wanted);
  return true;
}

/** Compiles what has changed since the last time, as far as file times tell. */
export function buildPackages() {
  const compiled = join(root, "packages", "cli", "dist", "bin.js");
  const wanted = compiledFrom();
  if (existsSync(compiled) && readStamp("compiled") === wanted) return;
  say("compiling");
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-b", "packages/cli"], { cwd: root, stdio: "inherit" });
  if (status === 0) return writeStamp("compiled", wanted);
  if (!existsSync(compiled)) process.exit(status ?? 1);
  say("the types have mistakes (above); what was compiled is used all the same");
}

/** Changes whenever a file that is compiled, or one that says how, does. */
function compiledFrom() {
  const packages = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  const sources = packages.flatMap((folder) => [
    join(folder, "tsconfig.json"),
    ...filesIn(join(folder, "src")).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts")),
  ]);
  const hash = createHash("sha256");
  for (const file of [join(root, "tsconfig.base.json"), ...sources]) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest("hex");
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) {
    say(`"${command} ${args.join(" ")}" failed`);
    process.exit(result.status ?? 1);
  }
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function filesIn(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((file) => statSync(file).isFile())
    .sort();
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function readStamp(name) {
  const file = join(stamps, name);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

function writeStamp(name, value) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(join(stamps, name), value);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages();
  buildAddon();
  buildPackages();
}
