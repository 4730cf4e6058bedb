import { existsSync, lstatSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytes, good, isRoot, outcome, Scratch, text, withoutFiles } from "../test/scratch.ts";
import { AT, DirentReader, DT, type FileSystemCalls, IN, O, RENAME, RESOLVE, S, STATX, WatchReader } from "./index.ts";

describe.runIf(withoutFiles === undefined)("names", () => {
  let s: Scratch;
  let sync: FileSystemCalls;
  beforeAll(() => {
    s = new Scratch();
    sync = s.files.sync;
  });
  afterAll(() => s.remove());

  const make = (name: string, content = ""): number => {
    writeFileSync(join(s.path, name), content);
    return good(sync.open(s.root, name, O.PATH, 0));
  };

  it("are one component: no slash, no NUL, not empty", () => {
    for (const name of ["a/b", "/etc", "", "a\0b", new Uint8Array(0), Uint8Array.of(97, 0), Uint8Array.of(47)]) {
      expect(outcome(sync.open(s.root, name, O.PATH, 0))).toBe("EINVAL");
      expect(outcome(sync.statx(s.root, name, 0, STATX.BASIC_STATS))).toBe("EINVAL");
      expect(outcome(sync.mkdir(s.root, name, 0o700))).toBe("EINVAL");
      expect(outcome(sync.mknod(s.root, name, S.IFREG, 0, 0))).toBe("EINVAL");
      expect(outcome(sync.symlink(s.root, name, "x"))).toBe("EINVAL");
      expect(outcome(sync.link(s.root, name, s.root, "x"))).toBe("EINVAL");
      expect(outcome(sync.link(s.root, "x", s.root, name))).toBe("EINVAL");
      expect(outcome(sync.linkFd(s.root, s.root, name))).toBe("EINVAL");
      expect(outcome(sync.unlink(s.root, name, 0))).toBe("EINVAL");
      expect(outcome(sync.rename(s.root, name, s.root, "x", 0))).toBe("EINVAL");
      expect(outcome(sync.rename(s.root, "x", s.root, name, 0))).toBe("EINVAL");
      expect(outcome(sync.nameToHandle(s.root, name, 0))).toBe("EINVAL");
      expect(outcome(sync.readlink(s.root, name, new Uint8Array(8)))).toBe("EINVAL");
    }
    expect(readdirSync(s.path)).toEqual([]);
  });

  it.runIf(isRoot)("lead neither above a cloned tree nor into what is mounted on it", (context) => {
    const outside = good(sync.open(s.root, ".", O.PATH | O.DIRECTORY, 0));
    for (const name of ["cloned", "elsewhere"]) expect(sync.mkdir(s.root, name, 0o755)).toBe(0);
    const tree = sync.cloneTree(good(sync.open(s.root, "cloned", O.PATH, 0)));
    if (["EPERM", "ENOSYS"].includes(outcome(tree))) context.skip("open_tree is not allowed here");
    expect(sync.mkdir(good(tree), "moved", 0o755)).toBe(0);
    const moved = good(sync.open(tree, "moved", O.PATH, 0));
    const ino = (fd: number): number => good(sync.statx(fd, null, 0, STATX.INO)).inoLow;
    expect(ino(good(sync.open(tree, "..", O.PATH, 0)))).toBe(ino(tree));
    expect(ino(good(sync.open(moved, "..", O.PATH, 0)))).toBe(ino(tree));
    expect(sync.rename(good(sync.open(s.root, "cloned", O.PATH, 0)), "moved", outside, "elsewhere", 0)).toBe(0);
    expect(outcome(sync.open(moved, "..", O.PATH, 0))).toBe("ENOENT");
    for (const name of ["cloned", "elsewhere"]) expect(sync.unlink(s.root, name, AT.REMOVEDIR)).toBe(0);
  });

  it("are watched: one event for each change of an entry", () => {
    const watch = good(sync.watchOpen());
    const number = good(sync.watchAdd(watch, s.root, IN.CREATE | IN.DELETE | IN.MOVED_FROM | IN.MOVED_TO | IN.ATTRIB));
    const buffer = new Uint8Array(4096);
    const events = (): string[] => {
      const length = sync.watchRead(watch, buffer);
      if (outcome(length) === "EAGAIN") return [];
      const found: string[] = [];
      for (const reader = new WatchReader(buffer, good(length)); reader.next(); ) {
        expect(reader.watch).toBe(number);
        const name = Object.entries(IN).find(([, bit]) => reader.mask & bit)?.[0];
        found.push(reader.named ? `${name} entry` : `${name}`);
      }
      return found;
    };
    expect(events()).toEqual([]);
    expect(sync.mkdir(s.root, "watched", 0o755)).toBe(0);
    expect(sync.rename(s.root, "watched", s.root, "moved", 0)).toBe(0);
    expect(events()).toEqual(["CREATE entry", "MOVED_FROM entry", "MOVED_TO entry"]);
    expect(sync.chmod(s.root, 0o755)).toBe(0);
    expect(sync.unlink(s.root, "moved", AT.REMOVEDIR)).toBe(0);
    expect(events()).toEqual(["ATTRIB", "DELETE entry"]);
    expect(sync.watchRemove(watch, number)).toBe(0);
    expect(events()).toEqual(["IGNORED"]);
    sync.close(watch);
  });

  it("are too long from 256 bytes on, however long", async () => {
    for (const length of [256, 4095, 4096, 100_000]) {
      expect(outcome(sync.mkdir(s.root, "x".repeat(length), 0o700))).toBe("ENAMETOOLONG");
      expect(outcome(await s.files.pool.mkdir(s.root, new Uint8Array(length).fill(120), 0o700))).toBe("ENAMETOOLONG");
    }
    expect(sync.mkdir(s.root, "ä".repeat(127), 0o700)).toBe(0);
    expect(sync.unlink(s.root, "ä".repeat(127), AT.REMOVEDIR)).toBe(0);
  });

  it("may be any bytes", async () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 255 }).filter((n) => !n.includes(0) && !n.includes(47));
    await fc.assert(
      fc.asyncProperty(name, async (raw) => {
        fc.pre(!(raw[0] === 46 && (raw.length === 1 || (raw.length === 2 && raw[1] === 46))));
        expect(await s.files.pool.mkdir(s.root, raw, 0o755)).toBe(0);
        expect(sync.mkdir(s.root, raw, 0o755)).toBe(-17);
        expect(await s.files.pool.unlink(s.root, raw, AT.REMOVEDIR)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("open: makes files with exactly the mode asked for, on a worker", async () => {
    const fd = good(await s.files.pool.open(s.root, "made", O.RDWR | O.CREAT | O.EXCL, 0o666));
    expect(statSync(join(s.path, "made")).mode).toBe(0o100666);
    expect(outcome(await s.files.pool.open(s.root, "made", O.RDWR | O.CREAT | O.EXCL, 0o666))).toBe("EEXIST");
    expect(await s.files.pool.close(fd)).toBe(0);
    expect(outcome(await s.files.pool.close(fd))).toBe("EBADF");
  });

  it("open and openBeneath do not follow a link, reopen does not open one", () => {
    expect(sync.symlink(s.root, "out", "/etc")).toBe(0);
    expect(outcome(sync.open(s.root, "out", O.RDONLY, 0))).toBe("ELOOP");
    const link = good(sync.open(s.root, "out", O.PATH, 0));
    expect(outcome(sync.reopen(link, O.RDONLY))).toBe("ELOOP");
    sync.close(link);
    const beneath = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;
    expect(outcome(sync.openBeneath(s.root, "out/passwd", O.RDONLY, 0, beneath))).toBe("ELOOP");
    expect(outcome(sync.openBeneath(s.root, "../x", O.PATH, 0, beneath))).toBe("EXDEV");
    expect(sync.mkdir(s.root, "d", 0o755)).toBe(0);
    const inner = good(sync.openBeneath(s.root, "d/file", O.RDWR | O.CREAT, 0o600, beneath));
    expect(existsSync(join(s.path, "d/file"))).toBe(true);
    sync.close(inner);
  });

  it("opening a FIFO does not block", async () => {
    expect(sync.mknod(s.root, "fifo", S.IFIFO | 0o600, 0, 0)).toBe(0);
    sync.close(good(await s.files.pool.open(s.root, "fifo", O.RDONLY, 0)));
    expect(outcome(await s.files.pool.open(s.root, "fifo", O.WRONLY, 0))).toBe("ENXIO");
  });

  it.runIf(isRoot)("mknod: device numbers of 12 and 20 bits", () => {
    expect(sync.mknod(s.root, "device", S.IFCHR | 0o600, 0xabc, 0xfedcb)).toBe(0);
    const status = good(sync.statx(s.root, "device", 0, STATX.BASIC_STATS));
    expect(status).toMatchObject({ rdevMajor: 0xabc, rdevMinor: 0xfedcb, mode: S.IFCHR | 0o600 });
  });

  it("readlink: by name, by descriptor, cut to the buffer", () => {
    const target = "x".repeat(4000);
    expect(sync.symlink(s.root, "long", target)).toBe(0);
    const link = good(sync.open(s.root, "long", O.PATH, 0));
    const into = new Uint8Array(4096);
    expect(text(into, good(sync.readlink(s.root, "long", into)))).toBe(target);
    expect(text(into, good(sync.readlink(link, null, into)))).toBe(target);
    expect(sync.readlink(link, null, new Uint8Array(10))).toBe(10);
    expect(sync.linkFd(link, s.root, "long again")).toBe(0);
    expect(readlinkSync(join(s.path, "long again"))).toBe(target);
    sync.close(link);
  });

  it("link, linkFd, rename, unlink", () => {
    const fd = make("one", "1");
    expect(sync.link(s.root, "one", s.root, "two")).toBe(0);
    expect(sync.linkFd(fd, s.root, "three")).toBe(0);
    expect(good(sync.statx(fd, null, 0, STATX.NLINK)).nlink).toBe(3);
    expect(outcome(sync.rename(s.root, "one", s.root, "two", RENAME.NOREPLACE))).toBe("EEXIST");
    writeFileSync(join(s.path, "other"), "other");
    expect(sync.rename(s.root, "other", s.root, "one", RENAME.EXCHANGE)).toBe(0);
    expect(good(sync.statx(s.root, "one", 0, STATX.SIZE)).size).toBe(5);
    expect(sync.rename(s.root, "one", s.root, bytes("moved"), 0)).toBe(0);
    for (const name of ["other", "two", "three"]) expect(sync.unlink(s.root, name, 0)).toBe(0);
    expect(good(sync.statx(fd, null, 0, STATX.NLINK)).nlink).toBe(0);
    sync.close(fd);
    expect(lstatSync(join(s.path, "moved")).size).toBe(5);
  });

  it("getdents: every entry once, continued from any cookie, by calls at the same time too", async () => {
    expect(sync.mkdir(s.root, "many", 0o755)).toBe(0);
    const many = good(sync.open(s.root, "many", O.RDONLY | O.DIRECTORY, 0));
    const names = Array.from({ length: 500 }, (_, i) => `entry ${i}`);
    await Promise.all(names.map((name) => s.files.pool.mknod(many, name, S.IFREG | 0o600, 0, 0)));

    const cookies: (readonly [number, number])[] = [[0, 0]];
    const listed: string[] = [];
    let high = 0;
    let low = 0;
    for (;;) {
      const into = new Uint8Array(1000);
      const length = good(sync.getdents(many, high, low, into));
      if (length === 0) break;
      const reader = new DirentReader(into, length);
      while (reader.next()) {
        listed.push(text(reader.name()));
        high = reader.cookieHigh;
        low = reader.cookieLow;
        cookies.push([high, low]);
        if (listed.at(-1)!.startsWith("entry")) expect([DT.REG, DT.UNKNOWN]).toContain(reader.type);
      }
    }
    expect([...listed].sort()).toEqual([...names, ".", ".."].sort());

    const at = Array.from({ length: 200 }, (_, i) => (i * 37) % 500);
    const results = await Promise.all(
      at.map(async (index) => {
        const into = new Uint8Array(64);
        const [h, l] = cookies[index]!;
        const reader = new DirentReader(into, good(await s.files.pool.getdents(many, h, l, into)));
        reader.next();
        return text(reader.name());
      }),
    );
    expect(results).toEqual(at.map((index) => listed[index]));
    expect(outcome(sync.getdents(many, 0, 0, new Uint8Array(8)))).toBe("EINVAL");
    expect(outcome(sync.getdents(s.root, 0, 0, new Uint8Array(1000)))).toBe("EBADF");
    sync.close(many);
  });
});
