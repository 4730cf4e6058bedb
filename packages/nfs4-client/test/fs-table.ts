/**
 * What programs do with `node:fs/promises`, as functions of the module and of a directory to do it in. Each is run on a local directory with Node's own and on an export with ours,
 * and must give the same value or the same error.
 */
import type * as fsPromises from "node:fs/promises";

export type Fs = typeof fsPromises;
export type Case<F = Fs> = readonly [name: string, run: (fs: F, at: string) => Promise<unknown>];

/** What of a file does not differ from one file system to another. */
export function lasting(stats: {
  mode: number;
  size: number;
  nlink: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}) {
  const { mode, size, nlink } = stats;
  const isDirectory = stats.isDirectory();
  return {
    mode: mode.toString(8),
    kind: [stats.isFile(), isDirectory, stats.isSymbolicLink()],
    ...(isDirectory ? {} : { size, nlink }),
  };
}

async function* chunks(): AsyncGenerator<string> {
  yield "one ";
  yield "two";
}

/** A directory of what there can be. */
export async function tree(fs: Fs, at: string): Promise<void> {
  await fs.mkdir(`${at}/tree/inner/deep`, { recursive: true });
  await fs.writeFile(`${at}/tree/file`, "file");
  await fs.writeFile(`${at}/tree/inner/other`, "other");
  await fs.symlink("inner", `${at}/tree/link`);
  await fs.symlink("nowhere", `${at}/tree/dangling`);
  await fs.symlink("loop", `${at}/tree/loop`);
}

