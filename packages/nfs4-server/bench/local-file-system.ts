/**
 * `npx tsx --conditions=source packages/nfs4-server/bench/local-file-system.ts [directory]`: a LocalFileSystem by itself, everything in the page cache.
 * Ratios within one run count, not the numbers.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CallContext, LocalFileSystem, type LocalFileSystemOptions, OPEN_READ } from "@nfs4/server";
import { nodeClock } from "@nfs4/timecounter";

const clock = nodeClock();
const FILES = 1000;
const MEBIBYTE = 1 << 20;
const signal = new AbortController().signal;
const root: CallContext = { uid: 0, gid: 0, groups: [], signal };
const user: CallContext = { uid: 1000, gid: 1000, groups: [1000, 100], signal };

async function good<T>(answer: T | string | Promise<T | string>): Promise<T> {
  const result = await answer;
  if (typeof result === "string") throw new Error(result);
  return result;
}

/** Times `count` rounds of which `depth` are under way at once, in microseconds each. */
async function time(count: number, depth: number, round: (i: number) => unknown): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const answer = round(next++);
      if (answer instanceof Promise) await answer;
    }
  };
  for (let i = 0; i < Math.min(count, 1000); i++) await round(i);
  next = 0;
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: depth }, worker));
  return Number(process.hrtime.bigint() - start) / 1000 / count;
}

const rows: Record<string, Record<string, string>> = {};

async function measure(title: string, directory: string, options: Partial<LocalFileSystemOptions>, as: CallContext) {
  const fs = await LocalFileSystem.open({ directory, clock, ...options });
  const row: Record<string, string> = {};
  rows[title] = row;
  const perSecond = (name: string, us: number): void => {
    row[name] = `${Math.round(1e6 / us).toLocaleString("en")}/s`;
  };
  const throughput = (name: string, us: number): void => {
    row[name] = `${(MEBIBYTE / us / 1000).toFixed(2)} GB/s`;
  };
  const top = await good(
    fs.create(fs.root(), `bench-${Object.keys(rows).length}`, { type: "directory", attributes: { mode: 0o777 } }, root),
  );
  const directoryNode = top.node;
  const files = await Promise.all(
    Array.from({ length: FILES }, (_, i) =>
      good(fs.create(directoryNode, `file-${i}`, { type: "file", attributes: { mode: 0o644 }, open: 3 }, as)),
    ),
  );
  for (const { file } of files) await good(fs.write(file!, 0, new Uint8Array(4096), "unstable", as));
  for (const { file } of files) await fs.close(file!);
  const lookupAndGetattr = (i: number) => {
    const node = fs.lookup(directoryNode, `file-${i % FILES}`, as);
    if (node instanceof Promise) return node.then((its) => (typeof its === "string" ? its : fs.getattr(its)));
    return typeof node === "string" ? node : fs.getattr(node);
  };
  perSecond("lookup+getattr", await time(20_000, 1, lookupAndGetattr));
  perSecond("the same, 16 at once", await time(20_000, 16, lookupAndGetattr));
  const one = files[0]!.node;
  perSecond("getattr", await time(50_000, 1, () => fs.getattr(one)));
  perSecond("access", await time(20_000, 1, () => fs.access(one, 7, as)));
  perSecond(
    "resolve+getattr",
    await time(20_000, 1, (i) => {
      const node = fs.resolve(fs.key(files[i % FILES]!.node));
      if (node instanceof Promise) return node.then((its) => (typeof its === "string" ? its : fs.getattr(its)));
      return typeof node === "string" ? node : fs.getattr(node);
    }),
  );
  perSecond(
    "readdir entries",
    (await time(50, 1, async () => {
      const page = await good(fs.readdir(directoryNode, 0n, FILES, as));
      if (page.entries.length !== FILES) throw new Error(`${page.entries.length} entries`);
    })) / FILES,
  );
  perSecond(
    "open+close",
    await time(10_000, 1, async (i) => fs.close(await good(fs.open(files[i % FILES]!.node, OPEN_READ, as)))),
  );
  perSecond(
    "create+close+remove",
    await time(3000, 1, async (i) => {
      const { file } = await good(
        fs.create(directoryNode, `new-${i}`, { type: "file", attributes: { mode: 0o644 }, open: 3 }, as),
      );
      await fs.close(file!);
      await good(fs.remove(directoryNode, `new-${i}`, as));
    }),
  );
  const { file: big } = await good(
    fs.create(directoryNode, "big", { type: "file", attributes: { mode: 0o644 }, open: 3 }, as),
  );
  const block = new Uint8Array(MEBIBYTE).fill(1);
  throughput(
    "write 1 MiB",
    await time(512, 1, (i) => good(fs.write(big!, (i % 64) * MEBIBYTE, block, "unstable", as))),
  );
  throughput(
    "write 1 MiB, 4 at once",
    await time(512, 4, (i) => good(fs.write(big!, (i % 64) * MEBIBYTE, block, "unstable", as))),
  );
  throughput("read 1 MiB", await time(512, 1, (i) => fs.read(big!, (i % 64) * MEBIBYTE, block)));
  const page = new Uint8Array(4096);
  perSecond("read 4 KiB", await time(50_000, 1, (i) => fs.read(big!, (i % 1000) * 8192, page)));
  perSecond("write 4 KiB", await time(10_000, 1, (i) => fs.write(big!, (i % 1000) * 8192, page, "unstable", as)));
  perSecond(
    "write 4 KiB, 16 at once",
    await time(20_000, 16, (i) => fs.write(big!, (i % 1000) * 8192, page, "unstable", as)),
  );
  await fs.close(big!);
  await fs.dispose();
}

const path = mkdtempSync(join(process.argv[2] ?? tmpdir(), "nfs4-bench-"));
try {
  await measure("root, sync", path, {}, root);
  await measure("user, sync", path, {}, user);
  await measure("root, threads", path, { blockingMetadata: "threads" }, root);
  await measure("user, threads", path, { blockingMetadata: "threads" }, user);
  await measure("root, paths", path, { keys: "paths" }, root);
} finally {
  rmSync(path, { recursive: true });
}
const names = Object.keys(Object.values(rows)[0]!);
console.table(
  Object.fromEntries(
    names.map((name) => [name, Object.fromEntries(Object.entries(rows).map(([title, row]) => [title, row[name]]))]),
  ),
);
