import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withPermissionChecks } from "../src/filesystem/permission-checks.ts";
import { PortableFileSystem } from "../src/filesystem/portable/portable-file-system.ts";
import { OPEN_READ } from "../src/filesystem/types.ts";
import { Driver, describeFileSystem, ok, root } from "./filesystem-contract.ts";
import { isRoot, scratchDirectory } from "./scratch.ts";

let seconds = 1_800_000_000;
const now = () => ({ seconds: seconds++, nanoseconds: 0 });

describeFileSystem(
  "PortableFileSystem",
  async () => {
    const { path, remove } = scratchDirectory();
    const fileSystem = withPermissionChecks(new PortableFileSystem({ directory: path, now }));
    return { fileSystem, end: async () => remove() };
  },
  { identities: isRoot, devices: false, everything: false },
);

describe("PortableFileSystem", () => {
  let scratch: ReturnType<typeof scratchDirectory>;
  let fileSystem: PortableFileSystem;
  let d: Driver;
  let top: object;
  beforeEach(() => {
    scratch = scratchDirectory();
    mkdirSync(join(scratch.path, "served"));
    mkdirSync(join(scratch.path, "outside"));
    writeFileSync(join(scratch.path, "outside", "secret"), "secret");
    fileSystem = new PortableFileSystem({ directory: join(scratch.path, "served"), now, maxNodes: 50 });
    d = new Driver(fileSystem, root);
    top = fileSystem.root();
  });
  afterEach(() => scratch.remove());

  const served = (...path: string[]): string => join(scratch.path, "served", ...path);

  it("does not follow a symbolic link that took a directory's or a file's place behind its back", async () => {
    const directory = await d.directory(top, "directory");
    const file = await d.file(directory, "secret", "mine");
    renameSync(served("directory"), served("moved"));
    symlinkSync(join(scratch.path, "outside"), served("directory"));
    expect(fileSystem.lookup(fileSystem.root(), "..")).toBe("EINVAL");
    for (const answer of [
      await d.fs.getattr(file, root),
      await d.fs.open(file, OPEN_READ, root),
      await d.fs.lookup(directory, "secret", root),
      await d.fs.readdir(directory, 0n, 10, root),
      await d.fs.remove(directory, "secret", root),
    ])
      expect(answer).toBe("ESTALE");
    expect(readFileSync(join(scratch.path, "outside", "secret"), "utf8")).toBe("secret");
    expect(await d.content(await d.lookup(await d.lookup(top, "moved"), "secret"))).toBe("mine");
  });

  it("finds a file by another of its names when one is gone", async () => {
    const file = await d.file(top, "one", "content");
    linkSync(served("one"), served("two"));
    await d.lookup(top, "two");
    rmSync(served("two"));
    expect(await d.content(file)).toBe("content");
    rmSync(served("one"));
    expect(await d.fs.getattr(file, root)).toBe("ESTALE");
  });

  it("remembers so many nodes and no more; the others are found again by name", async () => {
    const nodes: object[] = [];
    for (let i = 0; i < 200; i++) nodes.push(await d.file(top, `file-${i}`, `${i}`));
    const stale = await Promise.all(nodes.map(async (node) => (await d.fs.resolve(d.fs.key(node))) === "ESTALE"));
    expect(stale.filter((gone) => gone)).toHaveLength(151);
    expect(await d.content(await d.lookup(top, "file-0"))).toBe("0");
  });

  it("sees what others make and change", async () => {
    expect(await d.names(top)).toEqual([]);
    writeFileSync(served("theirs"), "one");
    expect(await d.names(top)).toEqual(["theirs"]);
    const node = await d.lookup(top, "theirs");
    writeFileSync(served("theirs"), "three");
    expect(await d.attributes(node)).toMatchObject({ size: 5 });
    expect(await d.content(node)).toBe("three");
  });

  it("refuses special files, and serves no file as a directory", async () => {
    expect(await d.fs.create(top, "fifo", { type: "fifo", attributes: {} }, root)).toBe("ENOTSUP");
    await d.file(top, "file");
    expect(() => new PortableFileSystem({ directory: served("file"), now })).toThrow("ENOTDIR");
    expect(await ok(d.fs.root())).toBe(top);
  });
});