export const CASES: readonly Case[] = [
  [
    "writes and reads a file as text",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "héllo");
      return [
        await fs.readFile(`${at}/a`, "utf8"),
        await fs.readFile(`${at}/a`, { encoding: "latin1" }),
        await fs.readFile(`${at}/a`),
      ];
    },
  ],
  [
    "writes in other encodings, views and iterables",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "68656c6c6f", "hex");
      await fs.writeFile(`${at}/b`, new Uint16Array([0x4142, 0x4344]));
      await fs.writeFile(`${at}/c`, chunks());
      await fs.writeFile(`${at}/d`, ["x", Buffer.from("y")] as never);
      return Promise.all(["a", "b", "c", "d"].map((name) => fs.readFile(`${at}/${name}`, "utf8")));
    },
  ],
  [
    "writeFile cuts off what was there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "a long text");
      await fs.writeFile(`${at}/a`, "short");
      return fs.readFile(`${at}/a`, "utf8");
    },
  ],
  [
    "writeFile with flags and modes",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1", { mode: 0o600 });
      await fs.writeFile(`${at}/a`, "2", { flag: "a" });
      await fs.writeFile(`${at}/b`, "1", { mode: "640", flush: true });
      return [
        await fs.readFile(`${at}/a`, "utf8"),
        lasting(await fs.stat(`${at}/a`)),
        lasting(await fs.stat(`${at}/b`)),
      ];
    },
  ],
  [
    "writeFile wx on what is there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.writeFile(`${at}/a`, "2", { flag: "wx" });
    },
  ],
  [
    "an empty file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      return [await fs.readFile(`${at}/a`), (await fs.stat(`${at}/a`)).size];
    },
  ],
  [
    "a large file",
    async (fs, at) => {
      const data = Buffer.alloc(3_000_001, "abcdefg");
      await fs.writeFile(`${at}/a`, data);
      return (await fs.readFile(`${at}/a`)).equals(data);
    },
  ],
  [
    "appendFile",
    async (fs, at) => {
      await fs.appendFile(`${at}/a`, "1");
      await fs.appendFile(`${at}/a`, Buffer.from("2"));
      return fs.readFile(`${at}/a`, "utf8");
    },
  ],
  ["readFile of nothing", (fs, at) => fs.readFile(`${at}/nowhere`)],
  [
    "readFile of a directory",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.readFile(`${at}/d`);
    },
  ],
  [
    "writeFile to a directory",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.writeFile(`${at}/d`, "");
    },
  ],
  [
    "writeFile below a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.writeFile(`${at}/a/b`, "");
    },
  ],
  ["writeFile below nothing", (fs, at) => fs.writeFile(`${at}/nowhere/b`, "")],
  ["writeFile of a number", (fs, at) => fs.writeFile(`${at}/a`, 5 as never)],
  ["a path that is none", (fs) => fs.readFile(5.5 as never)],
  ["a path with a zero", (fs, at) => fs.stat(`${at}/a\0b`)],
  [
    "a path as bytes and as a URL",
    async (fs, at) => {
      await fs.writeFile(Buffer.from(`${at}/a`), "1");
      await fs.writeFile(new URL(`file://${at}/b`), "2");
      return [await fs.readFile(`${at}/a`, "utf8"), await fs.readFile(`${at}/b`, "utf8")];
    },
  ],
  ["a name that is too long", (fs, at) => fs.writeFile(`${at}/${"x".repeat(300)}`, "")],
  [
    "a name that is not ASCII",
    async (fs, at) => {
      await fs.writeFile(`${at}/naïve ☃`, "");
      return fs.readdir(at);
    },
  ],
  [
    "copyFile, with its mode, over what is there",
    async (fs, at) => {
      const data = Buffer.alloc(5_000_001, "abcdefg");
      await fs.writeFile(`${at}/a`, data, { mode: 0o640 });
      await fs.writeFile(`${at}/c`, "what was there");
      await fs.copyFile(`${at}/a`, `${at}/b`);
      await fs.copyFile(`${at}/a`, `${at}/c`);
      const [b, c] = [await fs.readFile(`${at}/b`), await fs.readFile(`${at}/c`)];
      return [b.equals(data), c.equals(data), lasting(await fs.stat(`${at}/b`))];
    },
  ],
  [
    "copyFile of an empty file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.copyFile(`${at}/a`, `${at}/b`, fs.constants.COPYFILE_FICLONE);
      return (await fs.stat(`${at}/b`)).size;
    },
  ],
  [
    "copyFile with COPYFILE_EXCL over what is there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.writeFile(`${at}/b`, "2");
      await fs.copyFile(`${at}/a`, `${at}/b`, fs.constants.COPYFILE_EXCL);
    },
  ],
  [
    "copyFile onto itself, by another name too",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "kept");
      await fs.link(`${at}/a`, `${at}/b`);
      await fs.copyFile(`${at}/a`, `${at}/a`);
      await fs.copyFile(`${at}/a`, `${at}/b`);
      return fs.readFile(`${at}/a`, "utf8");
    },
  ],
  ["copyFile of nothing", (fs, at) => fs.copyFile(`${at}/nowhere`, `${at}/b`)],
  [
    "copyFile to below nothing",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.copyFile(`${at}/a`, `${at}/nowhere/b`);
    },
  ],
  [
    "stat and lstat of a link",
    async (fs, at) => {
      await tree(fs, at);
      return [
        lasting(await fs.stat(`${at}/tree/link`)),
        lasting(await fs.lstat(`${at}/tree/link`)),
        lasting(await fs.lstat(`${at}/tree/dangling`)),
      ];
    },
  ],
  [
    "stat of a link to nowhere",
    async (fs, at) => {
      await tree(fs, at);
      await fs.stat(`${at}/tree/dangling`);
    },
  ],
  [
    "stat of a link to itself",
    async (fs, at) => {
      await tree(fs, at);
      await fs.stat(`${at}/tree/loop`);
    },
  ],
  [
    "stat below a link to itself",
    async (fs, at) => {
      await tree(fs, at);
      await fs.stat(`${at}/tree/loop/x`);
    },
  ],
  [
    "paths with dots, doubled slashes and links in the middle",
    async (fs, at) => {
      await tree(fs, at);
      const paths = [
        "tree//inner/./other",
        "tree/link/other",
        "tree/link/../file",
        "tree/inner/deep/../../file",
        "tree/link/",
      ];
      return Promise.all(paths.map(async (path) => lasting(await fs.stat(`${at}/${path}`))));
    },
  ],
  [
    "lstat with a slash behind a link",
    async (fs, at) => {
      await tree(fs, at);
      return lasting(await fs.lstat(`${at}/tree/link/`));
    },
  ],
  [
    "stat with a slash behind a file",
    async (fs, at) => {
      await tree(fs, at);
      await fs.stat(`${at}/tree/file/`);
    },
  ],
  [
    "stat with bigints",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "123");
      const stats = await fs.stat(`${at}/a`, { bigint: true });
      return [
        stats.size,
        typeof stats.mtimeNs,
        typeof stats.ino,
        stats.mtimeMs === stats.mtimeNs / 1_000_000n,
        stats.isFile(),
      ];
    },
  ],
  [
    "the names of Stats",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "123");
      const stats = await fs.stat(`${at}/a`);
      return [
        "dev",
        "mode",
        "nlink",
        "uid",
        "gid",
        "rdev",
        "blksize",
        "ino",
        "size",
        "blocks",
        "atimeMs",
        "mtimeMs",
        "ctimeMs",
        "birthtimeMs",
        "atime",
        "mtime",
        "ctime",
        "birthtime",
      ].map((name) => [name, (stats as never)[name] === undefined ? "missing" : typeof (stats as never)[name]]);
    },
  ],
  [
    "access",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      return [await fs.access(`${at}/a`), await fs.access(`${at}/a`, fs.constants.R_OK | fs.constants.W_OK)];
    },
  ],
  ["access of nothing", (fs, at) => fs.access(`${at}/nowhere`)],
  [
    "access to execute what cannot be",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "", { mode: 0o644 });
      await fs.access(`${at}/a`, fs.constants.X_OK);
    },
  ],
  [
    "chmod",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.chmod(`${at}/a`, 0o751);
      const numeric = lasting(await fs.stat(`${at}/a`));
      await fs.chmod(`${at}/a`, "444");
      return [numeric, lasting(await fs.stat(`${at}/a`))];
    },
  ],
  [
    "chmod through a link",
    async (fs, at) => {
      await tree(fs, at);
      await fs.symlink("file", `${at}/tree/tofile`);
      await fs.chmod(`${at}/tree/tofile`, 0o600);
      return lasting(await fs.stat(`${at}/tree/file`));
    },
  ],
  ["chmod of nothing", (fs, at) => fs.chmod(`${at}/nowhere`, 0o600)],
  [
    "chown and lchown",
    async (fs, at) => {
      await tree(fs, at);
      await fs.chown(`${at}/tree/file`, 1234, 5678);
      await fs.lchown(`${at}/tree/link`, 12, 34);
      const [file, link] = [await fs.stat(`${at}/tree/file`), await fs.lstat(`${at}/tree/link`)];
      return [file.uid, file.gid, link.uid, link.gid];
    },
  ],
  [
    "chown of half",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.chown(`${at}/a`, 1234, 5678);
      await fs.chown(`${at}/a`, -1, 7);
      const { uid, gid } = await fs.stat(`${at}/a`);
      return [uid, gid];
    },
  ],
  [
    "utimes by number, text and Date",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      const found: unknown[] = [];
      for (const [atime, mtime] of [
        [1000, 2000.5],
        ["3000", "4000"],
        [new Date(5_000_500), new Date(6_000_250)],
      ] as const) {
        await fs.utimes(`${at}/a`, atime, mtime);
        const stats = await fs.stat(`${at}/a`);
        found.push([stats.atimeMs, stats.mtimeMs, stats.mtime.toISOString()]);
      }
      return found;
    },
  ],
  [
    "utimes with a negative time, which is now",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.utimes(`${at}/a`, -1, -1);
      return Math.abs((await fs.stat(`${at}/a`)).mtimeMs - Date.now()) < 300_000;
    },
  ],
  [
    "lutimes",
    async (fs, at) => {
      await tree(fs, at);
      await fs.lutimes(`${at}/tree/link`, 1000, 2000);
      return [(await fs.lstat(`${at}/tree/link`)).mtimeMs, (await fs.stat(`${at}/tree/link`)).mtimeMs === 2_000_000];
    },
  ],
  [
    "truncate",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "123456");
      await fs.truncate(`${at}/a`, 3);
      const short = await fs.readFile(`${at}/a`, "utf8");
      await fs.truncate(`${at}/a`, 5);
      const long = await fs.readFile(`${at}/a`, "latin1");
      await fs.truncate(`${at}/a`);
      return [short, long, (await fs.stat(`${at}/a`)).size];
    },
  ],
  ["truncate of nothing", (fs, at) => fs.truncate(`${at}/nowhere`)],
  [
    "mkdir, with a mode",
    async (fs, at) => {
      const plain = await fs.mkdir(`${at}/d`);
      await fs.mkdir(`${at}/e`, 0o700);
      await fs.mkdir(`${at}/f`, { mode: "711" });
      return [
        plain,
        ...(await Promise.all(["d", "e", "f"].map(async (name) => lasting(await fs.stat(`${at}/${name}`))))),
      ];
    },
  ],
  [
    "mkdir of what is there",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.mkdir(`${at}/d`);
    },
  ],
  ["mkdir below nothing", (fs, at) => fs.mkdir(`${at}/nowhere/d`)],
  [
    "mkdir below a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.mkdir(`${at}/a/d`);
    },
  ],
  [
    "mkdir recursive tells the first that it made",
    async (fs, at) => {
      const first = await fs.mkdir(`${at}/d/e/f`, { recursive: true });
      const again = await fs.mkdir(`${at}/d/e/f`, { recursive: true });
      const more = await fs.mkdir(`${at}/d/e/g/h/`, { recursive: true });
      return [first?.slice(at.length), again, more?.slice(at.length)];
    },
  ],
  [
    "mkdir recursive over a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.mkdir(`${at}/a`, { recursive: true });
    },
  ],
  [
    "mkdir recursive below a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.mkdir(`${at}/a/b/c`, { recursive: true });
    },
  ],
  [
    "mkdtemp",
    async (fs, at) => {
      const made = await fs.mkdtemp(`${at}/tmp-`);
      return [made.slice(at.length, at.length + 5), made.length - at.length, lasting(await fs.stat(made))];
    },
  ],
  ["mkdtemp below nothing", (fs, at) => fs.mkdtemp(`${at}/nowhere/tmp-`)],
  [
    "readdir",
    async (fs, at) => {
      await tree(fs, at);
      return [(await fs.readdir(`${at}/tree`)).sort(), await fs.readdir(`${at}/tree/inner/deep`)];
    },
  ],
  [
    "readdir as bytes",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      return fs.readdir(at, "buffer" as never);
    },
  ],
  [
    "readdir with types",
    async (fs, at) => {
      await tree(fs, at);
      const entries = await fs.readdir(`${at}/tree`, { withFileTypes: true });
      return entries
        .map((entry) => [
          entry.name,
          entry.isFile(),
          entry.isDirectory(),
          entry.isSymbolicLink(),
          entry.parentPath === `${at}/tree`,
        ])
        .sort();
    },
  ],
  [
    "readdir recursive",
    async (fs, at) => {
      await tree(fs, at);
      return (await fs.readdir(`${at}/tree`, { recursive: true })).sort();
    },
  ],
  [
    "readdir recursive with types",
    async (fs, at) => {
      await tree(fs, at);
      const entries = await fs.readdir(`${at}/tree`, { recursive: true, withFileTypes: true });
      return entries.map(({ name, parentPath }) => `${parentPath.slice(at.length)}/${name}`).sort();
    },
  ],
  [
    "readdir through a link",
    async (fs, at) => {
      await tree(fs, at);
      return (await fs.readdir(`${at}/tree/link`)).sort();
    },
  ],
  [
    "readdir of a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.readdir(`${at}/a`);
    },
  ],
  ["readdir of nothing", (fs, at) => fs.readdir(`${at}/nowhere`)],
  [
    "readdir of a thousand",
    async (fs, at) => {
      for (let i = 0; i < 1000; i += 50)
        await Promise.all(Array.from({ length: 50 }, (_, j) => fs.writeFile(`${at}/file-${i + j}`, "")));
      return (await fs.readdir(at)).sort();
    },
  ],
  [
    "opendir",
    async (fs, at) => {
      await tree(fs, at);
      const names: string[] = [];
      const dir = await fs.opendir(`${at}/tree`);
      for await (const entry of dir) names.push(`${entry.name} ${entry.isDirectory()}`);
      return [names.sort(), dir.path.slice(at.length)];
    },
  ],
  [
    "opendir, read and close",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      const dir = await fs.opendir(at);
      const read = [(await dir.read())?.name, await dir.read()];
      await dir.close();
      return read;
    },
  ],
  [
    "opendir of a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.opendir(`${at}/a`);
    },
  ],
  [
    "readlink and symlink",
    async (fs, at) => {
      await fs.symlink("../some/where", `${at}/l`);
      return [await fs.readlink(`${at}/l`), await fs.readlink(`${at}/l`, "buffer" as never)];
    },
  ],
  [
    "readlink of a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.readlink(`${at}/a`);
    },
  ],
  [
    "symlink over what is there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.symlink("x", `${at}/a`);
    },
  ],
  [
    "realpath",
    async (fs, at) => {
      await tree(fs, at);
      const root = await fs.realpath(at);
      return (await fs.realpath(`${at}/tree/link/../link/deep`)).slice(root.length);
    },
  ],
  ["realpath of nothing", (fs, at) => fs.realpath(`${at}/nowhere`)],
  [
    "writes through a link, also one to nowhere",
    async (fs, at) => {
      await tree(fs, at);
      await fs.symlink("file", `${at}/tree/tofile`);
      await fs.writeFile(`${at}/tree/tofile`, "through");
      await fs.writeFile(`${at}/tree/dangling`, "made");
      return [await fs.readFile(`${at}/tree/file`, "utf8"), await fs.readFile(`${at}/tree/nowhere`, "utf8")];
    },
  ],
  [
    "wx on a link to nowhere",
    async (fs, at) => {
      await tree(fs, at);
      await fs.writeFile(`${at}/tree/dangling`, "made", { flag: "wx" });
    },
  ],
  [
    "link",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.link(`${at}/a`, `${at}/b`);
      return [lasting(await fs.stat(`${at}/b`)), await fs.readFile(`${at}/b`, "utf8")];
    },
  ],
  [
    "link over what is there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.writeFile(`${at}/b`, "1");
      await fs.link(`${at}/a`, `${at}/b`);
    },
  ],
  ["link of nothing", (fs, at) => fs.link(`${at}/nowhere`, `${at}/b`)],
  [
    "link of a directory",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.link(`${at}/d`, `${at}/e`);
    },
  ],
  [
    "rename, over what is there as well",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.writeFile(`${at}/b`, "2");
      await fs.rename(`${at}/a`, `${at}/b`);
      return [await fs.readdir(at), await fs.readFile(`${at}/b`, "utf8")];
    },
  ],
  [
    "rename of a directory into another, and over an empty one",
    async (fs, at) => {
      await tree(fs, at);
      await fs.mkdir(`${at}/empty`);
      await fs.rename(`${at}/tree`, `${at}/empty`);
      return (await fs.readdir(at)).sort();
    },
  ],
  ["rename of nothing", (fs, at) => fs.rename(`${at}/nowhere`, `${at}/b`)],
  [
    "rename to below nothing",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.rename(`${at}/a`, `${at}/nowhere/b`);
    },
  ],
  [
    "rename over a full directory",
    async (fs, at) => {
      await tree(fs, at);
      await fs.mkdir(`${at}/d`);
      await fs.rename(`${at}/d`, `${at}/tree`);
    },
  ],
  [
    "rename of a file over a directory",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.mkdir(`${at}/d`);
      await fs.rename(`${at}/a`, `${at}/d`);
    },
  ],
  [
    "rename of a directory over a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.mkdir(`${at}/d`);
      await fs.rename(`${at}/d`, `${at}/a`);
    },
  ],
  [
    "rename into itself",
    async (fs, at) => {
      await tree(fs, at);
      await fs.rename(`${at}/tree`, `${at}/tree/inner/x`);
    },
  ],
  [
    "rename of a link",
    async (fs, at) => {
      await tree(fs, at);
      await fs.rename(`${at}/tree/link`, `${at}/moved`);
      return fs.readlink(`${at}/moved`);
    },
  ],
  [
    "unlink",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.unlink(`${at}/a`);
      return fs.readdir(at);
    },
  ],
  [
    "unlink of a link",
    async (fs, at) => {
      await tree(fs, at);
      await fs.unlink(`${at}/tree/link`);
      return (await fs.readdir(`${at}/tree`)).sort();
    },
  ],
  ["unlink of nothing", (fs, at) => fs.unlink(`${at}/nowhere`)],
  [
    "unlink of a directory",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.unlink(`${at}/d`);
    },
  ],
  [
    "rmdir",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.rmdir(`${at}/d`);
      return fs.readdir(at);
    },
  ],
  [
    "rmdir of what is not empty",
    async (fs, at) => {
      await tree(fs, at);
      await fs.rmdir(`${at}/tree`);
    },
  ],
  [
    "rmdir of a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.rmdir(`${at}/a`);
    },
  ],
  ["rmdir of nothing", (fs, at) => fs.rmdir(`${at}/nowhere`)],
  [
    "rm of a file, of a tree, of nothing by force",
    async (fs, at) => {
      await tree(fs, at);
      await fs.writeFile(`${at}/a`, "");
      await fs.rm(`${at}/a`);
      await fs.rm(`${at}/tree`, { recursive: true });
      await fs.rm(`${at}/nowhere`, { force: true });
      return fs.readdir(at);
    },
  ],
  ["rm of nothing", (fs, at) => fs.rm(`${at}/nowhere`)],
  [
    "rm of a directory",
    async (fs, at) => {
      await fs.mkdir(`${at}/d`);
      await fs.rm(`${at}/d`);
    },
  ],
  [
    "statfs",
    async (fs, at) => {
      const stats = await fs.statfs(at);
      return ["type", "bsize", "blocks", "bfree", "bavail", "files", "ffree"].map(
        (name) => typeof stats[name as "type"],
      );
    },
  ],
  [
    "a handle: read at a place and on from it",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "0123456789");
      const handle = await fs.open(`${at}/a`);
      const buffer = Buffer.alloc(4);
      const found: unknown[] = [];
      found.push((await handle.read(buffer, 0, 4, 2)).bytesRead, buffer.toString());
      found.push((await handle.read(buffer, 0, 4, null)).bytesRead, buffer.toString());
      found.push((await handle.read(buffer, 1, 2)).bytesRead, buffer.toString());
      found.push((await handle.read({ buffer, offset: 2 })).bytesRead, buffer.toString());
      found.push((await handle.read({ buffer, position: 8 })).bytesRead, buffer.toString());
      found.push((await handle.read(buffer, 0, 4, 100)).bytesRead);
      found.push((await handle.read()).buffer.length);
      await handle.close();
      return found;
    },
  ],
  [
    "a handle: write at a place and on from it",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w+");
      const found: unknown[] = [];
      found.push((await handle.write("hello")).bytesWritten);
      found.push((await handle.write(Buffer.from("WORLD"), 1, 3)).bytesWritten);
      found.push((await handle.write("X", 2)).bytesWritten);
      found.push((await handle.write(Buffer.from("abc"), { position: 10 } as never)).bytesWritten);
      found.push((await handle.write("end")).bytesWritten);
      found.push(await handle.readFile("latin1"));
      await handle.close();
      found.push(await fs.readFile(`${at}/a`, "latin1"));
      return found;
    },
  ],
  [
    "a handle: readv and writev",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w+");
      const { bytesWritten } = await handle.writev([Buffer.from("abc"), Buffer.from("defg")]);
      const buffers = [Buffer.alloc(2), Buffer.alloc(10)];
      const { bytesRead } = await handle.readv(buffers, 0);
      await handle.close();
      return [bytesWritten, bytesRead, buffers.map(String)];
    },
  ],
  [
    "a handle: readFile, writeFile, appendFile go on from its place",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w+");
      await handle.writeFile("one");
      await handle.appendFile("two");
      await handle.write("X", 0);
      const rest = await handle.readFile("utf8");
      await handle.close();
      return [rest, await fs.readFile(`${at}/a`, "utf8")];
    },
  ],
  [
    "a handle open for appending",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "start");
      const handle = await fs.open(`${at}/a`, "a+");
      await handle.write("1", 0);
      await handle.write("2");
      await handle.appendFile("3");
      await handle.close();
      return fs.readFile(`${at}/a`, "utf8");
    },
  ],
  [
    "a handle: stat, chmod, chown, utimes, truncate, sync",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w");
      await handle.write("123456");
      await handle.truncate(4);
      await handle.chmod(0o640);
      await handle.chown(5, 6);
      await handle.utimes(1000, 2000);
      await handle.sync();
      await handle.datasync();
      const stats = await handle.stat();
      await handle.close();
      return [lasting(stats), stats.uid, stats.gid, stats.mtimeMs];
    },
  ],
  [
    "a handle that may not be read",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w");
      try {
        await handle.read(Buffer.alloc(1), 0, 1, 0);
      } finally {
        await handle.close();
      }
    },
  ],
  [
    "a handle that may not be written",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      const handle = await fs.open(`${at}/a`, "r");
      try {
        await handle.write("x");
      } finally {
        await handle.close();
      }
    },
  ],
  [
    "a handle that was closed",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w");
      await handle.close();
      await handle.stat();
    },
  ],
  [
    "offsets out of range",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "0123456789");
      const handle = await fs.open(`${at}/a`);
      try {
        await handle.read(Buffer.alloc(4), 3, 4, 0);
      } finally {
        await handle.close();
      }
    },
  ],
  ["open of nothing", (fs, at) => fs.open(`${at}/nowhere`)],
  ["open r+ of nothing", (fs, at) => fs.open(`${at}/nowhere`, "r+")],
  ["open with flags that mean nothing", (fs, at) => fs.open(`${at}/a`, "q")],
  [
    "open wx of what is there",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      await fs.open(`${at}/a`, "wx");
    },
  ],
  [
    "open r+ keeps, w cuts off",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "0123456789");
      const first = await fs.open(`${at}/a`, "r+");
      await first.write("X");
      await first.close();
      const kept = await fs.readFile(`${at}/a`, "utf8");
      await (await fs.open(`${at}/a`, "w")).close();
      return [kept, await fs.readFile(`${at}/a`, "utf8")];
    },
  ],
  [
    "open by numbers",
    async (fs, at) => {
      const { O_CREAT, O_EXCL, O_RDWR, O_TRUNC } = fs.constants;
      const handle = await fs.open(`${at}/a`, O_CREAT | O_EXCL | O_RDWR, 0o600);
      await handle.write("12345");
      await handle.close();
      await (await fs.open(`${at}/a`, O_RDWR | O_TRUNC)).close();
      return lasting(await fs.stat(`${at}/a`));
    },
  ],
  [
    "a file that is unlinked while it is open goes on",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w+");
      await handle.write("still here");
      await fs.unlink(`${at}/a`);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0);
      await handle.close();
      return buffer.toString("utf8", 0, bytesRead);
    },
  ],
  [
    "read streams, whole and of a part",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "0123456789".repeat(20_000));
      const found: unknown[] = [];
      for (const options of [
        {},
        { start: 5, end: 9 },
        { start: 199_995 },
        { encoding: "utf8" as const, end: 3 },
        { highWaterMark: 7, end: 20 },
      ]) {
        const handle = await fs.open(`${at}/a`);
        let text = "";
        for await (const chunk of handle.createReadStream(options)) text += chunk;
        found.push(text.length, text.slice(0, 30));
      }
      return found;
    },
  ],
  [
    "write streams",
    async (fs, at) => {
      const handle = await fs.open(`${at}/a`, "w");
      const stream = handle.createWriteStream();
      for (let i = 0; i < 5000; i++) stream.write(`line ${i}\n`);
      await new Promise<void>((resolve, reject) => stream.end("end").once("close", resolve).once("error", reject));
      const text = await fs.readFile(`${at}/a`, "utf8");
      return [text.length, text.slice(-20), stream.bytesWritten];
    },
  ],
  [
    "readLines",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "one\ntwo\r\nthree");
      const handle = await fs.open(`${at}/a`);
      const lines: string[] = [];
      for await (const line of handle.readLines()) lines.push(line);
      return lines;
    },
  ],
  [
    "a web stream",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "0123456789".repeat(30_000));
      const handle = await fs.open(`${at}/a`);
      let length = 0;
      for await (const chunk of handle.readableWebStream() as AsyncIterable<Uint8Array>)
        length += new Uint8Array(chunk as never).length;
      await handle.close();
      return length;
    },
  ],
  [
    "readFile with a signal that is aborted",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "1");
      await fs.readFile(`${at}/a`, { signal: AbortSignal.abort() });
    },
  ],
];
