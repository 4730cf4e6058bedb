import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Guest, startGuest } from "./harness/guest.ts";
import { mountExport, type NfsVersion } from "./harness/mount.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type BridgedServer, startNfs4Server } from "./harness/nfs4-server.ts";
import { watchPassage } from "./harness/passage.ts";

describe("first mount: the guest's kernel, our stack over TAP, memory", () => {
  let namespace: Namespace;
  let server: BridgedServer;
  let guest: Guest;

  beforeAll(async () => {
    namespace = await createNamespace();
    server = await startNfs4Server(namespace, { fileSystem: "memory" });
    guest = await startGuest({ namespace });
  });

  afterAll(async () => {
    await guest?.stop();
    await server?.stop();
    await namespace?.close();
  });

  test.each<NfsVersion>(["4.1", "4.2", "4.0"])("NFS %s", async (version) => {
    const mount = await mountExport(guest, server.source, { version });
    const passage = await watchPassage(namespace, server, [mount]);
    const output = await guest.must(`
      cd ${mount.path}
      echo "over ${version}" > file
      head -c 3000000 /dev/urandom > /tmp/random
      cp /tmp/random random
      drop_caches
      cmp /tmp/random random || fail "not what was written"
      cat file
      ls -la
      rm file random
    `);
    expect(output).toContain(`over ${version}\n`);
    const { sent, received } = await passage.assertThroughOurStack();
    expect(sent).toBeGreaterThan(3_000_000);
    expect(received).toBeGreaterThan(3_000_000);
    await mount.unmount();
    expect(server.complaints).toEqual([]);
    expect(guest.kernelComplaints()).toEqual([]);
  });
});
