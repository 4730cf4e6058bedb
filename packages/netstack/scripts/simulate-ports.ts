/**
 * Ways to choose ephemeral ports beside each other, under several loads, in virtual time:
 *   npm run simulate:ports -w packages/netstack -- [--connections 200000] [--seed 1]
 */
import { parseArgs } from "node:util";
import { METHODS, type PortLoad, simulatePorts } from "../test/tcp/port-simulation.ts";

const { values } = parseArgs({
  options: { connections: { type: "string", default: "200000" }, seed: { type: "string", default: "1" } },
});
const common = { seed: Number(values.seed), connections: Number(values.connections), ports: 55_536, quiet: 60 };
const loads: PortLoad[] = [
  { ...common, rate: 50, life: 1 },
  { ...common, rate: 500, life: 1 },
  { ...common, rate: 500, life: 20 },
  { ...common, rate: 740, life: 1 },
  { ...common, rate: 1500, life: 1 },
];
console.log("| connections/s | life | rate × quiet / ports | method | taken early | shortest rest | looks | memory |");
console.log("|---|---|---|---|---|---|---|---|");
for (const load of loads) {
  const share = ((load.rate * load.quiet) / load.ports).toFixed(2);
  for (const method of Object.keys(METHODS) as (keyof typeof METHODS)[]) {
    const { method: name, early, shortestRest, looks, bytes } = simulatePorts(method, load);
    const cells = [
      load.rate,
      `${load.life} s`,
      share,
      name,
      `${(100 * early).toFixed(2)} %`,
      `${shortestRest.toFixed(1)} s`,
      looks.toFixed(2),
      `${(bytes / 1024).toFixed(1)} KiB`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
