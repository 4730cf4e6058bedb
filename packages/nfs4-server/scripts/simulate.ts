/**
 * Clients and server over bad links, with crashes, on a disk that loses what was not synced; a line for each seed:
 *   npm run simulate -w packages/nfs4-server -- [--seeds 1000] [--from 1]
 */
import { parseArgs } from "node:util";
import { simulate } from "../test/simulation/simulation.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "1000" }, from: { type: "string", default: "1" } },
});
const [seeds, from] = [Number(values.seeds), Number(values.from)];

let failed = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const before = process.cpuUsage();
  try {
    const { seconds, crashes, partitions, repeated, replays, reclaimed, lost, diskErrors, hash } = await simulate({
      seed,
    });
    const { user, system } = process.cpuUsage(before);
    const told = { crashes, partitions, repeated, replays, reclaimed, lost, "disk errors": diskErrors };
    const words = Object.entries(told).map(([name, count]) => `${name} ${count}`);
    console.log(
      `${seed}: ${seconds.toFixed(0)} s in ${((user + system) / 1e6).toFixed(2)} s, ${words.join(", ")}; ${hash}`,
    );
  } catch (error) {
    failed++;
    console.log(`${seed}: FAILED: ${error instanceof Error ? error.stack : String(error)}`);
    console.log(`   again: npm run simulate -w packages/nfs4-server -- --seeds 1 --from ${seed}`);
  }
}
console.log(failed === 0 ? `all ${seeds} seeds: every promise was kept` : `${failed} of ${seeds} seeds failed`);
process.exitCode = failed === 0 ? 0 : 1;
