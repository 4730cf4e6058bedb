import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytes, good, isRoot, outcome, Scratch, withoutFiles } from "../test/scratch.ts";
import { ACCESS, AT, type Identity, O, S, STATX } from "./index.ts";

const alice: Identity = { uid: 1001, gid: 2001, groups: [2001, 3000] };
const bob: Identity = { uid: 1002, gid: 2002, groups: [] };
const many: Identity = { uid: 1003, gid: 2003, groups: Array.from({ length: 1024 }, (_, i) => 5000 + i) };

describe.runIf(withoutFiles === undefined && isRoot)("identity", () => {
  let s: Scratch;
  beforeAll(() => {
    s = new Scratch();
    s.files.sync.chmod(s.root, 0o777);
  });
  afterAll(() => s.remove());

  /** What the kernel says about the calling thread: real, effective, saved and file system ids, groups, effective capabilities. */
  const credentials = (): string =>
    readFileSync("/proc/thread-self/status", "latin1")
      .split("\n")
      .filter((line) => /^(Uid|Gid|Groups|CapEff):/.test(line))
      .join("\n");

  it.each(["sync", "pool"] as const)("%s: files belong to whom they were made for", async (how) => {
    const fd = good(await s.files[how].open(s.root, `of alice by ${how}`, O.RDWR | O.CREAT, 0o600, alice));
    expect(statSync(join(s.path, `of alice by ${how}`))).toMatchObject({ uid: 1001, gid: 2001 });
    expect(await s.files[how].mkdir(s.root, `directory of bob by ${how}`, 0o700, bob)).toBe(0);
    expect(statSync(join(s.path, `directory of bob by ${how}`))).toMatchObject({ uid: 1002, gid: 2002 });
    s.files.sync.close(fd);
  });

  it.each(["sync", "pool"] as const)(
    "%s: another user's rights are that user's, root's capabilities gone",
    async (how) => {
      const calls = s.files[how];
      const name = `secret by ${how}`;
      const fd = good(await calls.open(s.root, name, O.RDWR | O.CREAT, 0o640, alice));
      const handle = good(s.files.sync.open(s.root, name, O.PATH, 0));
      expect(outcome(await calls.open(s.root, name, O.RDONLY, 0, bob))).toBe("EACCES");
      expect(outcome(await calls.reopen(handle, O.RDONLY, bob))).toBe("EACCES");
      expect(outcome(await calls.access(handle, ACCESS.READ, bob))).toBe("EACCES");
      expect(await calls.access(handle, ACCESS.READ | ACCESS.WRITE, alice)).toBe(0);
      expect(outcome(await calls.chmod(handle, 0o777, bob))).toBe("EPERM");
      expect(outcome(await calls.chown(handle, 1002, 2002, alice))).toBe("EPERM");
      expect(outcome(await calls.mknod(s.root, "device", S.IFCHR | 0o600, 1, 3, alice))).toBe("EPERM");
      expect(outcome(await calls.truncatePath(handle, 0, bob))).toBe("EACCES");
      const group = { uid: 1009, gid: 1, groups: [2001] };
      good(await calls.close(good(await calls.reopen(handle, O.RDONLY, group))));
      expect(outcome(await calls.reopen(handle, O.RDWR, group))).toBe("EACCES");
      // By supplementary group, to the last of many.
      expect(await calls.chown(handle, 0, 5000 + 1023)).toBe(0);
      good(await calls.close(good(await calls.reopen(handle, O.RDONLY, many))));
      // And the process itself is root again.
      good(await calls.close(good(await calls.open(s.root, name, O.RDWR, 0))));
      // What is open stays usable by whomever, as NFS needs it.
      expect(await calls.write(fd, bytes("x"), 0, 0, bob)).toBe(1);
      expect(await calls.chmod(handle, 0o644)).toBe(0);
      s.files.sync.close(fd);
      s.files.sync.close(handle);
    },
  );

  it("the calling thread is as it was after each call, whatever its outcome", async () => {
    const before = credentials();
    s.files.sync.mkdir(s.root, "x", 0o700, alice);
    expect(credentials()).toBe(before);
    s.files.sync.open(s.root, "nothing here", O.RDONLY, 0, many);
    expect(credentials()).toBe(before);
    await s.files.pool.mkdir(s.root, "y", 0o700, alice);
    expect(credentials()).toBe(before);
    expect(() => s.files.sync.mkdir(s.root, "z", 0o700, { ...many, groups: [...many.groups, 1] })).toThrow(RangeError);
    expect(credentials()).toBe(before);
  });

  it("an id that stands for no one is refused, not ignored", async () => {
    for (const nobody of [
      { ...alice, uid: 0xffffffff },
      { ...alice, gid: 0xffffffff },
      { ...alice, groups: [0xffffffff] },
    ]) {
      expect(outcome(s.files.sync.mkdir(s.root, "nobody", 0o700, nobody))).toBe("EINVAL");
      expect(outcome(await s.files.pool.mkdir(s.root, "nobody", 0o700, nobody))).toBe("EINVAL");
    }
    expect(outcome(s.files.sync.unlink(s.root, "nobody", AT.REMOVEDIR))).toBe("ENOENT");
    expect(await s.files.pool.access(s.root, ACCESS.WRITE)).toBe(0);
  });

  it("a thousand calls at the same time as different users do not mix", async () => {
    const users = Array.from({ length: 1000 }, (_, i) =>
      i % 5 === 0 ? undefined : { uid: 3000 + i, gid: 4000 + i, groups: [i] },
    );
    const made = await Promise.all(users.map((user, i) => s.files.pool.mkdir(s.root, `user ${i}`, 0o700, user)));
    expect(made.every((result) => result === 0)).toBe(true);
    const stats = await Promise.all(users.map((_, i) => s.files.pool.statx(s.root, `user ${i}`, 0, STATX.BASIC_STATS)));
    expect(stats.map((st) => [good(st).uid, good(st).gid])).toEqual(
      users.map((user) => [user?.uid ?? 0, user?.gid ?? 0]),
    );
  });

  it("runAs: in force for the calls within, nested, and given up also by an exception", () => {
    const before = credentials();
    const { sync } = s.files;
    const inner = s.files.runAs(alice, () => {
      expect(sync.mkdir(s.root, "within 1", 0o700)).toBe(0);
      expect(credentials()).toContain("Uid:\t0\t0\t0\t1001");
      expect(sync.mkdir(s.root, "within 2", 0o700, bob)).toBe(0);
      s.files.runAs(bob, () => expect(sync.mkdir(s.root, "within 3", 0o700)).toBe(0));
      expect(sync.mkdir(s.root, "within 4", 0o700)).toBe(0);
      return "result";
    });
    expect(inner).toBe("result");
    expect(credentials()).toBe(before);
    const owners = [1, 2, 3, 4].map((i) => good(sync.statx(s.root, `within ${i}`, 0, STATX.UID)).uid);
    expect(owners).toEqual([1001, 1002, 1002, 1001]);
    expect(() =>
      s.files.runAs(alice, () => {
        throw new Error("of the action");
      }),
    ).toThrow("of the action");
    expect(credentials()).toBe(before);
    expect(() => s.files.runAs({ ...alice, uid: 0xffffffff }, () => 1)).toThrow("EINVAL");
    expect(credentials()).toBe(before);
  });

  it("a worker's umask is none, and the process keeps its own", async () => {
    const before = process.umask();
    process.umask(0o077);
    try {
      await s.files.pool.mkdir(s.root, "open to all", 0o777, alice);
      s.files.sync.mkdir(s.root, "as the process", 0o777, alice);
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(before);
    }
    expect(statSync(join(s.path, "open to all")).mode & 0o777).toBe(0o777);
    expect(statSync(join(s.path, "as the process")).mode & 0o777).toBe(0o700);
  });
});
