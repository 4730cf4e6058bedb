/** Runs every scenario within a network namespace that the caller made (`unshare -n`); prints one line of JSON for each. */
import { BAD_ROAD } from "./bad-road.ts";
import { LITTLE_BULK, SCENARIOS, type Scenario } from "./scenarios.ts";
import { openTunStack, type TunStack } from "./tun-stack.ts";
import { type Family, type Opener, World } from "./world.ts";

/** Nothing takes nearly so long, even on a machine that is busy with other things. */
const MOST_SECONDS = 120;
const only = process.argv[2];
let port = 5000;
await runAll(await openTunStack(), SCENARIOS, "");
// Without offload only what depends on it.
await runAll(await openTunStack({ offload: false }), SCENARIOS.slice(0, 1), ", without offload");
await runAll(await openTunStack({ offload: false, impairments: BAD_ROAD }), [LITTLE_BULK], ", over a bad road");
process.exit(0);

async function runAll(tun: TunStack, scenarios: readonly Scenario[], how: string): Promise<void> {
  for (const family of [4, 6] as Family[]) {
    for (const opener of ["ours", "kernel"] as Opener[]) {
      for (const scenario of scenarios) {
        const name = `${scenario.name}, IPv${family}, ${opener === "ours" ? "we open" : "the kernel opens"}${how}`;
        if (only !== undefined && !name.includes(only)) continue;
        const world = new World(tun, family, opener, port++);
        let error: string | null = null;
        const before = tun.iface.driver.statistics.packetsReceived;
        const started = performance.now();
        try {
          await world.begin();
          await deadline(scenario.run(world));
        } catch (thrown) {
          error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
          error += `\n${JSON.stringify([...tun.stack.tcp.connections()].slice(0, 3))}\n${JSON.stringify(nonZero(tun.stack.tcp.statistics))}`;
        }
        world.end();
        const packets = tun.iface.driver.statistics.packetsReceived - before;
        console.log(JSON.stringify({ name, error, packets, ms: Math.round(performance.now() - started) }));
      }
    }
  }
  await tun.close();
}

function nonZero(counters: object): object {
  return Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0));
}

function deadline(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`did not finish in ${MOST_SECONDS} s`)), MOST_SECONDS * 1000);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
