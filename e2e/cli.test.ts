import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isRunning } from "./harness/checks.ts";
import { must } from "./harness/command.ts";
import { type Guest, startGuest } from "./harness/guest.ts";
import { type Mount, mountExport } from "./harness/mount.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { build, NFS4, type Nfs4Server, startNfs4, withoutAddon } from "./harness/nfs4-command.ts";
import { startServerProcess } from "./harness/process.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

describe("a server's life", () => {
  let namespace: Namespace;
  let scratch: ScratchDirectory;
  const at = (...names: string[]): string => join(scratch.path, ...names);
  const devices = async (): Promise<string[]> =>
    (await namespace.must(["ip", "-brief", "link"])).match(/^nfs4-\d+/gm) ?? [];
  const libnfs = async ({ address, port }: Nfs4Server, path = "/"): Promise<string> =>
    await namespace.must(["nfs-ls", `nfs://${address}${path}?version=4&nfsport=${port}`]);

  beforeAll(async () => {
    namespace = await createNamespace();
    scratch = createScratchDirectory("cli");
    for (const name of ["data", "default"]) mkdirSync(at(name));
  });

  afterAll(async () => {
    await namespace?.close();
    scratch?.remove();
  });

  test("by default it serves the directory where it was started, says so, and keeps its state where nobody can see it", async () => {
    await using server = await startNfs4([], {
      namespace,
      cwd: at("data"),
      env: { XDG_STATE_HOME: at("default") },
    });
    expect(server.process.stdout).toContain("serving the current directory, because none was named:");
    expect(server.process.stdout).toContain(`  / is ${at("data")} (writable; root squashed; for 10.78.0.0/24)`);
    expect(server.source).toBe("10.78.0.2:/");
    expect(statSync(at("default", "nfs4", "server-1")).mode & 0o777).toBe(0o700);
    await libnfs(server);
    expect(await server.interrupt()).toBe(0);
  });

  test("two run beside each other, and each finds its own address again", async () => {
    const options = { namespace, env: { XDG_STATE_HOME: at("default") } };
    const addresses: string[] = [];
    for (let round = 0; round < 2; round++) {
      await using first = await startNfs4(["--memory"], options);
      await using second = await startNfs4(["--memory"], options);
      await libnfs(first);
      await libnfs(second);
      addresses.push(`${first.address} ${second.address}`);
      expect(await devices()).toEqual(["nfs4-0", "nfs4-1"]);
    }
    expect(addresses).toEqual(["10.78.0.2 10.78.1.2", "10.78.0.2 10.78.1.2"]);
    expect(await devices()).toEqual([]);
  });

  test("killed, it leaves a state from which the next start takes the same address and Ethernet address", async () => {
    const flags = ["--memory", "--tap", "--state-dir", at("killed")];
    const seen: string[] = [];
    for (let round = 0; round < 2; round++) {
      await using server = await startNfs4(flags, { namespace });
      await libnfs(server);
      seen.push(await namespace.must(["ip", "neigh", "show", server.address]));
      await server.kill();
      expect(await devices()).toEqual([]);
    }
    const [before = "", after] = seen.map((line) => /^(\S+) .* lladdr (\S+)/.exec(line)?.slice(1).join(" "));
    expect(before).toMatch(/^10\.78\.\d+\.2 [0-9a-f:]{17}$/);
    expect(after).toBe(before);
  });

  test("modes of new files are the client's affair, whatever the server's umask; its own files are its own", async () => {
    const before = ["sh", "-c", 'umask 077; exec "$@"', "sh"];
    const state = at("umask");
    const capture = at("umask.pcapng");
    const flags = [at("data"), "--squash", "none", "--state-dir", state, "--pcap", capture];
    await using server = await startNfs4(flags, { namespace, before });
    expect(readFileSync(`/proc/${server.process.pid}/status`, "utf8")).toMatch(/^Umask:\s*0000$/m);
    for (const file of [capture, join(state, "lock"), join(state, "network.json"), join(state, "server.identity")])
      expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
  });

  test("at SIGUSR2 the last packets are written where --odd says, for tshark to read", async () => {
    await using server = await startNfs4(["--memory", "--odd", at("odd"), "--state-dir", at("odd-state")], {
      namespace,
    });
    await libnfs(server);
    const names = (): string[] => readdirSync(at("odd"));
    process.kill(server.process.pid, "SIGUSR2");
    await vi.waitFor(() => expect(names()).toHaveLength(1));
    expect(await server.interrupt()).toBe(0);
    const [name = ""] = names();
    const calls = await must(["tshark", "-n", "-r", at("odd", name), "-Y", "rpc.msgtyp == 0"]);
    expect(calls).toContain(server.address);
    expect(statSync(at("odd", name)).mode & 0o777).toBe(0o600);
  });

  test("where the addon is not built it serves directories over the kernel's sockets, and says what that means", async () => {
    const flags = [at("default"), "--host", "--port", "2052", "--state-dir", at("portable")];
    writeFileSync(at("default", "by-node-alone"), "content");
    await using server = await startNfs4(flags, { namespace, before: withoutAddon() });
    expect(server.process.stdout).toContain("without the addon");
    expect(await libnfs(server)).toMatch(/ 7 by-node-alone$/m);
  });

  test("nobody reads what it prints, and it goes on", async () => {
    build();
    const flags = ["--memory", "--admin", "127.0.0.1:9049", "--address", "10.77.0.2/24", "--state-dir", at("unread")];
    const before = ["setpriv", "--pdeathsig", "KILL", ...namespace.enter];
    const child = spawn(before[0] ?? "", [...before.slice(1), process.execPath, NFS4, "serve", ...flags]);
    await once(child.stdout, "data");
    child.stdout.destroy();
    child.stderr.destroy();
    // A client is worth a line, to a reader that is gone.
    const ask = ["curl", "--silent", "--fail", "--retry", "5", "--retry-connrefused", "http://127.0.0.1:9049/clients"];
    expect(await namespace.must(ask)).toBe("[]");
    await namespace.must(["nfs-ls", "nfs://10.77.0.2/?version=4"]);
    expect(await namespace.must(ask)).toContain("Libnfs");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("npm start sets up, compiles and serves, and hands SIGINT on", async () => {
    build();
    const state = at("npm");
    const npm = startServerProcess(["npm", "start", "--", "--memory", "--state-dir", state], { namespace, cwd: root });
    await npm.waitForLine(/^mount with: mount -t nfs4/, { timeoutMs: 120_000 });
    npm.signal("SIGINT");
    expect((await npm.ended).code).toBe(0);
    expect(await devices()).toEqual([]);
    expect(readFileSync(join(state, "lock"), "utf8")).toBe("");
  });
});

describe("a server with a mounted guest", () => {
  let namespace: Namespace;
  let scratch: ScratchDirectory;
  let server: Nfs4Server;
  let guest: Guest;
  let mount: Mount;
  let flags: string[];
  const at = (...names: string[]): string => join(scratch.path, ...names);

  beforeAll(async () => {
    namespace = await createNamespace();
    scratch = createScratchDirectory("cli");
    mkdirSync(at("data"));
    const address = `${namespace.allocateAddress()}/${namespace.prefixLength}`;
    flags = [at("data"), "--tap", "--bridge", namespace.bridge, "--address", address, "--state-dir", at("state")];
    flags.push("--squash", "none", "--lease", "10");
    [server, guest] = await Promise.all([startNfs4(flags, { namespace }), startGuest({ namespace })]);
    mount = await mountExport(guest, server.source, { version: "4.2" });
  });

  afterAll(async () => {
    await guest?.stop();
    await server?.stop();
    await namespace?.close();
    scratch?.remove();
  });

  test("shows over its admin interface what it does", async () => {
    const before = await server.metrics();
    await guest.must(`head -c 1000000 /dev/zero > ${mount.path}/zeros && sync ${mount.path}/zeros
      drop_caches; cat ${mount.path}/zeros > /dev/null; cat ${mount.path}/missing; true`);
    const after = await server.metrics();
    const grown = (name: string): number => after.get(name) - before.get(name);
    expect(grown("nfs4_written_bytes_total")).toBe(1_000_000);
    expect(grown("nfs4_read_bytes_total")).toBe(1_000_000);
    expect(grown('nfs4_operations_total{operation="WRITE"}')).toBeGreaterThan(0);
    expect(grown('nfs4_errors_total{status="NFS4ERR_NOENT"}')).toBeGreaterThan(0);
    expect(grown("nfs4_compounds_total")).toBeGreaterThan(5);
    expect(grown("nfs4_rpc_calls_total")).toBe(grown("nfs4_compounds_total"));
    // Every byte came and went through our TCP.
    expect(grown("nfs4_tcp_rcv_byte_total")).toBeGreaterThan(1_000_000);
    expect(grown("nfs4_tcp_snd_byte_total")).toBeGreaterThan(1_000_000);
    expect(grown('nfs4_interface_i_bytes_total{interface="net0"}')).toBeGreaterThan(1_000_000);
    expect(after.get("nfs4_clients")).toBe(1);
    expect(after.get("nfs4_connections")).toBeGreaterThan(0);
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(1e7);

    expect(await server.ask("/healthz")).toMatchObject({ healthy: true, problems: [], inGrace: false });
    expect(await server.ask("/exports")).toEqual([
      { path: "/", id: expect.any(Number), readOnly: false, squash: "none", clients: "10.99.0.0/24" },
    ]);
    expect(await server.ask("/clients")).toEqual([
      expect.objectContaining({
        name: expect.stringContaining("Linux NFSv4.2"),
        minorVersions: "4.1+",
        address: guest.address,
        implementation: expect.stringContaining("Linux"),
        confirmed: true,
        expired: false,
        sessions: 1,
      }),
    ]);
  });

  test("is not well when its device is gone", async () => {
    await using other = await startNfs4(["--memory", "--device", "nfs4-gone", "--state-dir", at("gone")], {
      namespace,
    });
    await namespace.must(["ip", "link", "del", "nfs4-gone"]);
    await other.process.waitUntil(async () => {
      const health = (await other.ask("/healthz")) as { healthy: boolean };
      return !health.healthy;
    });
    expect(await other.ask("/healthz")).toMatchObject({ healthy: false, problems: ["interface net0 is down"] });
  });

  test("stops at SIGINT while the guest is at work, and is there again for it, with what clients must reclaim", async () => {
    const work = guest.must(
      `exec 9> ${mount.path}/held && flock -n 9 || fail lock
      i=0; while [ ! -e /tmp/enough ]; do echo $i > ${mount.path}/at-work && i=$((i + 1)); done; echo $i
      flock -n 9 || fail "lost the lock"`,
      { timeoutMs: 90_000 },
    );
    await server.process.waitUntil(() => existsSync(at("data", "at-work")));
    // The guest stays mounted, so this ends only because a stop has a deadline.
    expect(await server.interrupt()).toBe(0);
    expect((await namespace.must(["ip", "-brief", "link"])).includes("nfs4-")).toBe(false);
    expect(readFileSync(at("state", "lock"), "utf8")).toBe("");

    server = await startNfs4(flags, { namespace });
    expect(server.process.stdout).toMatch(/^in grace: clients of the last run may reclaim/m);
    await server.process.waitForLine(/^grace is over$/, { stream: "stderr" });
    await guest.must("touch /tmp/enough");
    expect(Number(await work)).toBeGreaterThan(0);
  });

  test("has no grace when nobody had anything to lose", async () => {
    await mount.unmount();
    expect(await server.interrupt()).toBe(0);
    server = await startNfs4(flags, { namespace });
    expect(server.process.stdout).not.toContain("in grace");
    expect(await server.ask("/healthz")).toMatchObject({ inGrace: false });
  });

  test("ends at once at the second SIGINT, and still removes its socket", async () => {
    const socket = at("socket");
    const slow = ["--memory", "--uml-socket", socket, "--stop-after", "60", "--state-dir", at("slow")];
    await using other = await startNfs4(slow, { namespace });
    expect(statSync(socket).isSocket()).toBe(true);
    await using peer = await startGuest({ link: { bess: socket }, addresses: ["10.78.0.1/24"] });
    // Announces a record and does not send it: a stop waits for it as long as it may.
    const announce = `exec 3<>/dev/tcp/${other.address}/2049; printf '\\200\\000\\000\\100abcd' >&3; echo sent; sleep 60`;
    await peer.must(`bash -c "${announce}" > /tmp/said & until grep -q sent /tmp/said; do sleep 0.1; done`, {
      timeoutMs: 10_000,
    });
    other.process.signal("SIGINT");
    await other.process.waitForLine(/^stopping$/, { stream: "stderr" });
    expect(isRunning(other.process.pid)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await other.interrupt()).toBe(130);
    expect(existsSync(socket)).toBe(false);
  });
});
