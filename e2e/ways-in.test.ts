import { createHash, randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertNoKernelSocket, kernelListens, kernelSockets } from "./harness/checks.ts";
import { must } from "./harness/command.ts";
import { type Guest, startGuest } from "./harness/guest.ts";
import { Metrics } from "./harness/metrics.ts";
import { mountExport } from "./harness/mount.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { AS_NOBODY, build, type Nfs4Server, startNfs4 } from "./harness/nfs4-command.ts";
import { bytesReceived } from "./harness/passage.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

const SIZE = 3_000_000;
const script = (name: string): string => fileURLToPath(new URL(`./ways-in/${name}`, import.meta.url));
/** By its path, for programs that run elsewhere. */
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const FROM_SOURCE = [process.execPath, "--conditions=source", "--import", tsx];

/** The ways in of docs/ways-in.md, one test each. */
describe("ways in", () => {
  let namespace: Namespace;
  let scratch: ScratchDirectory;
  let guest: Guest;
  let data: string;
  let state: string;
  let sum: string;
  let number = 0;

  beforeAll(async () => {
    build();
    namespace = await createNamespace();
    scratch = createScratchDirectory("ways-in");
    // Some of it is an ordinary user's.
    chmodSync(scratch.path, 0o755);
    guest = await startGuest({ namespace, gateways: [namespace.address] });
  });

  afterAll(async () => {
    await guest?.stop();
    await namespace?.close();
    scratch?.remove();
  });

  /** A directory to serve, with one file in it, and one for the state. */
  function prepare(): void {
    const base = join(scratch.path, String(++number));
    data = join(base, "data");
    state = join(base, "state");
    mkdirSync(data, { recursive: true });
    const content = randomBytes(SIZE);
    sum = createHash("sha256").update(content).digest("hex");
    writeFileSync(join(data, "file"), content);
  }

  /** The guest reads the file that is there, writes one that is found on the host, and tries what only a mounted file system can. */
  async function useFromGuest(server: Nfs4Server, version: "4.0" | "4.1" | "4.2" = "4.2"): Promise<void> {
    const mount = await mountExport(guest, server.source, { version, port: server.port });
    expect(await guest.must(`sha256sum < ${mount.path}/file`)).toContain(sum);
    await guest.must(
      `cd ${mount.path} && head -c ${SIZE} /dev/urandom > new && mkdir d && mv new d/renamed && sync d/renamed`,
    );
    expect(statSync(join(data, "d", "renamed")).size).toBe(SIZE);
    const theirs = await guest.must(`sha256sum < ${mount.path}/d/renamed`);
    expect(theirs).toContain(
      createHash("sha256")
        .update(readFileSync(join(data, "d", "renamed")))
        .digest("hex"),
    );
    await guest.must(`rm -r ${mount.path}/d`);
    await mount.unmount();
  }

  /** The bytes of the file went both ways, or one, through the TCP that is ours. */
  async function expectBytesThroughOurStack(server: Nfs4Server, ways: "out" | "both"): Promise<void> {
    const metrics = await server.metrics();
    expect(metrics.get("nfs4_tcp_snd_byte_total")).toBeGreaterThan(SIZE);
    expect(metrics.get('nfs4_interface_o_bytes_total{interface="net0"}')).toBeGreaterThan(SIZE);
    if (ways === "out") return;
    expect(bytesReceived(metrics)).toBeGreaterThan(SIZE);
    expect(metrics.get('nfs4_interface_i_bytes_total{interface="net0"}')).toBeGreaterThan(SIZE);
  }

  test("the host itself, over TUN: libnfs, and our own RPC client over IPv4 and IPv6", async () => {
    prepare();
    await using server = await startNfs4([data, "--address6", "fd00:78::2/64", "--state-dir", state], { namespace });
    const url = (path: string): string => `nfs://${server.address}${path}?version=4`;
    expect(await namespace.must(["nfs-ls", url("/")])).toMatch(/^-rw-r--r--\s+1\s+0\s+0\s+3000000 file$/m);
    const copy = join(scratch.path, "copy");
    await namespace.must(["nfs-cp", url("//file"), copy]);
    expect(createHash("sha256").update(readFileSync(copy)).digest("hex")).toBe(sum);

    for (const address of [server.address, "fd00:78::2"]) {
      const argv = [...FROM_SOURCE, script("null-calls.ts"), address, String(server.port), "1000"];
      expect(await namespace.must(argv)).toBe("1000 answers\n");
    }
    expect((await server.metrics()).get("nfs4_rpc_calls_total")).toBeGreaterThan(2000);
    expect((await server.metrics()).get("nfs4_ip6_delivered_total")).toBeGreaterThan(0);
    await expectBytesThroughOurStack(server, "out");
    // The client's end is the kernel's here; the server's is not.
    const ofKernel = (await kernelSockets(namespace)).filter(({ localPort }) => localPort === server.port);
    expect(ofKernel).toEqual([]);
  });

  test("a guest over TAP on a bridge", async () => {
    prepare();
    const address = `${namespace.allocateAddress()}/${namespace.prefixLength}`;
    const flags = [data, "--tap", "--bridge", namespace.bridge, "--address", address, "--squash", "none"];
    await using server = await startNfs4([...flags, "--state-dir", state], { namespace });
    await useFromGuest(server);
    await expectBytesThroughOurStack(server, "both");
    await assertNoKernelSocket(namespace, server.port, "server");
  });

  test("a guest through TUN, the host forwarding", async () => {
    prepare();
    await namespace.enableForwarding();
    const clients = `${namespace.address}/${namespace.prefixLength}`;
    const flags = [data, "--clients", clients, "--squash", "none", "--state-dir", state];
    await using server = await startNfs4(flags, { namespace });
    await useFromGuest(server, "4.1");
    // 4.0's callbacks go the other way, from the server to the guest.
    await useFromGuest(server, "4.0").catch((error: unknown) => {
      throw new Error("over 4.0", { cause: error });
    });
    await expectBytesThroughOurStack(server, "both");
    await assertNoKernelSocket(namespace, server.port, "server");
  });

  test("a guest from a network that may not mount is turned away", async () => {
    prepare();
    await namespace.enableForwarding();
    await using server = await startNfs4([data, "--state-dir", state], { namespace });
    const attempt = mountExport(guest, server.source, { version: "4.2", options: "retry=0" });
    await expect(attempt).rejects.toThrow(/access denied/);
  });

  test("a guest without privilege, over its socket, and a server without", async () => {
    const home = join(scratch.path, "nobody");
    mkdirSync(home);
    chownSync(home, 65_534, 65_534);
    const argv = [...AS_NOBODY, ...FROM_SOURCE, script("unprivileged.ts")];
    const output = await must(argv, { cwd: home, env: { TMPDIR: home, HOME: home }, timeoutMs: 90_000 });
    const seen = JSON.parse(output) as {
      readonly [name in "capabilities" | "metrics" | "notes" | "read" | "written"]: string;
    } & { readonly uid: number; readonly complaints: readonly string[] };
    expect(seen).toMatchObject({ uid: 65_534, capabilities: "0000000000000000", complaints: [] });
    expect(seen.notes).toContain("without root everything is done as the user that runs the server");
    expect(seen.read).toBe(seen.written);
    const metrics = new Metrics(seen.metrics);
    expect(bytesReceived(metrics)).toBeGreaterThan(SIZE);
    expect(metrics.get("nfs4_tcp_snd_byte_total")).toBeGreaterThan(SIZE);
    expect(metrics.get('nfs4_driver_packets_received_total{interface="net0"}')).toBeGreaterThan(SIZE / 1500);
    const { uid, size } = statSync(join(home, "data", "random"));
    expect([uid, size]).toEqual([65_534, SIZE]);
  });

  test("a guest over the kernel's sockets, where no privilege is had", async () => {
    prepare();
    for (const path of [data, join(data, "file"), join(data, "..")]) chownSync(path, 65_534, 65_534);
    const flags = [data, "--host", namespace.address, "--state-dir", state];
    await using server = await startNfs4(flags, { namespace, before: AS_NOBODY });
    expect(server.source).toBe(`${namespace.address}:/`);
    expect(await kernelListens(namespace, server.port)).toBe(true);
    await useFromGuest(server);
    const metrics = await server.metrics();
    expect(metrics.get("nfs4_read_bytes_total")).toBeGreaterThanOrEqual(SIZE);
    // Nothing of our stack is used, and nothing claims to be.
    expect([...metrics.names].filter((name) => name.startsWith("nfs4_tcp"))).toEqual([]);
  });
});
