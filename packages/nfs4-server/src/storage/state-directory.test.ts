import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { nativeAvailable } from "@nfs4/native";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockByPid, lockFile, StateDirectory } from "./state-directory.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "nfs4-state-"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

describe("StateDirectory", () => {
  it("is made for its owner alone, and keeps what is put there", async () => {
    const path = join(scratch, "a", "b");
    const first = await StateDirectory.open(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await first.storage.replace("key", Uint8Array.of(1, 2, 3));
    await first.close();
    await first.close();
    await using second = await StateDirectory.open(path);
    expect(await second.storage.read("key")).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("belongs to one at a time, and says to whom", async () => {
    const first = await StateDirectory.open(scratch);
    await expect(StateDirectory.open(scratch)).rejects.toThrow(
      `state directory "${scratch}" is in use by process ${pid} on ${hostname()}`,
    );
    await first.close();
    await (await StateDirectory.open(scratch)).close();
  });

  it("refuses what is no directory, and one that others may write", async () => {
    writeFileSync(join(scratch, "file"), "");
    await expect(StateDirectory.open(join(scratch, "file"))).rejects.toThrow("it is not a directory");
    await expect(StateDirectory.open(join(scratch, "file", "below"))).rejects.toThrow("it is not a directory");
    mkdirSync(join(scratch, "open"));
    chmodSync(join(scratch, "open"), 0o777);
    await expect(StateDirectory.open(join(scratch, "open"))).rejects.toThrow("others may write to it (mode 0777)");
  });
});

describe.each([
  ["flock", lockFile, nativeAvailable().ok],
  ["the number of a process", lockByPid, true],
] as const)("locked by %s", (_, lock, possible) => {
  it.runIf(possible)("is free again when it is released", async () => {
    const release = await lock(scratch);
    await expect(lock(scratch)).rejects.toThrow(`in use by process ${pid}`);
    await release();
    await (await lock(scratch))();
  });

  it.runIf(possible)("is free again when its holder has died", async () => {
    // A process that has ended, and its number is not taken yet.
    const child = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => child.once("exit", resolve));
    for (const name of ["lock", "lock.pid"]) writeFileSync(join(scratch, name), `${child.pid} on ${hostname()}\n`);
    await (await lock(scratch))();
    for (const name of ["lock", "lock.pid"]) writeFileSync(join(scratch, name), "");
    await (await lock(scratch))();
    expect(readdirSync(scratch)).toContain("lock");
  });
});
