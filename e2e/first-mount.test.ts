import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Guest, startGuest } from "./harness/guest.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type ServerProcess, startServerProcess } from "./harness/process.ts";

describe("first mount: the guest's kernel, our stack over TAP, memory", () => {
  let namespace: Namespace;
  let server: ServerProcess;
  let guest: Guest;
  let address: string;

  beforeAll(async () => {
    namespace = await createNamespace();
    address = namespace.allocateAddress();
    server = startServerProcess(
      [
        "node",
        "--conditions=source",
        "--import",
        "tsx",
        "packages/cli/src/bin.ts",
        "serve",
        "--memory",
        "--tap",
        "--bridge",
        namespace.bridge,
        "--address",
        `${address}/24`,
        "--no-root-squash",
      ],
      { namespace, name: "nfs4 serve" },
    );
    await server.waitForLine(/serving/);
    guest = await startGuest({ namespace });
  });

  afterAll(async () => {
    await guest?.stop();
    await server?.stop();
    await namespace?.close();
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
    console.log(output, server.stderr);
    expect(output).toContain(`over ${version}\n`);
  });
});
