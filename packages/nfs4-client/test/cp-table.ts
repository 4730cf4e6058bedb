/** The rows of the table that are about `cp`. */
import { type Case, type Fs, lasting, tree } from "./fs-table.ts";

/** What is below a directory: of each its kind and what is in it. Links that are resolved begin at the directory "@". */
async function contents(fs: Fs, at: string, below = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await fs.readdir(`${at}${below}`, { withFileTypes: true })) {
    const path = `${below}/${entry.name}`;
    if (entry.isSymbolicLink()) found.push(`${path} -> ${(await fs.readlink(at + path)).replace(at, "@")}`);
    else if (entry.isDirectory()) found.push(`${path}/`, ...(await contents(fs, at, path)));
    else found.push(`${path}: ${await fs.readFile(at + path, "utf8")}`);
  }
  return found.sort();
}

async function inner(fs: Fs, at: string): Promise<void> {
  await fs.mkdir(`${at}/tree/inner/deep`, { recursive: true });
  await fs.writeFile(`${at}/tree/file`, "file");
  await fs.writeFile(`${at}/tree/inner/other`, "other", { mode: 0o640 });
}

export const CP_CASES: readonly Case[] = [
  [
    "cp of a file, with directories that are missing",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "text", { mode: 0o750 });
      await fs.cp(`${at}/a`, `${at}/b`);
      await fs.cp(`${at}/a`, `${at}/x/y/c`);
      return [await contents(fs, at), lasting(await fs.stat(`${at}/x/y/c`))];
    },
  ],
  [
    "cp of a tree",
    async (fs, at) => {
      await tree(fs, at);
      await fs.chmod(`${at}/tree/inner`, 0o710);
      await fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true });
      return [await contents(fs, at), lasting(await fs.stat(`${at}/copy/inner`))];
    },
  ],
  [
    "cp of a tree with links as they are",
    async (fs, at) => {
      await tree(fs, at);
      await fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true, verbatimSymlinks: true });
      return contents(fs, at);
    },
  ],
  [
    "cp of what links lead to",
    async (fs, at) => {
      await inner(fs, at);
      await fs.symlink("inner", `${at}/tree/link`);
      await fs.symlink("../file", `${at}/tree/inner/tofile`);
      await fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true, dereference: true });
      return contents(fs, at);
    },
  ],
  [
    "cp of a tree into one that is there",
    async (fs, at) => {
      await inner(fs, at);
      await fs.mkdir(`${at}/copy/inner`, { recursive: true });
      await fs.writeFile(`${at}/copy/inner/other`, "old", { mode: 0o600 });
      await fs.writeFile(`${at}/copy/inner/kept`, "kept");
      await fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true });
      return [await contents(fs, at), lasting(await fs.stat(`${at}/copy/inner/other`))];
    },
  ],
  [
    "cp without force leaves what is there",
    async (fs, at) => {
      await inner(fs, at);
      await fs.mkdir(`${at}/copy`);
      await fs.writeFile(`${at}/copy/file`, "old");
      await fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true, force: false });
      return contents(fs, at);
    },
  ],
  [
    "cp over what is there, where that is an error",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.writeFile(`${at}/b`, "2");
      await fs.cp(`${at}/a`, `${at}/b`, { force: false, errorOnExist: true });
    },
  ],
  [
    "cp with a filter",
    async (fs, at) => {
      await inner(fs, at);
      const asked: string[] = [];
      await fs.cp(`${at}/tree`, `${at}/copy`, {
        recursive: true,
        filter: (source, destination) => {
          asked.push(`${source.slice(at.length)} ${destination.slice(at.length)}`);
          return !source.endsWith("file");
        },
      });
      return [asked.sort(), await contents(fs, at)];
    },
  ],
  [
    "cp with a filter that takes time, and refuses",
    async (fs, at) => {
      await inner(fs, at);
      await fs.cp(`${at}/tree`, `${at}/copy`, { recursive: true, filter: async (source) => !source.endsWith("inner") });
      await fs.cp(`${at}/nowhere`, `${at}/other`, { filter: async () => false });
      return contents(fs, at);
    },
  ],
  [
    "cp that keeps times",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1", { mode: 0o444 });
      await fs.utimes(`${at}/a`, 1000, 2000);
      await fs.cp(`${at}/a`, `${at}/b`, { preserveTimestamps: true });
      const stats = await fs.stat(`${at}/b`);
      return [stats.mtimeMs, lasting(stats)];
    },
  ],
  [
    "cp of a link",
    async (fs, at) => {
      await tree(fs, at);
      await fs.cp(`${at}/tree/link`, `${at}/l`);
      await fs.cp(`${at}/tree/dangling`, `${at}/d`);
      return contents(fs, at);
    },
  ],
  [
    "cp of a link over another",
    async (fs, at) => {
      await tree(fs, at);
      await fs.mkdir(`${at}/elsewhere`);
      await fs.symlink("elsewhere", `${at}/l`);
      await fs.cp(`${at}/tree/link`, `${at}/l`);
      return contents(fs, at);
    },
  ],
  [
    "cp of a link over a file",
    async (fs, at) => {
      await tree(fs, at);
      await fs.cp(`${at}/tree/link`, `${at}/tree/file`);
    },
  ],
  [
    "cp of a link over one that leads to the same",
    async (fs, at) => {
      await tree(fs, at);
      await fs.symlink("tree/inner", `${at}/l`);
      await fs.cp(`${at}/tree/link`, `${at}/l`);
    },
  ],
  [
    "cp of a link over one that leads to above it",
    async (fs, at) => {
      await tree(fs, at);
      await fs.symlink("tree", `${at}/l`);
      await fs.cp(`${at}/tree/link`, `${at}/l`);
    },
  ],
  [
    "cp of a dangling link over another",
    async (fs, at) => {
      await tree(fs, at);
      await fs.symlink("elsewhere", `${at}/l`);
      await fs.cp(`${at}/tree/dangling`, `${at}/l`);
    },
  ],
  ["cp of nothing", (fs, at) => fs.cp(`${at}/nowhere`, `${at}/b`)],
  [
    "cp to below a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.cp(`${at}/a`, `${at}/a/b`);
    },
  ],
  [
    "cp of a directory that is not recursive",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.cp(`${at}/d`, `${at}/e`);
    },
  ],
  [
    "cp onto itself",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.cp(`${at}/a`, `${at}/./a`);
    },
  ],
  [
    "cp onto itself by another name",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.link(`${at}/a`, `${at}/b`);
      await fs.cp(`${at}/a`, `${at}/b`);
    },
  ],
  [
    "cp of a directory into itself",
    async (fs, at) => {
      await inner(fs, at);
      await fs.cp(`${at}/tree`, `${at}/tree/inner/x`, { recursive: true });
    },
  ],
  [
    "cp of a directory into itself through a link",
    async (fs, at) => {
      await inner(fs, at);
      await fs.symlink("tree", `${at}/link`);
      await fs.cp(`${at}/tree`, `${at}/link/inner/x`, { recursive: true });
    },
  ],
  [
    "cp of a directory over a file",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.writeFile(`${at}/a`, "1");
      await fs.cp(`${at}/d`, `${at}/a`, { recursive: true });
    },
  ],
  [
    "cp of a file over a directory",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.writeFile(`${at}/a`, "1");
      await fs.cp(`${at}/a`, `${at}/d`);
    },
  ],
  [
    "cp with mode COPYFILE_EXCL over what is there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.writeFile(`${at}/b`, "2");
      await fs.cp(`${at}/a`, `${at}/b`, { mode: fs.constants.COPYFILE_EXCL });
      return contents(fs, at);
    },
  ],
  ["cp with an option of the wrong type", (fs, at) => fs.cp(`${at}/a`, `${at}/b`, { force: 1 as never })],
  ["cp with options that are none", (fs, at) => fs.cp(`${at}/a`, `${at}/b`, 5 as never)],
  ["cp with a filter that is none", (fs, at) => fs.cp(`${at}/a`, `${at}/b`, { filter: "x" as never })],
  ["cp with a mode out of range", (fs, at) => fs.cp(`${at}/a`, `${at}/b`, { mode: 8 })],
  [
    "cp with options that contradict each other",
    (fs, at) => fs.cp(`${at}/a`, `${at}/b`, { dereference: true, verbatimSymlinks: true }),
  ],
  ["cp of a path that is none", (fs, at) => fs.cp(5 as never, `${at}/b`)],
];
