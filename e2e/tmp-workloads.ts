/**
 * Runs workloads against NFS-Ganesha, so that a workload is known to be right before it judges our server:
 *
 *   node --import tsx e2e/run-workloads.ts [4.0|4.1|4.2] [name…]
 *
 * Prints how long each took, and exits with 1 if one failed.
 */

import { startGuest } from "./harness/guest.ts";
import { mountExport, type NfsVersion } from "./harness/mount.ts";
import { createNamespace } from "./harness/namespace.ts";
import { startServerProcess } from "./harness/process.ts";
import { catalogue } from "./workloads/catalogue.ts";
import type { WorkloadContext } from "./workloads/context.ts";
import { libnfs } from "./workloads/libnfs.ts";

const [version = "4.2", ...names] = process.argv.slice(2) as [NfsVersion?, ...string[]];
const traits = { version, seek: version === "4.2", allocate: version === "4.2", linkTimes: true };

await using namespace = await createNamespace();
const address = namespace.allocateAddress();
await using proc = startServerProcess(
  ["node", "--conditions=source", "--import", "tsx", "e2e/tmp-serve.ts", `${address}/24`],
  { namespace },
);
await proc.waitForLine(/serving/);
const server = { address, path: "/", source: `${address}:/` };
const chosen = [
  ...catalogue,
  {
    name: "libnfs",
    guests: 1,
    run: (ctx: WorkloadContext) => libnfs(ctx, { namespace, address: server.address, path: server.path }),
  },
].filter(({ name }) => names.length === 0 || names.includes(name));
const count = chosen.some(({ guests }) => guests === 2) ? 2 : 1;
const guests = await Promise.all(Array.from({ length: count }, () => startGuest({ namespace })));
const mounts = await Promise.all(guests.map((guest) => mountExport(guest, server.source, { version })));
const [first, second] = mounts.map(({ guest, path }) => ({ guest, mountPoint: path }));
if (!first) throw new Error("no guest");
const context: WorkloadContext = second ? { ...first, other: second } : first;

console.log(`NFS-Ganesha, NFS ${version}`);
try {
  for (const { name, run } of chosen) {
    const began = performance.now();
    const remarks = await run(context, traits).then(
      (text) => `ok    ${text.trim().replaceAll("\n", "; ")}`,
      (error: unknown) => {
        process.exitCode = 1;
        return `FAILED ${error instanceof Error ? error.message : String(error)}`;
      },
    );
    console.log(`${name.padEnd(18)} ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${remarks}`);
  }
  for (const mount of mounts) await mount.unmount();
  proc.signal("SIGUSR1");
  await new Promise((r) => setTimeout(r, 500));
  console.log(proc.stderr.slice(-6000));
} finally {
  const complaints = guests.flatMap((guest) => guest.kernelComplaints());
  if (complaints.length > 0) console.log(complaints.join("\n"));
  for (const guest of guests) await guest.stop();
}
