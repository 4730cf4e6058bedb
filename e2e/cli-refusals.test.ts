import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { AS_NOBODY, type Nfs4Server, refusedNfs4, startNfs4, withEmpty, withoutAddon } from "./harness/nfs4-command.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

/** Words before a command that hide a directory of this machine from it. */
describe("nfs4 serve refuses what cannot work, and says what and where", () => {
  let namespace: Namespace;
  let scratch: ScratchDirectory;
  let running: Nfs4Server;
  const at = (...names: string[]): string => join(scratch.path, ...names);

  beforeAll(async () => {
    namespace = await createNamespace();
    scratch = createScratchDirectory("refusals");
    chmodSync(scratch.path, 0o755);
    for (const name of ["data", "work", "wide"]) mkdirSync(at(name));
    chmodSync(at("wide"), 0o777);
    mkdirSync(at("nobody"));
    chownSync(at("nobody"), 65_534, 65_534);
    mkdirSync(at("damaged"), { mode: 0o700 });
    mkdirSync(at("strange"), { mode: 0o700 });
    writeFileSync(at("damaged", "network.json"), "{");
    writeFileSync(at("strange", "server.identity"), "not ours");
    writeFileSync(at("file"), "");
    writeFileSync(at("comma.json"), '{\n  "port": 2049,\n  "exports": [\n    { "memory": true, }\n  ]\n}\n');
    writeFileSync(at("unknown.json"), '{ "exports": [{ "memory": true, "readonly": true }] }');
    writeFileSync(at("missing.json"), '{ "exports": [{ "memory": true, "path": "/m" }, { "directory": "nowhere" }] }');
    symlinkSync(at("data"), at("alias"));
    running = await startNfs4(
      ["--memory", "--tun", "--device", "busy0", "--admin", "127.0.0.1:9049", "--state-dir", at("locked")],
      { namespace },
    );
  });

  afterAll(async () => {
    await running?.stop();
    await namespace?.close();
    scratch?.remove();
  });

  interface Case {
    /** What is wrong. */
    readonly name: string;
    readonly flags: () => string[];
    /** What is said after "nfs4 serve: ", or after "error: " by the parser of flags. */
    readonly says: RegExp;
    readonly before?: () => readonly string[];
  }

  const cases: Case[] = [
    {
      name: "a directory that is not there",
      flags: () => [at("nowhere")],
      says: /^there is no directory \S+\/nowhere$/,
    },
    { name: "a file in place of a directory", flags: () => [at("file")], says: /^\S+\/file is no directory$/ },
    {
      name: "two directories of one name",
      flags: () => [at("data"), join(at("work"), "..", "data")],
      says: /^clients would see it at \/data, where exports\.0 is: give one another "path"$/,
    },
    {
      name: "a port that is no number",
      flags: () => ["--port", "nfs"],
      says: /^option '-p, --port <number>' argument 'nfs' is invalid. It must be a whole number\.$/,
    },
    { name: "a port beyond 65535", flags: () => ["--port", "70000"], says: /^--port: .*<=65535$/ },
    {
      name: "a port in use",
      flags: () => ["--memory", "--host", "--port", "9049"],
      says: /^--port: port 9049 of 127\.0\.0\.1 is in use: give another$/,
    },
    {
      name: "a privileged port without privilege",
      before: () => AS_NOBODY,
      flags: () => ["--memory", "--host", "--port", "111", "--state-dir", at("nobody", "state")],
      says: /^--port: port 111 needs privilege: give one above 1023$/,
    },
    {
      name: "an address that is not this machine's",
      flags: () => ["--memory", "--host", "203.0.113.7"],
      says: /^--host: this machine has no address 203\.0\.113\.7$/,
    },
    {
      name: "a directory where --host takes an address",
      flags: () => ["--host", at("data")],
      says: /^--host: "\S+\/data" is no address to listen on: name directories before --host/,
    },
    {
      name: "no privilege for a device, and none asked for",
      before: () => AS_NOBODY,
      flags: () => ["--memory"],
      says: /^a network device for our own stack needs CAP_NET_ADMIN: run as root, or use --host/,
    },
    {
      name: "no privilege for the device asked for",
      before: () => AS_NOBODY,
      flags: () => ["--memory", "--tap"],
      says: /^--tap: a network device for our own stack needs CAP_NET_ADMIN: run as root/,
    },
    {
      name: "a machine without /dev/net/tun",
      before: () => withEmpty("/dev/net"),
      flags: () => ["--memory", "--state-dir", at("s1")],
      says: /^there is no \/dev\/net\/tun for our own stack: use --host .*, or a guest's socket$/,
    },
    {
      name: "an addon that is not built",
      before: () => withoutAddon(),
      flags: () => ["--memory", "--state-dir", at("s2")],
      says: /our own stack cannot reach a network: the addon @nfs4\/native does not load .* build it with: .*; or use --host$/,
    },
    { name: "two transports", flags: () => ["--tun", "--host"], says: /'--tun' cannot be used with option '--host/ },
    { name: "an unknown flag", flags: () => ["--florp"], says: /^unknown option '--florp'$/ },
    {
      name: "a configuration file that is not there",
      flags: () => ["--config", at("none.json")],
      says: /^--config \S+\/none\.json: cannot read it: ENOENT/,
    },
    {
      name: "a configuration file that is not JSON",
      flags: () => ["--config", at("comma.json")],
      says: /^\S+\/comma\.json: line 4, column 23: not JSON: expected a name in double quotes$/,
    },
    {
      name: "a configuration file with an unknown setting",
      flags: () => ["--config", at("unknown.json")],
      says: /^\S+\/unknown\.json: exports\.0\.readonly: there is no such setting$/,
    },
    {
      name: "a configuration file that names a missing directory",
      flags: () => ["--config", at("missing.json")],
      says: /^\S+\/missing\.json: exports\.1\.directory: there is no directory \S+\/nowhere$/,
    },
    {
      name: "state inside an export",
      flags: () => [at("data"), "--state-dir", at("data", "state")],
      says: /^--state-dir: \S+\/data\/state is inside \S+\/data, which is exported: .*Choose another$/,
    },
    {
      name: "state inside an export, by another name",
      flags: () => [at("data"), "--state-dir", at("alias", "state")],
      says: /^--state-dir: \S+ is inside \S+\/data, which is exported/,
    },
    {
      name: "state that another server has",
      flags: () => ["--memory", "--state-dir", at("locked")],
      says: /^--state-dir: .*\/locked" is in use by process \d+ on \S+: stop it or choose another$/,
    },
    {
      name: "state that others may write",
      flags: () => ["--memory", "--state-dir", at("wide")],
      says: /^--state-dir: .*others may write to it \(mode 0777\); chmod 0700 it$/,
    },
    {
      name: "state in a file",
      flags: () => ["--memory", "--state-dir", at("file")],
      says: /^--state-dir: .*it is not a directory$/,
    },
    {
      name: "state where nothing may be written",
      before: () => AS_NOBODY,
      flags: () => ["--memory", "--host", "--port", "2051", "--state-dir", at("work", "state")],
      says: /^--state-dir: .*cannot be made: EACCES$/,
    },
    {
      name: "damaged addresses in the state",
      flags: () => ["--memory", "--state-dir", at("damaged")],
      says: /^--state-dir: its network\.json, which keeps the stack's addresses, is damaged/,
    },
    {
      name: "a damaged identity in the state",
      flags: () => ["--memory", "--state-dir", at("strange")],
      says: /^--state-dir: server\.identity in the state directory is damaged/,
    },
    {
      name: "an address without its prefix length",
      flags: () => ["--memory", "--address", "10.1.2.3"],
      says: /^--address: "10\.1\.2\.3" is no IPv4 address with its prefix length, such as 10\.0\.0\.2\/24$/,
    },
    {
      name: "an address of a network that the host has",
      flags: () => ["--memory", "--address", "10.99.0.7/24", "--state-dir", at("s4")],
      says: /^--address: the network of 10\.99\.0\.7\/24 is taken on this host, by 10\.99\.0\.\d\/24: give another$/,
    },
    {
      name: "a network with room for one",
      flags: () => ["--memory", "--address", "10.1.2.3/32", "--state-dir", at("s5")],
      says: /^--address: the network 10\.1\.2\.3\/32 has no room for the host's end of the link$/,
    },
    {
      name: "a gateway elsewhere",
      flags: () => ["--memory", "--address", "10.1.2.3/24", "--gateway", "10.9.9.9"],
      says: /^--gateway: 10\.9\.9\.9 is not in the stack's own network, 10\.1\.2\.0\/24$/,
    },
    {
      name: "clients that are no addresses",
      flags: () => ["--memory", "--clients", "10.0.0.0/8,friends"],
      says: /^--clients: is neither an address, nor a prefix such as 10\.0\.0\.0\/8, nor \*$/,
    },
    {
      name: "a bridge for a TUN device",
      flags: () => ["--memory", "--bridge", "br0", "--address", "10.99.0.7/24"],
      says: /^--bridge: means nothing with a TUN device, only with a TAP device$/,
    },
    {
      name: "a bridge without an address",
      flags: () => ["--memory", "--tap", "--bridge", "br0"],
      says: /^--bridge: give --address, too/,
    },
    {
      name: "a bridge that is not there",
      flags: () => ["--memory", "--tap", "--bridge", "br7", "--address", "10.99.0.7/24", "--state-dir", at("s6")],
      says: /^--bridge: there is no interface br7$/,
    },
    {
      name: "an interface that is no bridge",
      flags: () => ["--memory", "--tap", "--bridge", "lo", "--address", "10.99.0.7/24", "--state-dir", at("s7")],
      says: /^--bridge: interface lo is no bridge$/,
    },
    {
      name: "a device in use",
      flags: () => ["--memory", "--device", "busy0", "--state-dir", at("s8")],
      says: /^--device: busy0 is in use by another process$/,
    },
    {
      name: "a device that is something else",
      flags: () => ["--memory", "--device", "br0", "--state-dir", at("s9")],
      says: /^--device: there is a br0 already, and it is no TUN device$/,
    },
    {
      name: "a packet size that IPv6 does not know",
      flags: () => ["--memory", "--mtu", "576"],
      says: /^--mtu: .*>=1280$/,
    },
    {
      name: "a capture that cannot be written",
      flags: () => ["--memory", "--pcap", at("nowhere", "x.pcapng"), "--state-dir", at("s10")],
      says: /^--pcap: cannot write the capture: ENOENT/,
    },
    {
      name: "an admin port in use",
      flags: () => ["--memory", "--admin", "127.0.0.1:9049", "--state-dir", at("s11")],
      says: /^--admin: cannot listen there: .*EADDRINUSE/,
    },
    {
      name: "an admin port that is none",
      flags: () => ["--memory", "--admin", "9049"],
      says: /^--admin: must be address:port/,
    },
    {
      name: "a guest's socket in no directory",
      flags: () => ["--memory", "--uml-socket", at("nowhere", "socket"), "--state-dir", at("s12")],
      says: /^--uml-socket: cannot listen at \S+\/nowhere\/socket: ENOENT/,
    },
    {
      name: "a file where a guest's socket should be",
      flags: () => ["--memory", "--qemu-socket", at("file"), "--state-dir", at("s13")],
      says: /^--qemu-socket: \S+\/file: somebody listens there already, or it is no socket$/,
    },
  ];

  test.concurrent.for(cases)("$name", async ({ flags, says, before }) => {
    const { code, stdout, stderr } = await refusedNfs4(flags(), {
      namespace,
      cwd: scratch.path,
      env: { XDG_STATE_HOME: at("default") },
      ...(before ? { before: before() } : {}),
    });
    const [line = "", ...more] = stderr.trimEnd().split("\n");
    expect(line.replace(/^nfs4 serve: |^error: /, "")).toMatch(says);
    expect(more, "one line, and no stack trace").toEqual([]);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  test("none of which has left a device behind, or harmed the server beside them", async () => {
    const links = await namespace.must(["ip", "-brief", "link"]);
    expect(links.match(/^(nfs4-|busy)\S*/gm)).toEqual(["busy0"]);
    expect(await running.ask("/healthz")).toMatchObject({ healthy: true });
  });
});
