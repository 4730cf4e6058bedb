/** Opens a directory for serving: finds out what the machine, the file system and our privilege allow. */
import { readFile } from "node:fs/promises";
import { geteuid } from "node:process";
import { errnoName, FileCalls, NativeError, nativeAvailable, O } from "@nfs4/native";
import type { Clock } from "@nfs4/timecounter";
import type { Storage } from "../../storage/storage.ts";
import { ChangeAttributes } from "./change-attribute.ts";
import { DirectoryWatches } from "./directory-watches.ts";
import { errnoOf } from "./errors.ts";
import { HandleKeys } from "./handle-keys.ts";
import type { LocalNode } from "./local-node.ts";
import type { NodeKeys } from "./node-keys.ts";
import { NodeTable } from "./node-table.ts";
import { PathKeys } from "./path-keys.ts";
import { PathTable } from "./path-table.ts";
import { Permissions } from "./permissions.ts";
import { Volume } from "./volume.ts";

export interface LocalFileSystemOptions {
  /** What to serve. A symbolic link is followed now, and not again. */
  readonly directory: string;
  /**
   * Lets descriptors be closed that are not used, and permissions be remembered. Without it descriptors stay until others need their place, and with them the
   * space of files that somebody else deletes; and other users than root cost more.
   */
  readonly clock?: Clock;
  /** Keeps the table of paths where the kernel's file handles cannot be had. Without it keys end with the process there. */
  readonly storage?: Storage;
  /** How to name nodes: "auto" (default) is handles of the kernel where they can be had, else paths. */
  readonly keys?: "auto" | "handles" | "paths";
  /** Most paths that the table holds. Default 1,000,000. */
  readonly maxPaths?: number;
  /**
   * "sync" (default): lookups, attributes and what else is nearly always in memory are asked for at once; what is not holds up the whole server for a disk
   * access. "threads": by the workers, for slow disks; costs about half of the operations per second.
   */
  readonly blockingMetadata?: "sync" | "threads";
  /** Default true: serve from a mount of its own if we may (CAP_SYS_ADMIN), so that the kernel keeps us within the directory. */
  readonly confine?: boolean;
  /** Most descriptors kept for files that nobody has open. Default: a quarter of the process's limit, at most 16,384. */
  readonly descriptors?: number;
  /** Threads for what can block, and for what goes to stable storage. Default 4 and 2. */
  readonly workers?: number;
  readonly syncWorkers?: number;
}

export interface OpenedVolume {
  readonly volume: Volume;
  readonly root: LocalNode;
  readonly maxName: number;
}

export async function openVolume(options: LocalFileSystemOptions): Promise<OpenedVolume> {
  const { clock, directory } = options;
  const available = nativeAvailable();
  if (!available.ok) throw new Error(`cannot serve "${directory}": ${available.reason}`);
  const limit = options.descriptors ?? (await defaultDescriptors());
  if (!Number.isInteger(limit) || limit < 16) throw new RangeError(`descriptors must be at least 16, not ${limit}`);
  const calls = new FileCalls({ workers: options.workers ?? 4, syncWorkers: options.syncWorkers ?? 2 });
  let rootFd = -1;
  let watchFd = -1;
  try {
    rootFd = openRoot(calls, directory);
    const apart = options.confine === false ? -1 : ownMount(calls, rootFd);
    if (apart >= 0) {
      calls.sync.close(rootFd);
      rootFd = apart;
    }
    const keys = await chooseKeys(options, calls, rootFd);
    const statfs = calls.sync.statfs(rootFd);
    const changes = new ChangeAttributes();
    const watches = DirectoryWatches.open(calls);
    watchFd = watches?.fd ?? -1;
    const nodes = new NodeTable({ calls, keys, changes, watches, limit, clock });
    const metadata = options.blockingMetadata === "threads" ? calls.pool : calls.sync;
    const impersonates = mayImpersonate(calls);
    const permissions = impersonates && clock && metadata === calls.sync ? new Permissions(calls, clock) : null;
    const confined = apart >= 0;
    const volume = new Volume({
      calls,
      metadata,
      nodes,
      keys,
      changes,
      rootFd,
      impersonates,
      confined,
      permissions,
      watches,
    });
    const rootPath = calls.sync.reopen(rootFd, O.PATH | O.DIRECTORY);
    if (rootPath < 0) throw new Error(`cannot open "${directory}" again: ${errnoOf(rootPath)} (is /proc mounted?)`);
    const root = nodes.node({ key: keys.rootKey, fd: rootPath });
    nodes.pin(root);
    return { volume, root, maxName: typeof statfs === "number" ? 255 : statfs.namelen };
  } catch (error) {
    for (const fd of [rootFd, watchFd]) if (fd >= 0) calls.sync.close(fd);
    await calls.close();
    throw error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such directory",
  ENOTDIR: "it is not a directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "too many symbolic links",
};

function openRoot(calls: FileCalls, directory: string): number {
  const fd = calls.sync.openPath(directory, O.RDONLY | O.DIRECTORY);
  if (fd >= 0) return fd;
  const code = errnoName(fd);
  throw new Error(`cannot serve "${directory}": ${REASONS[code] ?? "it cannot be opened"} (${code})`);
}

/**
 * The directory once more, readable, as a mount of its own that nobody else has: then the kernel sees to it that nothing leads out of the export, neither "..",
 * nor what is mounted under it, nor a directory that somebody moves away. Where that is not allowed (it takes CAP_SYS_ADMIN) we look ourselves.
 */
function ownMount(calls: FileCalls, rootFd: number): number {
  const tree = calls.sync.cloneTree(rootFd);
  if (tree < 0) return tree;
  const fd = calls.sync.open(tree, ".", O.RDONLY | O.DIRECTORY, 0);
  calls.sync.close(tree);
  return fd;
}

async function chooseKeys(options: LocalFileSystemOptions, calls: FileCalls, rootFd: number): Promise<NodeKeys> {
  const { directory, storage, keys = "auto" } = options;
  const metadata = options.blockingMetadata === "threads" ? calls.pool : calls.sync;
  if (keys !== "paths") {
    const handles = HandleKeys.probe(calls, metadata, rootFd);
    if (typeof handles !== "string") return handles;
    if (keys === "handles") throw new Error(`"${directory}" has no file handles of the kernel for us: ${handles}`);
  }
  const table = await PathTable.open({ storage, file: tableName(directory), limit: options.maxPaths ?? 1_000_000 });
  return new PathKeys({ calls, metadata, rootFd, table, persistent: storage !== undefined });
}

/** One log for each export's directory. */
function tableName(directory: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(directory))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return `paths-${hash.toString(16).padStart(16, "0")}`;
}

/**
 * Only root: leaving file system user 0 is what takes its capabilities over files away (capabilities(7)); a process of another user would keep any that
 * it has.
 */
function mayImpersonate(calls: FileCalls): boolean {
  if (geteuid?.() !== 0) return false;
  try {
    calls.runAs({ uid: 65_534, gid: 65_534, groups: [65_534] }, () => {});
    return true;
  } catch (error) {
    if (error instanceof NativeError) return false;
    throw error;
  }
}

async function defaultDescriptors(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "latin1").catch(() => "");
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return Math.max(64, Math.min(16_384, Math.floor(Number(soft ?? 1024) / 4)));
}
