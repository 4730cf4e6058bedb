import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CallContext, MemoryStorage } from "@nfs4/server";
import { VirtualClock } from "@nfs4/timecounter";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openExports } from "./exports.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nfs4-exports-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("serves a directory where the addon could not be built, and says what that means", async () => {
  writeFileSync(join(directory, "file"), "content");
  const environment = { networks: [], clock: new VirtualClock(), storage: new MemoryStorage(), native: false };
  const [one] = await openExports([{ path: "/", source: directory }], environment);
  expect(one).toMatchObject({ source: directory, notes: [expect.stringContaining("without the addon @nfs4/native")] });
  const { fileSystem } = one!;
  const context: CallContext = { uid: 0, gid: 0, groups: [], signal: new AbortController().signal };
  const file = await fileSystem.lookup((await fileSystem.root()) as object, "file", context);
  expect(await fileSystem.getattr(file as object, context)).toMatchObject({ type: "file", size: 7 });
  const nowhere = openExports([{ path: "/", source: join(directory, "file") }], environment);
  await expect(nowhere).rejects.toThrow("ENOTDIR");
});
