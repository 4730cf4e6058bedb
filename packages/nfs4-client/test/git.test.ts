/** isomorphic-git keeps a repository on an export, by each face; then git itself looks at a copy of it. */
import { execFileSync } from "node:child_process";
import * as local from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as git from "isomorphic-git";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type NfsPromises } from "../src/index.ts";
import { type LoopbackServer, startLoopbackServer } from "./loopback.ts";

type GitFs = Parameters<typeof git.init>[0]["fs"];

const AUTHOR = { name: "A. U. Thor", email: "author@example.com", timestamp: 1_700_000_000, timezoneOffset: 0 };
const hasGit = (() => {
  try {
    return execFileSync("git", ["--version"]).length > 0;
  } catch {
    return false;
  }
})();

/** Each is found out by isomorphic-git in another way. */
const FACES: Readonly<Record<string, (nfs: NfsPromises) => GitFs>> = {
  promises: (nfs) => ({ promises: nfs }),
  "promises alone": (nfs) => nfs,
  "callbacks, with promises": (nfs) => nfs.callbacks,
  "callbacks alone": ({ callbacks: { promises: _, ...functions } }) => functions,
};

let server: LoopbackServer;
let nfs: NfsPromises;

beforeAll(async () => {
  server = await startLoopbackServer();
  nfs = await connect(server.url);
});
afterAll(async () => {
  await nfs.close();
  await server.close();
});

async function makeRepository(fs: GitFs, dir: string): Promise<void> {
  const commit = (message: string) => git.commit({ fs, dir, message, author: AUTHOR });
  await git.init({ fs, dir, defaultBranch: "main" });
  await nfs.writeFile(`${dir}/a.txt`, "one\n");
  await nfs.mkdir(`${dir}/src/inner`, { recursive: true });
  await nfs.writeFile(`${dir}/src/inner/run.sh`, "#!/bin/sh\n", { mode: 0o755 });
  await nfs.symlink("a.txt", `${dir}/link`);
  await git.add({ fs, dir, filepath: ["a.txt", "src", "link"] });
  await commit("first");
  await git.branch({ fs, dir, ref: "topic", checkout: true });
  await nfs.writeFile(`${dir}/a.txt`, "two\n");
  await nfs.writeFile(`${dir}/b.txt`, "b\n");
  await git.add({ fs, dir, filepath: ["a.txt", "b.txt"] });
  await git.remove({ fs, dir, filepath: "link" });
  await commit("second");
}

/** Git, on a copy of the repository. */
async function withCopy(dir: string, use: (git: (...args: string[]) => string) => void): Promise<void> {
  const to = await local.mkdtemp(join(tmpdir(), "nfs-git-"));
  try {
    await copyOut(dir, to);
    use((...args) =>
      execFileSync("git", args, {
        cwd: to,
        encoding: "utf8",
        env: { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", HOME: to },
      }),
    );
  } finally {
    await local.rm(to, { recursive: true });
  }
}

async function copyOut(from: string, to: string): Promise<void> {
  for (const entry of await nfs.readdir(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${entry.name}`, join(to, entry.name)];
    if (entry.isSymbolicLink()) await local.symlink(await nfs.readlink(source), target);
    else if (entry.isDirectory()) {
      await local.mkdir(target);
      await copyOut(source, target);
    } else await local.writeFile(target, await nfs.readFile(source), { mode: (await nfs.stat(source)).mode });
  }
}

describe.each(Object.entries(FACES))("a repository kept by %s", (name, face) => {
  const dir = `/${name.replaceAll(/\W+/g, "-")}`;
  let fs: GitFs;

  beforeAll(async () => {
    fs = face(nfs);
    await nfs.mkdir(dir);
    await makeRepository(fs, dir);
  });

  it("has its log, branches and files", async () => {
    const log = await git.log({ fs, dir });
    expect(log.map(({ commit }) => commit.message)).toEqual(["second\n", "first\n"]);
    expect(await git.listBranches({ fs, dir })).toEqual(["main", "topic"]);
    expect(await git.currentBranch({ fs, dir })).toBe("topic");
    expect(await git.listFiles({ fs, dir })).toEqual(["a.txt", "b.txt", "src/inner/run.sh"]);
  });

  it("is checked out, back and forth", async () => {
    await git.checkout({ fs, dir, ref: "main" });
    expect(await nfs.readFile(`${dir}/a.txt`, "utf8")).toBe("one\n");
    expect(await nfs.readlink(`${dir}/link`)).toBe("a.txt");
    expect((await nfs.stat(`${dir}/src/inner/run.sh`)).mode & 0o111).not.toBe(0);
    await expect(nfs.stat(`${dir}/b.txt`)).rejects.toMatchObject({ code: "ENOENT" });
    await git.checkout({ fs, dir, ref: "topic" });
    expect(await nfs.readFile(`${dir}/a.txt`, "utf8")).toBe("two\n");
    await expect(nfs.lstat(`${dir}/link`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("tells what has changed", async () => {
    expect(await git.status({ fs, dir, filepath: "a.txt" })).toBe("unmodified");
    // Of the same size: only times and contents tell.
    await nfs.writeFile(`${dir}/a.txt`, "TWO\n");
    await nfs.writeFile(`${dir}/new.txt`, "new\n");
    await nfs.unlink(`${dir}/b.txt`);
    expect(await git.status({ fs, dir, filepath: "a.txt" })).toBe("*modified");
    expect(await git.status({ fs, dir, filepath: "new.txt" })).toBe("*added");
    expect(await git.status({ fs, dir, filepath: "b.txt" })).toBe("*deleted");
    if (hasGit)
      await withCopy(dir, (run) => expect(run("status", "--porcelain")).toBe(" M a.txt\n D b.txt\n?? new.txt\n"));
  });

  it.skipIf(!hasGit)(
    hasGit ? "is the same to git" : "is the same to git (left out: git is not installed)",
    async () => {
      const log = await git.log({ fs, dir });
      await withCopy(dir, (run) => {
        expect(run("fsck", "--strict", "--full")).toBe("");
        expect(run("log", "--format=%H %an %at %s").trim().split("\n")).toEqual(
          log.map(
            ({ oid, commit: { author, message } }) => `${oid} ${author.name} ${author.timestamp} ${message.trim()}`,
          ),
        );
        expect(run("branch", "--format=%(refname:short)")).toBe("main\ntopic\n");
        expect(run("ls-files", "--stage", "src")).toMatch(/^100755 \w{40} 0\tsrc\/inner\/run.sh\n$/);
        expect(run("ls-tree", "main", "link")).toMatch(/^120000 blob \w{40}\tlink\n$/);
      });
    },
  );
});
