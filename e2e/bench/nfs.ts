/**
 * NFS of `nfs4 serve`, over our stack and on kernel sockets, beside NFS-Ganesha's, in one run (docs/benchmarks.md). As root, compiled:
 *
 *   node --import tsx e2e/bench/nfs.ts [--seconds 1] [--rounds 3] [--profile DIR] [case…]
 *
 * With `--profile` our servers leave a CPU profile each in that directory.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createNamespace } from "../harness/namespace.ts";
import { startServerProcess } from "../harness/process.ts";
import { createScratchDirectory } from "../harness/scratch.ts";
import { makeFiles } from "./files.ts";
import type { Measurement, Order } from "./load.ts";
import { startOpponents } from "./opponents.ts";
import { nfsTable } from "./table.ts";

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    profile: { type: "string" },
  },
  allowPositionals: true,
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);

await using namespace = await createNamespace();
using scratch = createScratchDirectory("bench");
chmodSync(scratch.path, 0o755);
const directory = join(scratch.path, "served");
mkdirSync(directory);
makeFiles(directory);
const nodeFlags = values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
const contest = await startOpponents(namespace, directory, scratch.path, nodeFlags);
try {
  const order: Order = { opponents: contest.opponents, directory, seconds, rounds, only: positionals };
  const generator = fileURLToPath(new URL("./load.ts", import.meta.url));
  const load = startServerProcess([process.execPath, "--import", "tsx", generator, JSON.stringify(order)], {
    namespace,
    name: "load generator",
  });
  const { code } = await load.ended;
  if (code !== 0) throw new Error(`the load generator failed\n${load.stderr}`);
  const measurements = load.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Measurement);
  console.log(`medians of ${rounds} rounds of ${seconds} s, alternating; the server's CPU time for each\n`);
  console.log(nfsTable(measurements));
} finally {
  await contest.stop();
}
