import { describe, expect, test } from "vitest";
import { combinations, isFullRun } from "./harness/matrix.ts";
import { recorded, useSite } from "./harness/workload-tests.ts";
import { crashUnderWrites } from "./workloads/crash-under-writes.ts";
import { serverCrash } from "./workloads/server-crash.ts";

/** What is in memory is gone with the server, so this is about directories only. */
const onDirectories = combinations("4.0 local", "4.1 local").filter(({ fileSystem }) => fileSystem === "local");

describe("kill -9 of the server, and a new one on the same state", () => {
  for (const combination of onDirectories) {
    describe(`NFS ${combination.version}, ${combination.fileSystem} file system`, () => {
      const site = useSite({ ...combination, guests: 2, leaseSeconds: 10 });

      test("writers carry on, locks are reclaimed, what was synced is there", (context) =>
        recorded(context, combination, "server crash", () =>
          serverCrash(site().context, { crash: () => site().server.crash(), crashes: isFullRun ? 3 : 1 }),
        ));

      test("a file is whole although the server was killed while it was written", (context) =>
        recorded(context, combination, "crash under writes", () =>
          crashUnderWrites(site().context, { crash: () => site().server.crash() }),
        ));

      test("what follows goes through our stack, out of grace", async () => {
        const { context, server, watchPassage } = site();
        const passage = await watchPassage();
        await context.guest.must(`echo after > ${context.mountPoint}/after && rm ${context.mountPoint}/after`);
        await passage.assertThroughOurStack();
        expect((await server.metrics()).get("nfs4_in_grace")).toBe(0);
      });
    });
  }
});
