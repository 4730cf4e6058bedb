/** The tables of docs/sysctls-and-counters.md, out of a server and a stack that are there. */
import type { Metric } from "@nfs4/admin";
import { createStack, MemoryLink } from "@nfs4/netstack";
import { createServer, MemoryFileSystem } from "@nfs4/server";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { adminSource } from "../../src/serve/admin-source.ts";
import { row } from "./generated-part.ts";

export interface Observed {
  readonly metrics: readonly Metric[];
  readonly sysctls: ReturnType<ReturnType<typeof createStack>["sysctl"]["list"]>;
}

/** Everything that a server on our stack tells. */
export async function observe(): Promise<Observed> {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const stack = createStack({ name: "nfs4", clock, random });
  stack.addInterface({ name: "net0", driver: new MemoryLink(clock).a }).addAddress("10.78.0.2/24");
  const fileSystem = new MemoryFileSystem({ now: () => clock.wall() });
  const server = await clock.runToSettle(createServer({ clock, random, exports: [{ path: "/", fileSystem }] }));
  const usage = (): { residentBytes: number; cpuSeconds: number } => ({ residentBytes: 1, cpuSeconds: 1 });
  const observed = {
    metrics: adminSource({ server, stack, clock, usage }).metrics(),
    sysctls: stack.sysctl.list(),
  };
  await clock.runToSettle(server.close());
  await clock.runToSettle(stack.close());
  return observed;
}

export function countersTable(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ help, kind, labels = [], name }) => {
    const shown = labels.length === 0 ? name : `${name}{${labels.join(",")}}`;
    return row(`\`${shown}\``, kind, help);
  });
  return [row("Metric", "Kind", "Counts"), "|---|---|---|\n", ...rows].join("");
}

export function sysctlsTable(sysctls: Observed["sysctls"]): string {
  const rows = sysctls.map(({ description, initial, maximum, minimum, name }) => {
    const range = minimum === undefined && maximum === undefined ? "" : `${minimum ?? ""} … ${maximum ?? ""}`;
    return row(`\`${name}\``, String(initial), range, description);
  });
  return [row("Name", "Default", "Range", "Is"), "|---|---|---|---|\n", ...rows].join("");
}
