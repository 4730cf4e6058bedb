#!/usr/bin/env node
/**
 * What each package must bring along to be published: who it is, what it needs, where it is entered (from source and compiled), a licence and a README, and no
 * tests. Packages of this house depend on each other's present versions.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { license, engines } = readJson(join(root, "package.json"));
const folders = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
const manifests = new Map(folders.map((folder) => [folder, readJson(join(folder, "package.json"))]));
const versions = new Map([...manifests.values()].map(({ name, version }) => [name, version]));
const problems = [];

for (const [folder, manifest] of manifests) {
  const require = (condition, what) => condition || problems.push(`${manifest.name}: ${what}`);
  for (const key of ["name", "version", "description"]) require(manifest[key], `no "${key}"`);
  require(manifest.license === license, `its license is not ${license}`);
  require(manifest.type === "module", `"type" is not "module"`);
  require(manifest.engines?.node === engines.node, `its engines are not node ${engines.node}`);
  for (const file of ["README.md", "LICENSE"]) require(existsSync(join(folder, file)), `no ${file}`);
  for (const pattern of ["dist", "src", "!dist/.tsbuildinfo", "!src/**/*.test.ts"])
    require(manifest.files?.includes(pattern), `"files" lacks "${pattern}"`);
  require(manifest.exports?.["."], `"exports" has no "."`);
  for (const [path, conditions] of Object.entries(manifest.exports ?? {})) {
    const { source = "", types, default: compiled } = conditions;
    const inDist = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "");
    require(existsSync(join(folder, source)) && source !== "", `the source of "${path}" is not there`);
    require(types === `${inDist}.d.ts` && compiled === `${inDist}.js`, `"${path}" is not what its source compiles to`);
    require(Object.keys(conditions)[0] === "source", `"source" is not the first condition of "${path}"`);
  }
  for (const [command, file] of Object.entries(manifest.bin ?? {})) {
    const source = join(folder, file.replace(/^(\.\/)?dist\//, "src/").replace(/\.js$/, ".ts"));
    require(existsSync(source) &&
      readFileSync(source, "utf8").match(
        /^#!\/usr\/bin\/env (node|-S node .+)\n/,
      ), `the command ${command} does not start with a line that calls node by env`);
  }
  for (const [name, wanted] of Object.entries(manifest.dependencies ?? {}))
    require(wanted === (versions.get(name) ?? wanted), `depends on ${name} ${wanted}, which is ${versions.get(name)}`);
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`${manifests.size} packages have what they need`);

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
