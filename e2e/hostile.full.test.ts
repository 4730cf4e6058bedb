import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Guest, startGuest } from "./harness/guest.ts";
import { type Mount, mountExport } from "./harness/mount.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type ServerProcess, startServerProcess } from "./harness/process.ts";
import { forgetPeak, residentMemory } from "./hostile/resident-memory.ts";

/** What the issue allows hostile peers to cost, in MiB. */
const ALLOWED_GROWTH = 64;
const here = (file: string): string => fileURLToPath(new URL(`./hostile/${file}`, import.meta.url));

interface Result {
  readonly surprises: readonly string[];
  readonly notes: readonly string[];
}

describe("hostile input, our stack over TAP, beside a guest at work", () => {
  let stateDirectory: string;
  let namespace: Namespace;
  let server: ServerProcess;
  let other: ServerProcess;
  let guest: Guest;
  let mount: Mount;
  let attacker: ChildProcess;
  let steady: Promise<string>;
  let address: string;
  let before: number;

  beforeAll(async () => {
    stateDirectory = await mkdtemp(join(tmpdir(), "nfs4e2e-hostile-"));
    namespace = await createNamespace();
    address = namespace.allocateAddress();
    const serve = (...options: string[]): ServerProcess =>
      startServerProcess(
        ["node", "--conditions=source", "--import", "tsx", "packages/cli/src/bin.ts", "serve", "--memory", ...options],
        { namespace, name: "nfs4 serve" },
      );
    server = serve(
      "--tap",
      "--bridge",
      namespace.bridge,
      "--address",
      `${address}/24`,
      "--squash",
      "none",
      "--state-dir",
      join(stateDirectory, "1"),
    );
    other = serve(
      "--host",
      "127.0.0.1",
      "--port",
      "2050",
      "--clients",
      "*",
      "--no-admin",
      "--state-dir",
      join(stateDirectory, "2"),
    );
    attacker = spawn(
      "setpriv",
      ["--pdeathsig", "KILL", ...namespace.enter, "node", "--import", "tsx", here("attacker.ts")],
      {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      },
    );
    [, guest] = await Promise.all([
      server.waitForLine(/serving/i),
      startGuest({ namespace }),
      other.waitForLine(/serving/i),
    ]);
    mount = await mountExport(guest, `${address}:/`, { version: "4.2" });
    steady = guest.must(`exec python3 -B ${here("steady.py")} ${mount.path}/steady /tmp/stop`, { timeoutMs: 120_000 });
    steady.catch(() => undefined);
    // What any client would make the server take, so that it does not count as the attackers' doing.
    await attack("familiarity");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    before = residentMemory(server.pid).now;
  });

  afterAll(async () => {
    attacker?.kill();
    await guest?.stop();
    await server?.stop();
    await other?.stop();
    await namespace?.close();
    await rm(stateDirectory, { recursive: true, force: true });
  });

  beforeEach(() => forgetPeak(server.pid));

  afterEach(({ task }) => {
    const { now, peak } = residentMemory(server.pid);
    console.log(
      `${task.name}: ${before} MiB before, ${now} now, ${peak} at its peak, ${Math.round(task.result?.duration ?? 0)} ms`,
    );
    expect(peak - before, "growth of resident memory, in MiB").toBeLessThanOrEqual(ALLOWED_GROWTH);
  });

  async function attack(name: string): Promise<Result> {
    const target = { address, port: 2049, otherAddress: "127.0.0.1", otherPort: 2050 };
    attacker.send({ attack: name, target });
    const [result] = (await once(attacker, "message")) as [Result];
    if (result.notes.length > 0) console.log(`${name}: ${result.notes.join("; ")}`);
    return result;
  }

  test("slow connections, to be looked at again in half a minute", async () => {
    expect((await attack("slowLoris")).surprises).toEqual([]);
  });
});
