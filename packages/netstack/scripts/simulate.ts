/**
 * Two stacks over bad links, 100 MB each way and seed, every byte compared:
 *   npm run simulate -w packages/netstack -- [--seeds 200] [--first 1] [--bytes 100000000]
 */
import { parseArgs } from "node:util";
import { simulate } from "../test/tcp/simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    bytes: { type: "string", default: "100000000" },
  },
});
const [seeds, first, bytes] = [Number(values.seeds), Number(values.first), Number(values.bytes)];

console.log("seed   virtual s    Mbit/s   segments  retransmitted  timeouts   CPU s");
let failed = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const before = process.cpuUsage();
  try {
    const result = await simulate({ seed, bytes });
    const { user, system } = process.cpuUsage(before);
    const rate = (bytes * 16) / 1e6 / result.seconds;
    const columns = [
      String(seed).padStart(4),
      result.seconds.toFixed(2).padStart(11),
      rate.toFixed(1).padStart(9),
      String(result.segments).padStart(10),
      `${((100 * result.retransmitted) / result.segments).toFixed(2)} %`.padStart(14),
      String(result.timeouts).padStart(9),
      ((user + system) / 1e6).toFixed(1).padStart(7),
    ];
    console.log(columns.join(" "));
  } catch (error) {
    failed++;
    console.log(`${String(seed).padStart(4)} FAILED: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
console.log(failed === 0 ? `all ${seeds} seeds: every byte in order` : `${failed} of ${seeds} seeds failed`);
process.exitCode = failed === 0 ? 0 : 1;
