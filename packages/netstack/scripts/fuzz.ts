/**
 * Scripts of hostile segments against every state, for as long as one likes; what breaks something is shrunk and printed, and comes again with its seed:
 *   npm run fuzz -w packages/netstack -- [--minutes 5 | --rounds 1] [--seed 1] [--length 60]
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { play } from "../test/tcp/fuzz/play.ts";
import { scripts } from "../test/tcp/fuzz/steps.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    rounds: { type: "string" },
    seed: { type: "string", default: "1" },
    length: { type: "string", default: "60" },
  },
});
const RUNS = 1000;
const end = process.uptime() + Number(values.minutes) * 60;
const first = Number(values.seed);
const rounds = values.rounds === undefined ? Number.POSITIVE_INFINITY : Number(values.rounds);
let failed = 0;
let seed = first;
for (; seed < first + rounds && (values.rounds !== undefined || process.uptime() < end); seed++) {
  const property = fc.asyncProperty(scripts(undefined, Number(values.length)), play);
  const details = await fc.check(property, { numRuns: RUNS, seed });
  if (!details.failed) continue;
  failed++;
  console.log(`seed ${seed}, path ${details.counterexamplePath}: ${String(details.errorInstance)}`);
  console.log(JSON.stringify(details.counterexample, null, 1));
}
console.log(
  `${(seed - first) * RUNS} scripts, seeds ${first} to ${seed - 1}: ${failed === 0 ? "nothing broke" : `${failed} seeds broke something`}`,
);
process.exitCode = failed === 0 ? 0 : 1;
