#!/usr/bin/env node
/**
 * The floors of the house (docs/architecture.md): which package may import which. Biome finds cycles between files; this finds imports that run
 * upward, that reach into another package's inside, or that package.json does not declare.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Package folder → workspace packages that its sources may import. Tests may import any. */
const ALLOWED = {
  xdr: [],
  native: [],
  timecounter: [],
  bytestream: ["@nfs4/timecounter"],
  netstack: ["@nfs4/bytestream", "@nfs4/native", "@nfs4/timecounter"],
  rpc: ["@nfs4/bytestream", "@nfs4/timecounter", "@xdr-ts/xdr"],
  "nfs4-protocol": ["@xdr-ts/xdr"],
  "nfs4-server": [
    "@nfs4/bytestream",
    "@nfs4/native",
    "@nfs4/protocol",
    "@nfs4/rpc",
    "@nfs4/timecounter",
    "@xdr-ts/xdr",
  ],
  "nfs4-client": ["@nfs4/bytestream", "@nfs4/protocol", "@nfs4/rpc", "@nfs4/timecounter", "@xdr-ts/xdr"],
  admin: [],
  cli: [
    "@nfs4/admin",
    "@nfs4/bytestream",
    "@nfs4/client",
    "@nfs4/native",
    "@nfs4/netstack",
    "@nfs4/protocol",
    "@nfs4/rpc",
    "@nfs4/server",
    "@nfs4/timecounter",
  ],
};

const problems = [];
let checked = 0;

for (const [folder, allowed] of Object.entries(ALLOWED)) {
  const base = join(root, "packages", folder);
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(base, "package.json"), "utf8"));
  for (const file of sourcesIn(join(base, "src"))) {
    checked++;
    const where = relative(root, file);
    for (const specifier of importsOf(readFileSync(file, "utf8"))) {
      if (specifier.startsWith(".")) {
        if (relative(base, join(dirname(file), specifier)).startsWith(".."))
          problems.push(`${where}: "${specifier}" leaves its package`);
        continue;
      }
      if (specifier.startsWith("node:")) continue;
      const parts = specifier.split("/");
      const target = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
      if (/^@(nfs4|xdr-ts)\//.test(target)) {
        if (target === name) problems.push(`${where}: imports its own package by name`);
        else if (!allowed.includes(target)) problems.push(`${where}: ${name} must not know ${target}`);
        else if (specifier !== target) problems.push(`${where}: "${specifier}" reaches into another package's inside`);
      }
      if (target !== name && !(target in dependencies))
        problems.push(`${where}: "${target}" is not among the package's dependencies`);
    }
  }
}

for (const folder of readdirSync(join(root, "packages"))) {
  if (!(folder in ALLOWED) && existsSync(join(root, "packages", folder, "package.json")))
    problems.push(`packages/${folder} has no floor: name it in scripts/check-imports.mjs`);
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`imports run downward in ${checked} files`);

function sourcesIn(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((file) => file.endsWith(".ts") && !/\.(test|bench)\.ts$/.test(file));
}

/** Module specifiers of import and re-export statements, static and dynamic. */
function importsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
  const found = code.matchAll(/^(?:import|export)\s(?:[^"';=()]*\sfrom\s)?\s*"([^"]+)";?$|\bimport\("([^"]+)"\)/gm);
  return [...found].map((match) => match[1] ?? match[2]);
}
