/** What programs do with `node:fs` and callbacks. */
import type * as nodeFs from "node:fs";
import { promisify } from "node:util";
import { type Case, lasting } from "./fs-table.ts";

export type CallbackFs = typeof nodeFs;

/** What a function calls back with: the error's code, or the values. */
function answer(call: (callback: never) => void): Promise<readonly unknown[]> {
  return new Promise((resolve) => {
    const callback = (error: NodeJS.ErrnoException | null, ...values: readonly unknown[]): void =>
      resolve(error === null ? values : [error.code, error.syscall]);
    call(callback as never);
  });
}

async function opened(fs: CallbackFs, path: string, flags: string): Promise<number> {
  const [fd] = await answer((callback) => fs.open(path, flags, callback));
  return fd as number;
}

export const CALLBACK_CASES: readonly Case<CallbackFs>[] = [
  [
    "files",
    async (fs, at) => [
      await answer((callback) => fs.writeFile(`${at}/a`, "one", callback)),
      await answer((callback) => fs.appendFile(`${at}/a`, "two", { mode: 0o600 }, callback)),
      await answer((callback) => fs.readFile(`${at}/a`, callback)),
      await answer((callback) => fs.readFile(`${at}/a`, "utf8", callback)),
      await answer((callback) => fs.readFile(`${at}/nowhere`, { encoding: "utf8" }, callback)),
      await answer((callback) => fs.truncate(`${at}/a`, 2, callback)),
      await answer((callback) => fs.readFile(`${at}/a`, { encoding: "utf8" }, callback)),
    ],
  ],
  [
    "names",
    async (fs, at) => [
      await answer((callback) => fs.mkdir(`${at}/d`, callback)),
      await answer((callback) => fs.mkdir(`${at}/d`, callback)),
      (await answer((callback) => fs.mkdir(`${at}/e/f`, { recursive: true }, callback))).map((made) =>
        String(made).slice(at.length),
      ),
      await answer((callback) => fs.symlink("d", `${at}/l`, callback)),
      await answer((callback) => fs.readlink(`${at}/l`, callback)),
      await answer((callback) => fs.rename(`${at}/l`, `${at}/m`, callback)),
      await answer((callback) => fs.readdir(at, callback)),
      await answer((callback) => fs.rm(`${at}/e`, { recursive: true }, callback)),
      await answer((callback) => fs.unlink(`${at}/m`, callback)),
      await answer((callback) => fs.rmdir(`${at}/d`, callback)),
      await answer((callback) => fs.readdir(at, { withFileTypes: true }, callback)),
    ],
  ],
  [
    "attributes",
    async (fs, at) => {
      await answer((callback) => fs.writeFile(`${at}/a`, "one", callback));
      await answer((callback) => fs.chmod(`${at}/a`, 0o640, callback));
      await answer((callback) => fs.utimes(`${at}/a`, 1000, 2000, callback));
      const [stats] = (await answer((callback) => fs.stat(`${at}/a`, callback))) as [nodeFs.Stats];
      const [big] = (await answer((callback) => fs.lstat(`${at}/a`, { bigint: true }, callback))) as [
        nodeFs.BigIntStats,
      ];
      return [lasting(stats), stats.mtimeMs, big.size, big.mtimeNs];
    },
  ],
  [
    "access and exists",
    async (fs, at) => [
      await answer((callback) => fs.access(at, callback)),
      await answer((callback) => fs.access(`${at}/nowhere`, fs.constants.R_OK, callback)),
      await new Promise((resolve) => fs.exists(at, resolve)),
      await new Promise((resolve) => fs.exists(`${at}/nowhere`, resolve)),
      await new Promise((resolve) => fs.exists(5 as never, resolve)),
    ],
  ],
  [
    "descriptors",
    async (fs, at) => {
      const fd = await opened(fs, `${at}/a`, "w+");
      const buffer = Buffer.alloc(4);
      const found: unknown[] = [
        await answer((callback) => fs.write(fd, "hello", callback)),
        await answer((callback) => fs.write(fd, Buffer.from("WORLD"), 1, 3, callback)),
        await answer((callback) => fs.write(fd, "X", 0, "utf8", callback)),
        await answer((callback) => fs.writev(fd, [Buffer.from("ab"), Buffer.from("c")], callback)),
        await answer((callback) => fs.read(fd, buffer, 0, 4, 0, callback)),
        await answer((callback) => fs.read(fd, { buffer, position: 4 }, callback)),
        await answer((callback) => fs.readv(fd, [buffer], 1, callback)),
        await answer((callback) => fs.ftruncate(fd, 6, callback)),
        await answer((callback) => fs.fchmod(fd, 0o600, callback)),
        await answer((callback) => fs.futimes(fd, 1000, 2000, callback)),
        await answer((callback) => fs.fsync(fd, callback)),
        await answer((callback) => fs.fdatasync(fd, callback)),
      ];
      const [stats] = (await answer((callback) => fs.fstat(fd, callback))) as [nodeFs.Stats];
      found.push(lasting(stats), stats.mtimeMs);
      found.push(await answer((callback) => fs.close(fd, callback)));
      found.push(await answer((callback) => fs.close(fd, callback)));
      found.push(await answer((callback) => fs.fstat(fd, callback)));
      found.push(await answer((callback) => fs.readFile(`${at}/a`, "utf8", callback)));
      return found;
    },
  ],
  [
    "whole files by descriptor",
    async (fs, at) => {
      const fd = await opened(fs, `${at}/a`, "w+");
      const found = [
        await answer((callback) => fs.writeFile(fd, "one", callback)),
        await answer((callback) => fs.appendFile(fd, "two", callback)),
        await answer((callback) => fs.write(fd, "X", 0, callback)),
        await answer((callback) => fs.readFile(fd, "utf8", callback)),
      ];
      await answer((callback) => fs.close(fd, callback));
      return [...found, await answer((callback) => fs.readFile(`${at}/a`, "utf8", callback))];
    },
  ],
  ["open of nothing", (fs, at) => answer((callback) => fs.open(`${at}/nowhere`, callback))],
  ["a descriptor that is not open", (fs) => answer((callback) => fs.read(987_654, callback))],
  [
    "a directory, read entry by entry",
    async (fs, at) => {
      await answer((callback) => fs.writeFile(`${at}/a`, "", callback));
      const [dir] = (await answer((callback) => fs.opendir(at, callback))) as [nodeFs.Dir];
      const [entry] = (await answer((callback) => dir.read(callback))) as [nodeFs.Dirent];
      return [
        entry.name,
        await answer((callback) => dir.read(callback)),
        await answer((callback) => dir.close(callback)),
        await answer((callback) => dir.close(callback)),
      ];
    },
  ],
  ["a callback that is missing", async (fs, at) => (fs.stat as unknown as (path: string) => void)(at)],
  [
    "functions without their object, and promisified",
    async ({ writeFile, read, open, close, exists, readFile }, at) => {
      await promisify(writeFile)(`${at}/a`, "0123456789");
      const fd = await promisify(open)(`${at}/a`, "r");
      const { bytesRead, buffer } = await promisify(read)(fd, Buffer.alloc(3), 0, 3, 2);
      await promisify(close)(fd);
      return [bytesRead, buffer, await promisify(exists)(`${at}/a`), await promisify(readFile)(`${at}/a`, "utf8")];
    },
  ],
  [
    "a write stream and its events",
    async (fs, at) => {
      const stream = fs.createWriteStream(`${at}/a`, { flags: "w", mode: 0o600, encoding: "utf8" });
      const events: unknown[] = [stream.pending, stream.path === `${at}/a`];
      for (const event of ["open", "ready", "finish", "close"] as const)
        stream.on(event, (fd?: unknown) => events.push([event, typeof fd]));
      for (let i = 0; i < 2000; i++) stream.write(`line ${i}\n`);
      await new Promise<void>((resolve) => stream.end("end").once("close", resolve));
      const [text] = await answer((callback) => fs.readFile(`${at}/a`, "utf8", callback));
      return [events, stream.bytesWritten, (text as string).slice(-20)];
    },
  ],
  [
    "a write stream that appends, and one that begins further on",
    async (fs, at) => {
      const write = (text: string, options: object) =>
        new Promise<void>((resolve) => fs.createWriteStream(`${at}/a`, options).end(text).once("close", resolve));
      await write("0123456789", {});
      await write("end", { flags: "a" });
      await write("XY", { flags: "r+", start: 3, flush: true });
      return answer((callback) => fs.readFile(`${at}/a`, "utf8", callback));
    },
  ],
  [
    "a read stream of a part",
    async (fs, at) => {
      await answer((callback) => fs.writeFile(`${at}/a`, "0123456789".repeat(20_000), callback));
      const found: unknown[] = [];
      for (const options of [
        undefined,
        "utf8",
        { start: 5, end: 9 },
        { start: 199_995 },
        { highWaterMark: 7, end: 20 },
      ]) {
        const stream = fs.createReadStream(`${at}/a`, options as never);
        let text = "";
        for await (const chunk of stream) text += chunk;
        found.push(text.length, text.slice(0, 30), stream.bytesRead);
      }
      return found;
    },
  ],
  [
    "streams of what is not there",
    async (fs, at) => {
      const failure = (stream: NodeJS.EventEmitter) =>
        new Promise((resolve) => stream.once("error", ({ code, syscall }) => resolve([code, syscall])));
      return [
        await failure(fs.createReadStream(`${at}/nowhere`)),
        await failure(fs.createWriteStream(`${at}/nowhere/a`)),
      ];
    },
  ],
  ["a stream of a path that is none", async (fs) => fs.createReadStream(5 as never)],
];
