/** What docker/ promises, without a container engine: docker/README.md says what stands for what. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inRoot, makeRoot } from "./docker/clean-root.ts";
import { parseDockerfile, type Stage } from "./docker/dockerfile.ts";
import { kernelSockets } from "./harness/checks.ts";
import { must } from "./harness/command.ts";
import { Metrics } from "./harness/metrics.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type ServerProcess, startServerProcess } from "./harness/process.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

const top = fileURLToPath(new URL("..", import.meta.url));
const cache = process.env["npm_config_cache"] ?? join(homedir(), ".npm");
const stages = parseDockerfile(readFileSync(join(top, "docker/Dockerfile"), "utf8"));
const APT = /^apt-get update && apt-get install -y --no-install-recommends (.+) && rm -rf \/var\/lib\/apt\/lists\/\*$/;
const CONTAINER = "10.88.0.2";

describe("the image", () => {
  let scratch: ScratchDirectory;
  let container: Namespace;
  let outside: Namespace;
  const rootOf = (stage: Stage): string => join(scratch.path, String(stages.indexOf(stage)));
  const image = (): string => rootOf(stages.at(-1) as Stage);

  beforeAll(async () => {
    scratch = createScratchDirectory("docker");
    mkdirSync(cache, { recursive: true });
    [container, outside] = await Promise.all([createNamespace({ network: "10.97.0" }), createNamespace()]);
    const peer = ["peer", "name", "eth0", "netns", container.name];
    await must(["ip", "-n", outside.name, "link", "add", "published", "type", "veth", ...peer]);
    await must(["ip", "-n", outside.name, "addr", "add", "10.88.0.1/24", "dev", "published"]);
    await must(["ip", "-n", outside.name, "link", "set", "published", "up"]);
    await must(["ip", "-n", container.name, "addr", "add", `${CONTAINER}/24`, "dev", "eth0"]);
    await must(["ip", "-n", container.name, "link", "set", "eth0", "up"]);
  });

  afterAll(async () => {
    await container?.close();
    await outside?.close();
    scratch?.remove();
  });

  test("is built by the Dockerfile's steps in a clean root, and holds no tools of the build", async () => {
    for (const stage of stages) {
      makeRoot(rootOf(stage));
      let directory = "/";
      for (const { instruction, argument } of stage.steps) {
        if (instruction === "WORKDIR") directory = argument;
        mkdirSync(join(rootOf(stage), directory), { recursive: true });
        if (instruction === "COPY") copy(stage, argument, join(rootOf(stage), directory));
        else if (instruction === "RUN") await run(rootOf(stage), directory, argument);
      }
    }
    const installed = readdirSync(join(image(), "opt/nfs4/node_modules"));
    expect(installed).toContain("fastify");
    expect(installed).not.toContain("typescript");
    expect(existsSync(join(image(), "opt/nfs4/packages/native/build/Release/nfs4_native.node"))).toBe(true);
    // Where the entrypoint and its argument are.
    const [entrypoint, command] = ["ENTRYPOINT", "CMD"].map((name) => wordsOf(name)[0] ?? "");
    for (const path of [entrypoint, command]) expect(existsSync(join(image(), path ?? ""))).toBe(true);
    writeFileSync(join(image(), "data/hello"), "from inside\n");
  });

  test("with NET_ADMIN it serves from our stack, which the published port leads to", async () => {
    await using server = start([]);
    await server.waitForLine(/^mount with: mount -t nfs4 -o vers=4.2 10.78.0.2:\/ \/mnt$/);
    expect(await list()).toContain("hello");
    const metrics = new Metrics(await ask(server, "/metrics"));
    expect(metrics.get("nfs4_tcp_accepts_total")).toBeGreaterThan(0);
    expect(metrics.get("nfs4_tcp_snd_byte_total")).toBeGreaterThan(100);
    expect((await kernelSockets(container)).filter(({ localPort }) => localPort === 2049)).toEqual([]);
    expect(JSON.parse(await ask(server, "/clients"))).toMatchObject([{ address: "10.88.0.1" }]);
    expect(await server.stop({ graceMs: 10_000 })).toMatchObject({ code: 0 });
    await container.must(["nft", "delete", "table", "ip", "nfs4"]);
  });

  test("without NET_ADMIN it says so and serves from the kernel's sockets", async () => {
    await using server = start(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]);
    await server.waitForLine(/^mount with: /);
    expect(server.stderr).toContain("without NET_ADMIN and /dev/net/tun there is no stack of our own here");
    expect(server.stdout).toContain("through the kernel's sockets");
    expect(await list()).toContain("hello");
    expect(await server.stop({ graceMs: 10_000 })).toMatchObject({ code: 0 });
  });

  function copy(stage: Stage, argument: string, into: string): void {
    const [, from, source = "", target = ""] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(argument) ?? [];
    if (from !== undefined) {
      const other = stages.find(({ name }) => name === from) as Stage;
      const destination = join(rootOf(stage), target);
      mkdirSync(dirname(destination), { recursive: true });
      renameSync(join(rootOf(other), source), destination);
      return;
    }
    expect([source, target]).toEqual([".", "."]);
    const names = execFileSync("git", ["ls-files", "-z"], { cwd: top, encoding: "utf8" }).split("\0");
    for (const name of names) if (name !== "") cpSync(join(top, name), join(into, name));
  }

  async function run(root: string, directory: string, command: string): Promise<void> {
    const [, packages] = APT.exec(command) ?? [];
    if (packages !== undefined) await must(["dpkg", "--status", ...packages.split(" ")]);
    else await must([...inRoot(root, cache), "sh", "-euc", `cd ${directory}; ${command}`], { timeoutMs: 300_000 });
  }

  function wordsOf(instruction: string): string[] {
    const step = stages.at(-1)?.steps.find((one) => one.instruction === instruction);
    return JSON.parse(step?.argument ?? "[]");
  }

  /** The container starts: the image's entrypoint with its default arguments. */
  function start(before: readonly string[]): ServerProcess {
    const argv = [...inRoot(image(), cache), ...before, ...wordsOf("ENTRYPOINT"), ...wordsOf("CMD")];
    return startServerProcess(argv, { namespace: container, name: "entrypoint" });
  }

  const list = (): Promise<string> => outside.must(["nfs-ls", `nfs://${CONTAINER}/?version=4`], { timeoutMs: 20_000 });

  async function ask(server: ServerProcess, path: string): Promise<string> {
    const [, url] = await server.waitForLine(/^admin at (\S+)$/);
    return await container.must(["curl", "--silent", "--fail", `${url}${path}`]);
  }
});
