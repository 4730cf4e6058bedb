// Builds the addon with node-gyp: `npm run build -w packages/native`. Only what has changed is compiled, unless what is there does not load
// (it was built for another system). Headers already on the machine are used where there are
// any, so that no download is needed: the addon speaks Node-API 8 only, so headers of any Node ≥ 20 give the same binary.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(dirname(fileURLToPath(import.meta.url)));

if (process.platform !== "linux") {
  console.error(`@nfs4/native is for Linux; on ${process.platform} nothing is built and what needs it says so.`);
  process.exit(0);
}

const nodeGyp = createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
const prefixes = [dirname(dirname(process.execPath)), "/usr"];
const nodedir = prefixes.find((prefix) => existsSync(join(prefix, "include/node/node_api.h")));
const args = [
  ...(loads() ? ["configure", "build"] : ["rebuild"]),
  ...(nodedir === undefined ? [] : [`--nodedir=${nodedir}`]),
];
const { status, error } = spawnSync(process.execPath, [nodeGyp, ...args], { cwd: here, stdio: "inherit" });
if (error !== undefined) console.error(`node-gyp could not be started: ${error.message}`);
process.exit(status ?? 1);

function loads() {
  try {
    createRequire(import.meta.url)("../build/Release/nfs4_native.node");
    return true;
  } catch {
    return false;
  }
}
