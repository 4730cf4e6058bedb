import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCapture } from "../harness/capture.ts";
import { assertNoKernelSocket, isRunning, kernelSockets } from "../harness/checks.ts";
import { type Ganesha, startGanesha } from "../harness/ganesha.ts";
import { type Guest, startGuest } from "../harness/guest.ts";
import { mountExport } from "../harness/mount.ts";
import { createNamespace, listNamespaces, type Namespace } from "../harness/namespace.ts";
import { createScratchDirectory, type ScratchDirectory } from "../harness/scratch.ts";
import { assertCleanCapture, countErrors, decodeCapture } from "../harness/tshark.ts";

describe("a guest and a server that is not ours", () => {
  let namespace: Namespace;
  let server: Ganesha;
  let guest: Guest;
  let scratch: ScratchDirectory;
  let directory: string;

  beforeAll(async () => {
    scratch = createScratchDirectory("test");
    directory = scratch.path;
    namespace = await createNamespace();
    [server, guest] = await Promise.all([startGanesha(namespace), startGuest({ namespace })]);
  });

  afterAll(async () => {
    await guest?.stop();
    await server?.stop();
    await namespace?.close();
    scratch?.remove();
  });

  test.each(["4.0", "4.1", "4.2"])("NFS %s: mount, write, read, unmount, and the capture decodes", async (version) => {
    const capture = await startCapture(namespace, join(directory, `${version}.pcap`));
    const output = await guest.must(`
      nfs_mount ${server.source} /mnt/nfs ${version} || fail mount
      grep -q ' /mnt/nfs nfs4 .*vers=${version},' /proc/mounts || fail "not mounted with ${version}"
      echo "over ${version}" > /mnt/nfs/file
      head -c 3000000 /dev/urandom > /tmp/random
      cp /tmp/random /mnt/nfs/random
      drop_caches
      cmp /tmp/random /mnt/nfs/random || fail "not what was written"
      cat /mnt/nfs/file
      cat /mnt/nfs/missing && fail "a file that is not there"
      rm /mnt/nfs/file /mnt/nfs/random
      ls -A /mnt/nfs
      nfs_unmount /mnt/nfs || fail unmount
    `);
    await capture.stop();
    expect(output).toBe(`over ${version}\ncat: /mnt/nfs/missing: No such file or directory\n`);

    const report = await decodeCapture(capture.file);
    // Opening and looking up what is not there (yet) is what the script did; the second looks for the pseudo root's file system.
    assertCleanCapture(report, /^(OPEN|LOOKUP) NFS4ERR_NOENT$/);
    expect(report.operations.get("WRITE")).toBeGreaterThanOrEqual(3);
    expect(report.operations.get("READ")).toBeGreaterThanOrEqual(3);
    expect([...countErrors(report).keys()].join()).toContain("NFS4ERR_NOENT");
    expect(report.replies).toBeGreaterThan(20);
    expect(guest.kernelComplaints()).toEqual([]);
  });

  test("kernel sockets are found where there are some", async () => {
    expect(await kernelSockets(namespace)).toContainEqual({ localPort: 2049, remotePort: 0, listening: true });
    await expect(assertNoKernelSocket(namespace, 2049)).rejects.toThrow(/TCP socket\(s\) at port 2049/);
    await assertNoKernelSocket(namespace, 2050);
  });

  test("scripts run side by side, with their own output and status", async () => {
    const results = await Promise.all([0, 1, 2, 3].map((n) => guest.run(`echo ${n}; sleep 0.${n}; exit ${n}`)));
    expect(results).toEqual([0, 1, 2, 3].map((n) => ({ code: n, output: `${n}\n` })));
  });

  test("a script that takes too long is killed with all its children, and says what it printed", async () => {
    const late = guest.run("echo begun; sleep 1234 & sleep 1234", { timeoutMs: 500 });
    await expect(late).rejects.toThrow(/killed after \d+ ms[\s\S]*begun/);
    expect((await guest.run("pgrep -f 'sleep 1234' | grep -v $$")).output).toBe("");
  });

  test("files go in and come out, and a directory of the host can be shared", async () => {
    const data = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    await guest.writeFile("/tmp/data", data);
    expect(new Uint8Array(await guest.readFile("/tmp/data"))).toEqual(data);
    const shared = await guest.share(directory);
    await guest.must(`echo from the guest > ${shared}/note`);
    expect(existsSync(join(directory, "note"))).toBe(true);
  });

  test("two guests at once reach each other, and a panic of one is told by name", async () => {
    const addresses = [`${namespace.allocateAddress()}/24`, "fd00::2/64"];
    const second = await startGuest({ namespace, name: "second", addresses });
    await guest.must(`busybox ping -c 1 -W 2 ${second.address}`);
    await namespace.must(["ip", "addr", "add", "fd00::1/64", "dev", namespace.bridge, "nodad"]);
    const overIpv6 = await mountExport(second, "[fd00::1]:/export", { version: "4.2" });
    await overIpv6.unmount();
    const dying = second.run("echo c > /proc/sysrq-trigger; sleep 10");
    await expect(dying).rejects.toThrow(/second died: Kernel panic - not syncing: sysrq triggered crash/);
    await expect(second.run("true")).rejects.toThrow(/second died/);
    expect(second.kernelComplaints().join()).toContain("Kernel panic");
    await second.stop();
    expect((await guest.run("hostname")).output).toBe("guest1\n");
  });

  test("a closed namespace is gone with what ran inside", async () => {
    const other = await createNamespace({ network: "10.98.0" });
    const sleeper = await other.run(["sh", "-c", "sleep 1000 > /dev/null 2>&1 & echo $!"]);
    expect(listNamespaces()).toContain(other.name);
    await other.close();
    expect(listNamespaces()).not.toContain(other.name);
    expect(isRunning(Number(sleeper.stdout))).toBe(false);
  });
});
