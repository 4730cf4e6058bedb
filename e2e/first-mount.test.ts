import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Guest, startGuest } from "./harness/guest.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type ServerProcess, startServerProcess } from "./harness/process.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

describe("first mount: the guest's kernel, our stack over TAP, memory", () => {
  let namespace: Namespace;
  let server: ServerProcess;
  let guest: Guest;
  let state: ScratchDirectory;
  let address: string;

  beforeAll(async () => {
    namespace = await createNamespace();
    address = namespace.allocateAddress();
    state = createScratchDirectory("state");
    server = startServerProcess(
      [
        "node",
        "packages/cli/dist/bin.js",
        "serve",
        "--memory",
        "--tap",
        ...["--bridge", namespace.bridge],
        ...["--address", `${address}/${namespace.prefixLength}`],
        ...["--squash", "none"],
        ...["--state-dir", state.path],
      ],
      { namespace, name: "nfs4 serve" },
    );
    await server.waitForLine(/^mount with/);
    guest = await startGuest({ namespace });
  });

  afterAll(async () => {
    await guest?.stop();
    await server?.stop();
    await namespace?.close();
    state?.remove();
  });

  test.each(["4.1", "4.2", "4.0"])("NFS %s", async (version) => {
    const output = await guest.must(`
      nfs_mount ${address}:/ /mnt/nfs ${version} || fail mount
      echo "over ${version}" > /mnt/nfs/file
      head -c 3000000 /dev/urandom > /tmp/random
      cp /tmp/random /mnt/nfs/random
      drop_caches
      cmp /tmp/random /mnt/nfs/random || fail "not what was written"
      cat /mnt/nfs/file
      ls -la /mnt/nfs
      rm /mnt/nfs/file /mnt/nfs/random
      nfs_unmount /mnt/nfs || fail unmount
    `);
    expect(output).toContain(`over ${version}\n`);
  });
});
