/** What only a file system on a disk can get wrong: others who change it, ways out of it, descriptors, restarts. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { VirtualClock } from "@nfs4/timecounter";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LocalFileSystem } from "../src/filesystem/local/local-file-system.ts";
import type { LocalFileSystemOptions } from "../src/filesystem/local/open-volume.ts";
import { MAY_EXECUTE, OPEN_READ } from "../src/filesystem/types.ts";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { alice, bytes, Driver, ok, root } from "./filesystem-contract.ts";
import { isRoot, openDescriptors, scratchDirectory, withoutDisk } from "./scratch.ts";

describe.skipIf(withoutDisk)("LocalFileSystem", () => {
  let scratch: ReturnType<typeof scratchDirectory>;
  /** The export. */
  let path: string;
  /** Beside it. */
  let outside: string;
  const opened: LocalFileSystem[] = [];

  beforeEach(() => {
    scratch = scratchDirectory();
    path = join(scratch.path, "export");
    outside = join(scratch.path, "outside");
    mkdirSync(path);
    mkdirSync(outside);
  });
  afterEach(async () => {
    for (const fileSystem of opened.splice(0)) await fileSystem.dispose();
    scratch.remove();
  });

  async function open(options: Partial<LocalFileSystemOptions> = {}) {
    const fileSystem = await LocalFileSystem.open({ directory: path, ...options });
    opened.push(fileSystem);
    return { fileSystem, d: new Driver(fileSystem, root), top: fileSystem.root() as object };
  }

  describe("opening", () => {
    it.each([
      ["there is no such directory (ENOENT)", "missing"],
      ["it is not a directory (ENOTDIR)", "file"],
    ])("says that %s", async (reason, name) => {
      writeFileSync(join(path, "file"), "");
      const directory = join(path, name);
      const before = openDescriptors();
      await expect(LocalFileSystem.open({ directory })).rejects.toThrow(`cannot serve "${directory}": ${reason}`);
      await expect(LocalFileSystem.open({ directory: path, descriptors: 3 })).rejects.toThrow("descriptors must be");
      expect(openDescriptors()).toBe(before);
    });

    it("says what it found", async () => {
      const { fileSystem } = await open();
      expect(fileSystem.impersonates).toBe(isRoot);
      expect(fileSystem.capabilities).toMatchObject({ checksPermissions: isRoot, maxName: 255 });
      const byPath = await open({ keys: "paths" });
      expect(byPath.fileSystem.keys).toBe("paths");
      expect(byPath.fileSystem.capabilities.persistentKeys).toBe(false);
      const kept = await open({ keys: "paths", storage: new MemoryStorage() });
      expect(kept.fileSystem.capabilities.persistentKeys).toBe(true);
    });

    it("follows a symbolic link to the directory, once", async () => {
      const link = join(scratch.path, "link");
      symlinkSync(path, link);
      writeFileSync(join(path, "file"), "here");
      const { d, top } = await open({ directory: link });
      unlinkSync(link);
      symlinkSync(outside, link);
      expect(await d.content(await d.lookup(top, "file"))).toBe("here");
    });
  });

  describe.each(isRoot ? (["handles", "paths"] as const) : (["paths"] as const))("with keys by %s", (keys) => {
    const storage = new MemoryStorage();
    const options = { keys, storage };

    it("lets nobody out by a directory that was moved away", async () => {
      const { d, top } = await open(options);
      const inner = await d.directory(await d.directory(top, "a"), "b");
      renameSync(join(path, "a"), join(outside, "a"));
      const above = await d.fs.parent(await ok(d.fs.resolve(d.fs.key(inner))).catch(() => inner), root);
      expect(above).toBe("ESTALE");
    });

    it("stays in a directory that is swapped for a symbolic link", async () => {
      const { d, top } = await open(options);
      writeFileSync(join(outside, "secret"), "secret");
      const directory = await d.directory(top, "a");
      renameSync(join(path, "a"), join(path, "was-a"));
      symlinkSync(outside, join(path, "a"));
      expect(await d.fs.lookup(directory, "secret", root)).toMatch(/^E(NOENT|STALE)$/);
      const link = await d.lookup(top, "a");
      expect(await d.fs.lookup(link, "secret", root)).toBe("ENOTDIR");
      for (const request of [
        { type: "file", attributes: {} },
        { type: "directory", attributes: {} },
      ] as const)
        expect(await d.fs.create(link, "x", request, root)).toBe("ENOTDIR");
      expect(readdirSync(outside)).toEqual(["secret"]);
    });

    it("stays inside while somebody swaps as fast as he can", async () => {
      const { d, top } = await open(options);
      mkdirSync(join(path, "a"));
      symlinkSync(outside, join(path, "b"));
      const swapper = await startSwapping(path);
      try {
        for (let i = 0; i < 300; i++) {
          const node = await d.fs.lookup(top, "a", root);
          if (typeof node === "string") continue;
          const name = `f${i}`;
          const made = await d.fs.create(node, name, { type: "file", attributes: {}, open: 3 }, root);
          if (typeof made === "string") continue;
          await d.write(made.file, 0, "x");
          await d.fs.close(made.file);
          await d.fs.setattr(made.node, { mode: 0o600, size: 5 }, root);
          await d.fs.rename(node, name, node, `g${i}`, root);
          if (i % 2) await d.fs.remove(node, `g${i}`, root);
        }
      } finally {
        await stop(swapper);
      }
      expect(readdirSync(outside)).toEqual([]);
    });

    it("knows no key that it has not given", async () => {
      const { d, top } = await open(options);
      const key = d.fs.key(top);
      for (const forged of [
        new Uint8Array(0),
        key.subarray(0, 1),
        key.subarray(0, 2),
        key.subarray(0, -1),
        Uint8Array.of(9, ...key.subarray(1)),
        key.map((byte, i) => (i === 0 ? byte : 0)),
        key.map((byte, i) => (i < 2 ? byte : byte ^ 0x55)),
        new Uint8Array(64).fill(keys === "handles" ? 1 : 2),
      ]) {
        expect(await d.fs.resolve(forged), forged.join()).toBe("ESTALE");
      }
    });

    it("notices what others do", async () => {
      const { d, top } = await open(options);
      const one = await d.file(top, "one", "1");
      const two = await d.file(top, "two", "2");
      const keyOfOne = d.fs.key(one).slice();
      const { change } = await d.attributes(top);
      unlinkSync(join(path, "one"));
      writeFileSync(join(path, "two"), "22");
      writeFileSync(join(path, "three"), "3");
      expect(await d.names(top)).toEqual(["three", "two"]);
      expect(await d.content(two)).toBe("22");
      expect(await d.fs.lookup(top, "one", root)).toBe("ENOENT");
      expect(await d.fs.getattr(one, root)).toBe("ESTALE");
      expect(await d.fs.resolve(keyOfOne)).toBe("ESTALE");
      expect((await d.attributes(top)).change).toBeGreaterThan(change);
      writeFileSync(join(path, "one"), "another");
      expect(d.fs.key(await d.lookup(top, "one"))).not.toEqual(keyOfOne);
      expect(await d.fs.resolve(keyOfOne)).toBe("ESTALE");
    });

    it("says that a change info is not atomic if somebody else came between", async () => {
      const { d, top } = await open(options);
      await d.file(top, "first");
      const making = d.make(top, "ours", { type: "file", attributes: {} });
      mkdirSync(join(path, "theirs"));
      expect((await making).change.atomic).toBe(false);
      const removing = d.remove(top, "ours");
      chmodSync(path, 0o711);
      expect((await removing).atomic).toBe(false);
      expect((await d.make(top, "again", { type: "directory", attributes: {} })).change.atomic).toBe(true);
    });

    it("closes every descriptor", async () => {
      const before = openDescriptors();
      const { d, fileSystem, top } = await open(options);
      const directory = await d.directory(top, "directory");
      for (let i = 0; i < 50; i++) await d.file(directory, `f${i}`, "x");
      await d.list(directory, 10);
      await d.file(directory, "left open");
      await d.open(await d.lookup(directory, "left open"), 3);
      for (let i = 0; i < 50; i++) await d.make(directory, `left-open-${i}`, { type: "file", attributes: {}, open: 3 });
      for (let i = 0; i < 20; i++) await d.remove(directory, `f${i}`);
      await d.rename(directory, "f30", top, "f30");
      for (const request of [{ uid: -1 }, { size: -1 }])
        await Promise.resolve(d.fs.setattr(directory, request, root)).catch(() => {});
      expect(openDescriptors()).toBeGreaterThan(before + 20);
      await fileSystem.dispose();
      await fileSystem.dispose();
      expect(openDescriptors()).toBe(before);
    });

    it("keeps no more descriptors than it may, and what is open beyond that", async () => {
      const { d, top } = await open({ ...options, descriptors: 16 });
      const before = openDescriptors();
      const nodes: object[] = [];
      const open3: unknown[] = [];
      for (let i = 0; i < 100; i++) nodes.push(await d.file(top, `f${i}`, `${i}`));
      expect(openDescriptors()).toBeLessThanOrEqual(before + 18);
      for (const node of nodes) open3.push(await d.open(node, 3));
      for (let i = 0; i < 100; i += 2) await d.remove(top, `f${i}`);
      for (const [i, node] of nodes.entries()) {
        expect(await d.content(node)).toBe(`${i}`);
        expect((await d.attributes(node)).nlink).toBe(i % 2);
      }
      for (const file of open3) await d.fs.close(file);
      for (let i = 1; i < 100; i += 2) expect(await d.content(nodes[i]!)).toBe(`${i}`);
      expect(openDescriptors()).toBeLessThanOrEqual(before + 18);
    });

    it("lets go of what was not used for a while, and of the space of what others have deleted", async () => {
      const clock = new VirtualClock();
      const { d, top } = await open({ ...options, clock });
      const before = openDescriptors();
      const kept = await d.file(top, "kept", "x");
      const file = await d.open(kept, OPEN_READ);
      const gone = await d.file(top, "gone", "x");
      await d.attributes(gone);
      unlinkSync(join(path, "gone"));
      expect(deletedButOpen("gone")).toBe(1);
      await clock.runUntil(clock.now() + 5_000_000);
      expect(deletedButOpen("gone")).toBe(0);
      expect(openDescriptors()).toBe(before + 2);
      expect(await d.fs.getattr(gone, root)).toBe("ESTALE");
      expect(await d.read(file, 0, 1)).toMatchObject({ content: "x" });
      await d.fs.close(file);
      await clock.runUntil(clock.now() + 10_000_000);
      expect(openDescriptors()).toBe(before);
      expect(await d.content(kept)).toBe("x");
    });

    it("frees at once what is removed by us", async () => {
      const { d, top } = await open(options);
      await d.attributes(await d.file(top, "a", "x"));
      await d.attributes(await d.file(top, "b", "x"));
      await d.remove(top, "a");
      await d.rename(top, "b", top, "c");
      await d.file(top, "d");
      await d.attributes(await d.lookup(top, "c"));
      await d.rename(top, "d", top, "c");
      for (const name of ["a", "b", "c"]) expect(deletedButOpen(name)).toBe(0);
    });

    it("gives the same change attributes after descriptors have come and gone", async () => {
      const { d, top } = await open({ ...options, descriptors: 16 });
      const node = await d.file(top, "file");
      let last = (await d.attributes(node)).change;
      for (let i = 0; i < 30; i++) {
        for (let j = 0; j < 20; j++) await d.attributes(await d.file(top, `other-${i}-${j}`));
        expect((await d.attributes(node)).change).toBe(last);
        await d.set(node, { mode: 0o600 + (i % 2) });
        const { change } = await d.attributes(node);
        expect(change).toBeGreaterThan(last);
        last = change;
      }
    });

    it.runIf(isRoot)("neither enters what is mounted on the export nor removes what is under it", async () => {
      for (const confine of [true, false]) {
        const name = `mounted-${confine}`;
        mkdirSync(join(path, name));
        writeFileSync(join(path, name, "under"), "");
        execFileSync("mount", ["-t", "tmpfs", "nfs4-test", join(path, name)]);
        try {
          writeFileSync(join(path, name, "over"), "");
          const { d, fileSystem, top } = await open({ ...options, confine });
          expect(fileSystem.confined).toBe(confine);
          if (confine) {
            expect(await d.names(await d.lookup(top, name))).toEqual(["under"]);
            expect(await d.names(top)).toContain(name);
          } else {
            expect(await d.fs.lookup(top, name, root)).toBe("ENOENT");
            expect(await d.names(top)).not.toContain(name);
          }
          expect(await d.fs.remove(top, name, root)).toMatch(/^E(BUSY|NOTEMPTY)$/);
          expect(await d.fs.create(top, name, { type: "directory", attributes: {} }, root)).toBe("EEXIST");
        } finally {
          execFileSync("umount", ["-l", join(path, name)]);
        }
      }
    });

    it.runIf(isRoot)("sees at once when somebody takes a permission away", async () => {
      const clock = new VirtualClock();
      const { d, top } = await open({ ...options, clock });
      const directory = await d.directory(top, "directory", { mode: 0o755 });
      await d.file(directory, "file", "x", { mode: 0o644 });
      chmodSync(path, 0o755);
      const file = await d.lookup(directory, "file");
      for (let i = 0; i < 20; i++) {
        chmodSync(join(path, "directory"), 0o755);
        chmodSync(join(path, "directory", "file"), 0o644);
        for (let j = 0; j < 3; j++) {
          await ok(d.fs.lookup(directory, "file", alice));
          expect(await ok(d.fs.access(file, 7, alice))).toBe(4);
          // Remembered from the second time on.
          await clock.runUntil(clock.now() + 60_000);
        }
        chmodSync(join(path, "directory"), 0o700);
        chmodSync(join(path, "directory", "file"), 0o600);
        expect(await d.fs.lookup(directory, "file", alice)).toBe("EACCES");
        expect(await d.fs.readdir(directory, 0n, 10, alice)).toBe("EACCES");
        expect(await d.fs.open(file, OPEN_READ, alice)).toBe("EACCES");
        expect(await ok(d.fs.access(file, 7, alice))).toBe(0);
        expect(await ok(d.fs.access(directory, MAY_EXECUTE, alice))).toBe(0);
      }
    });

    it("keeps its keys when it is opened again", async () => {
      const first = await open(options);
      const directory = await first.d.directory(first.top, "kept");
      const file = await first.d.file(directory, "file", "kept");
      const [directoryKey, fileKey] = [first.d.fs.key(directory).slice(), first.d.fs.key(file).slice()];
      await first.fileSystem.dispose();
      renameSync(join(path, "kept", "file"), join(path, "kept", "renamed by another"));
      const second = await open(options);
      const found = await second.d.fs.resolve(fileKey);
      // A handle finds it; a path is lost until somebody looks.
      expect(typeof found === "string").toBe(keys === "paths");
      expect(await second.d.names(await ok(second.d.fs.resolve(directoryKey)))).toEqual(["renamed by another"]);
      const node = await second.d.lookup(await second.d.lookup(second.top, "kept"), "renamed by another");
      expect(second.d.fs.key(node)).toEqual(fileKey);
      expect(await second.d.content(await ok(second.d.fs.resolve(fileKey)))).toBe("kept");
    });

    it("writes to the disk what it says", async () => {
      const { d, top } = await open(options);
      const { file } = await d.make(top, "file", { type: "file", attributes: { mode: 0o640 }, open: 3 });
      await ok(d.fs.write(file, 3, bytes("abc"), "data-sync", root));
      await ok(d.fs.commit(file, 0, 0, root));
      await d.fs.close(file);
      linkSync(join(path, "file"), join(path, "linked"));
      expect(statSync(join(path, "linked"))).toMatchObject({ size: 6, nlink: 2, mode: 0o100640 });
      rmSync(join(path, "file"));
      expect(await d.content(await d.lookup(top, "linked"))).toBe("\0\0\0abc");
      mkdirSync(join(path, "empty"));
      await d.remove(top, "empty");
      expect(() => rmdirSync(join(path, "empty"))).toThrow("ENOENT");
    });
  });

  it("ends what is under way and answers ESTALE from then on", async () => {
    const before = openDescriptors();
    const { d, fileSystem, top } = await open();
    const node = await d.file(top, "file");
    const making = Array.from({ length: 20 }, (_, i) =>
      d.fs.create(top, `f${i}`, { type: "file", attributes: {}, open: 3 }, root),
    );
    const linking = d.fs.link(node, top, "linked", root);
    await fileSystem.dispose();
    for (const made of await Promise.all(making)) expect(made).toHaveProperty("file");
    await ok(linking);
    expect(readdirSync(path).length).toBe(22);
    expect(await d.fs.getattr(node, root)).toBe("ESTALE");
    expect(await d.fs.lookup(top, "file", root)).toBe("ESTALE");
    expect(await d.fs.create(top, "x", { type: "file", attributes: {} }, root)).toBe("ESTALE");
    expect(await d.fs.resolve(d.fs.key(node))).toBe("ESTALE");
    expect(openDescriptors()).toBe(before);
  });
});

/** How many of our descriptors keep a file that has no name any more. */
function deletedButOpen(name: string): number {
  let count = 0;
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).endsWith(`/${name} (deleted)`)) count++;
    } catch {
      // The descriptor of this listing.
    }
  }
  return count;
}

/** A process that keeps exchanging a/ and b, until it is stopped. */
async function startSwapping(path: string): Promise<ChildProcess> {
  const script = `
    const { renameSync } = require("node:fs");
    const [a, b, c] = ["a", "b", "c"].map((name) => ${JSON.stringify(path)} + "/" + name);
    process.stdout.write("ready");
    for (;;) {
      renameSync(a, c); renameSync(b, a); renameSync(c, b);
    }`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once("data", () => resolve());
    child.once("exit", () => reject(new Error("the swapper has ended")));
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
