import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { isRunning } from "../harness/checks.ts";
import { listNamespaces, sweepAbandonedNamespaces } from "../harness/namespace.ts";
import { startServerProcess } from "../harness/process.ts";
import { sweepAbandonedDirectories } from "../harness/scratch.ts";

const script = fileURLToPath(new URL("./abandon.ts", import.meta.url));
const parent = fileURLToPath(new URL("./abandon-worker.ts", import.meta.url));

/** What belongs to a namespace, and outlives it if something goes wrong: processes whose command names a directory (guests and servers do), and directories. */
function remains(tag: string): { processes: number[]; directories: string[] } {
  const processes = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && commandLine(pid).includes(tag) && isRunning(pid));
  return { processes, directories: readdirSync(tmpdir()).filter((name) => name.startsWith(`${tag}-`)) };
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
  "a run that ends by %s leaves nothing on the machine",
  async (signal) => {
    const run = startServerProcess([process.execPath, "--import", "tsx", script], {
      name: "abandon.ts",
      cwd: dirname(script),
    });
    const [, namespace = ""] = await run.waitForLine(/^ready (\S+)$/, { timeoutMs: 60_000 });
    const tag = namespace.replace(/-\d+$/, "");
    expect(listNamespaces()).toContain(namespace);
    expect(remains(tag).processes.length).toBeGreaterThan(0);
    expect(remains(tag).directories).toHaveLength(2);

    run.signal(signal);
    expect((await run.ended).signal).toBe(signal);
    // The kernel kills the children of the dead; that is a matter of moments, but not of none.
    await expect.poll(() => remains(tag).processes, { timeout: 10_000 }).toEqual([]);
    if (signal === "SIGKILL") {
      // Nobody could tidy up: the next run does.
      expect(sweepAbandonedNamespaces()).toContain(namespace);
      expect(sweepAbandonedDirectories()).toHaveLength(2);
    }
    expect(listNamespaces()).not.toContain(namespace);
    expect(remains(tag).directories).toEqual([]);
  },
);

test("a worker whose parent is killed leaves nothing on the machine", async () => {
  const run = startServerProcess([process.execPath, "--import", "tsx", parent], {
    name: "abandon-worker.ts",
    cwd: dirname(parent),
  });
  const [, namespace = ""] = await run.waitForLine(/^ready (\S+)$/, { timeoutMs: 60_000 });
  const tag = namespace.replace(/-\d+$/, "");
  expect(remains(tag).processes.length).toBeGreaterThan(0);
  run.signal("SIGKILL");
  await expect.poll(() => remains(tag), { timeout: 20_000 }).toEqual({ processes: [], directories: [] });
  await expect.poll(listNamespaces, { timeout: 20_000 }).not.toContain(namespace);
});
