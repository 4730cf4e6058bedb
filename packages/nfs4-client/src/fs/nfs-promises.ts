import { constants } from "node:fs";
import {
  ACCESS4_DELETE,
  ACCESS4_EXECUTE,
  ACCESS4_EXTEND,
  ACCESS4_LOOKUP,
  ACCESS4_MODIFY,
  ACCESS4_READ,
  decodeName,
  encodeName,
  type Fattr4Values,
  NF4DIR,
  NF4LNK,
} from "@nfs4/protocol";
import type { RandomSource } from "@nfs4/timecounter";
import type { DateObject } from "../adapters/date.ts";
import { NfsError } from "../errors.ts";
import type { Mount } from "../mount.ts";
import { type CallOptions, limitsOf } from "./call-options.ts";
import type { NfsCallbacks } from "./callback-face.ts";
import { callbacksOf } from "./callbacks.ts";
import { copyFile } from "./copy-file.ts";
import { type CpOptions, copyTree } from "./cp.ts";
import { bytesOf, type Data, type Encoding, type FileOptions, isSequence, optionsOf, textOrBytes } from "./data.ts";
import { Dir } from "./dir.ts";
import type { Dirent } from "./dirent.ts";
import { FileHandle } from "./file-handle.ts";
import { modeOf, openModeOf } from "./flags.ts";
import { Glob, type GlobOptions } from "./glob.ts";
import { openPath } from "./opening.ts";
import { type PathLike, parsePath, pathText } from "./path.ts";
import { asName, direntOf, listDirectory, type NameEncoding } from "./readdir.ts";
import { rename } from "./rename.ts";
import { attributesOf } from "./resolver.ts";
import { STATFS_ATTRIBUTES, type StatFs, statFsOf } from "./statfs.ts";
import { type BigIntStats, type StatOptions, Stats, statsOf } from "./stats.ts";
import { systemError } from "./system-error.ts";
import { ownersOf, timesOf } from "./times.ts";
import { Tree } from "./tree.ts";
import { type WatchOptions, watch } from "./watch.ts";
import type { WatchEvent } from "./watch-snapshot.ts";

export interface ReadDirOptions extends CallOptions {
  readonly encoding?: Encoding | "buffer" | null | undefined;
  readonly withFileTypes?: boolean;
  readonly recursive?: boolean;
}

export interface MkdirOptions extends CallOptions {
  readonly recursive?: boolean;
  readonly mode?: number | string | undefined;
}

export interface RmOptions extends CallOptions {
  readonly force?: boolean;
  readonly recursive?: boolean;
}

interface ReadFileOptions {
  readonly flag?: string | number;
  readonly signal?: AbortSignal;
}

type Time = number | string | DateObject;

const FIRST_NUMBER = 1000;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * An export shaped as `node:fs/promises`: the same arguments, results and errors. Paths begin at the export's root, with or without "/" in front. What reaches the server is one
 * round trip where the path has no symbolic links.
 */
export class NfsPromises implements AsyncDisposable {
  readonly constants: typeof constants = constants;
  readonly mount: Mount;
  readonly tree: Tree;
  /** The permission bits that new files do not get, as a process's umask. */
  readonly umask: number;
  readonly #random: RandomSource;
  #nextNumber = FIRST_NUMBER;
  #callbacks: NfsCallbacks | null = null;

  constructor(mount: Mount, umask: number, random: RandomSource) {
    this.mount = mount;
    this.tree = new Tree(mount);
    this.umask = umask;
    this.#random = random;
  }

  /** The same export shaped as `node:fs`. */
  get callbacks(): NfsCallbacks {
    this.#callbacks ??= callbacksOf(this);
    return this.#callbacks;
  }

  // ——— Files ———

  async open(
    path: PathLike,
    flags?: string | number,
    mode?: number | string,
    options: CallOptions = {},
  ): Promise<FileHandle> {
    const parsed = parsePath(path);
    const how = openModeOf(flags);
    const permissions = modeOf(mode, 0o666) & ~this.umask;
    const context = { ...limitsOf(options), syscall: "open", path: parsed.text };
    const file = await openPath(this.tree, parsed, how, permissions, context);
    const handle = new FileHandle(this.mount, file, how, parsed.text, this.#nextNumber++);
    if (how.truncates && !how.creates) await handle.truncate(0);
    return handle;
  }

  readFile(
    path: PathLike | FileHandle,
    options?: (ReadFileOptions & { readonly encoding?: null }) | null,
  ): Promise<Buffer>;
  readFile(
    path: PathLike | FileHandle,
    options: Encoding | (ReadFileOptions & { readonly encoding: Encoding }),
  ): Promise<string>;
  readFile(path: PathLike | FileHandle, options?: FileOptions): Promise<string | Buffer>;
  async readFile(path: PathLike | FileHandle, options?: FileOptions): Promise<string | Buffer> {
    const { encoding, flag = "r", signal } = optionsOf(options);
    const limits = signal === undefined ? {} : { signal };
    if (path instanceof FileHandle) return textOrBytes(await path.readFile(limits), encoding);
    const handle = await this.open(path, flag, 0o666, limits).catch((error: unknown) => {
      // Node opens directories, and fails to read them.
      if (error instanceof NfsError && error.code === "EISDIR") throw error.as({ syscall: "read" });
      throw error;
    });
    try {
      return textOrBytes(await handle.readFile(limits), encoding);
    } finally {
      await handle.close();
    }
  }

  async writeFile(path: PathLike | FileHandle, data: Data, options?: FileOptions): Promise<void> {
    const { encoding, mode, flag = "w", flush, signal } = optionsOf(options);
    if (path instanceof FileHandle) return path.writeFile(data, options);
    // What cannot be written must not cut off the file.
    if (!isSequence(data)) bytesOf(data, encoding);
    const handle = await this.open(path, flag, mode, { signal });
    try {
      await handle.writeFile(data, { encoding, signal });
      if (flush === true) await handle.sync();
    } finally {
      await handle.close();
    }
  }

  appendFile(path: PathLike | FileHandle, data: Data, options?: FileOptions): Promise<void> {
    return this.writeFile(path, data, { flag: "a", ...optionsOf(options) });
  }

  async truncate(path: PathLike, length = 0): Promise<void> {
    const handle = await this.open(path, "r+");
    try {
      await handle.truncate(length);
    } finally {
      await handle.close();
    }
  }

  async copyFile(src: PathLike, dest: PathLike, mode = 0): Promise<void> {
    const [from, to] = [parsePath(src, "src"), parsePath(dest, "dest")];
    const context = { syscall: "copyfile", path: from.text, dest: to.text };
    await copyFile(this.tree, from, to, mode, this.umask, context);
  }

  /** Copies what is on the export to another place on it. A symbolic link that is resolved leads from the export's root. */
  async cp(src: PathLike, dest: PathLike, options?: CpOptions): Promise<void> {
    await copyTree(this, src, dest, options);
  }

  // ——— Attributes ———

  stat(path: PathLike, options?: StatOptions & CallOptions & { readonly bigint?: false }): Promise<Stats>;
  stat(path: PathLike, options: StatOptions & CallOptions & { readonly bigint: true }): Promise<BigIntStats>;
  stat(path: PathLike, options?: StatOptions & CallOptions): Promise<Stats | BigIntStats>;
  async stat(path: PathLike, options: StatOptions & CallOptions = {}): Promise<Stats | BigIntStats> {
    return statsOf(await this.#attributes(path, "stat", true, options), options);
  }

  lstat(path: PathLike, options?: StatOptions & CallOptions & { readonly bigint?: false }): Promise<Stats>;
  lstat(path: PathLike, options: StatOptions & CallOptions & { readonly bigint: true }): Promise<BigIntStats>;
  lstat(path: PathLike, options?: StatOptions & CallOptions): Promise<Stats | BigIntStats>;
  async lstat(path: PathLike, options: StatOptions & CallOptions = {}): Promise<Stats | BigIntStats> {
    return statsOf(await this.#attributes(path, "lstat", false, options), options);
  }

  async #attributes(path: PathLike, syscall: string, follow: boolean, options: CallOptions): Promise<Fattr4Values> {
    const parsed = parsePath(path);
    return this.tree.attributes(parsed, { ...limitsOf(options), syscall, path: parsed.text, follow });
  }

  async access(path: PathLike, mode: number = constants.F_OK, options: CallOptions = {}): Promise<void> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), syscall: "access", path: parsed.text, follow: true };
    const [reads, writes, executes] = [constants.R_OK, constants.W_OK, constants.X_OK].map((bit) => (mode & bit) !== 0);
    const wanted =
      (reads ? ACCESS4_READ : 0) |
      (writes ? ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE : 0) |
      (executes ? ACCESS4_EXECUTE | ACCESS4_LOOKUP : 0);
    const step = await this.tree.resolver.at(parsed, context, (compound) => compound.op("ACCESS", { access: wanted }));
    const { access } = step.body;
    // Which of the bits there are depends on what the object is.
    const missing =
      (reads && (access & ACCESS4_READ) === 0) ||
      (writes && (access & (ACCESS4_MODIFY | ACCESS4_EXTEND)) === 0) ||
      (executes && (access & (ACCESS4_EXECUTE | ACCESS4_LOOKUP)) === 0);
    if (missing) throw new NfsError("EACCES", "permission denied", context);
  }

  async chmod(path: PathLike, mode: number | string): Promise<void> {
    await this.#set(path, { mode: modeOf(mode, 0) }, "chmod", true);
  }

  async chown(path: PathLike, uid: number, gid: number): Promise<void> {
    await this.#set(path, ownersOf(uid, gid), "chown", true);
  }

  async lchown(path: PathLike, uid: number, gid: number): Promise<void> {
    await this.#set(path, ownersOf(uid, gid), "lchown", false);
  }

  async utimes(path: PathLike, atime: Time, mtime: Time): Promise<void> {
    await this.#set(path, timesOf(atime, mtime), "utime", true);
  }

  async lutimes(path: PathLike, atime: Time, mtime: Time): Promise<void> {
    await this.#set(path, timesOf(atime, mtime), "lutime", false);
  }

  async #set(path: PathLike, values: Fattr4Values, syscall: string, follow: boolean): Promise<void> {
    const parsed = parsePath(path);
    await this.tree.setAttributes(parsed, values, { syscall, path: parsed.text, follow });
  }

  statfs(path: PathLike, options?: StatOptions & CallOptions & { readonly bigint?: false }): Promise<StatFs>;
  statfs(path: PathLike, options: StatOptions & CallOptions & { readonly bigint: true }): Promise<StatFs<bigint>>;
  async statfs(path: PathLike, options: StatOptions & CallOptions = {}): Promise<StatFs | StatFs<bigint>> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), syscall: "statfs", path: parsed.text, follow: true };
    const step = await this.tree.resolver.at(parsed, context, (compound) => compound.getAttributes(STATFS_ATTRIBUTES));
    return statFsOf(attributesOf(step), options);
  }

  // ——— Names ———

  mkdir(
    path: PathLike,
    options?: number | string | (MkdirOptions & { readonly recursive?: false }),
  ): Promise<undefined>;
  mkdir(path: PathLike, options: MkdirOptions & { readonly recursive: true }): Promise<string | undefined>;
  mkdir(path: PathLike, options?: number | string | MkdirOptions): Promise<string | undefined>;
  async mkdir(path: PathLike, options?: number | string | MkdirOptions): Promise<string | undefined> {
    const { recursive = false, mode, ...limits } = typeof options === "object" ? options : { mode: options };
    const parsed = parsePath(path);
    const permissions = modeOf(mode, 0o777) & ~this.umask;
    const context = { ...limitsOf(limits), syscall: "mkdir", path: parsed.text };
    if (recursive) return this.tree.createDirectories(parsed, permissions, context);
    await this.tree.create(parsed, { type: NF4DIR }, { mode: permissions }, context);
    return undefined;
  }

  async mkdtemp(prefix: PathLike, _options?: FileOptions): Promise<string> {
    const text = pathText(prefix, "prefix");
    const context = { syscall: "mkdtemp", path: `${text}XXXXXX` };
    for (;;) {
      const path = text + Array.from({ length: 6 }, () => LETTERS[this.#random.uint32() % LETTERS.length]).join("");
      try {
        await this.tree.create(parsePath(path), { type: NF4DIR }, { mode: 0o700 }, context);
        return path;
      } catch (error) {
        if (!(error instanceof NfsError && error.code === "EEXIST")) throw error;
      }
    }
  }

  async symlink(target: PathLike, path: PathLike, _type?: string | null): Promise<void> {
    const [text, parsed] = [pathText(target, "target"), parsePath(path)];
    const context = { syscall: "symlink", path: text, dest: parsed.text };
    await this.tree.create(parsed, { type: NF4LNK, linkdata: encodeName(text) }, {}, context);
  }

  async link(existingPath: PathLike, newPath: PathLike): Promise<void> {
    const [from, to] = [parsePath(existingPath, "existingPath"), parsePath(newPath, "newPath")];
    await this.tree.link(from, to, { syscall: "link", path: from.text, dest: to.text });
  }

  async rename(oldPath: PathLike, newPath: PathLike): Promise<void> {
    const [from, to] = [parsePath(oldPath, "oldPath"), parsePath(newPath, "newPath")];
    await rename(this.tree, from, to, { syscall: "rename", path: from.text, dest: to.text });
  }

  async unlink(path: PathLike): Promise<void> {
    const parsed = parsePath(path);
    await this.tree.remove(parsed, "file", { syscall: "unlink", path: parsed.text });
  }

  async rmdir(path: PathLike, options: CallOptions = {}): Promise<void> {
    const parsed = parsePath(path);
    await this.tree.remove(parsed, "directory", { ...limitsOf(options), syscall: "rmdir", path: parsed.text });
  }

  async rm(path: PathLike, options: RmOptions = {}): Promise<void> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), path: parsed.text };
    let stats: Stats;
    try {
      stats = new Stats(await this.#attributes(path, "lstat", false, options));
    } catch (error) {
      if (options.force === true && error instanceof NfsError && error.code === "ENOENT") return;
      throw error;
    }
    if (!stats.isDirectory()) await this.tree.remove(parsed, "file", { ...context, syscall: "unlink" });
    else if (options.recursive !== true) {
      const info = { code: "EISDIR", message: "is a directory", syscall: "rm", path: parsed.text } as const;
      throw systemError("ERR_FS_EISDIR", info);
    } else await this.tree.removeTree(parsed, { ...context, syscall: "rm" });
  }

  async readlink(path: PathLike, options?: NameEncoding): Promise<string> {
    const parsed = parsePath(path);
    const context = { syscall: "readlink", path: parsed.text, follow: false };
    const step = await this.tree.resolver.at(parsed, context, (compound) => compound.op("READLINK", undefined));
    return asName(decodeName(step.body.link), options) as string;
  }

  async realpath(path: PathLike, options?: NameEncoding): Promise<string> {
    const parsed = parsePath(path);
    const context = { syscall: "realpath", path: parsed.text, follow: true };
    return asName(`/${(await this.tree.resolver.canonical(parsed, context)).join("/")}`, options) as string;
  }

  // ——— Directories ———

  readdir(
    path: PathLike,
    options?: Encoding | (ReadDirOptions & { readonly withFileTypes?: false }) | null,
  ): Promise<string[]>;
  readdir(path: PathLike, options: ReadDirOptions & { readonly withFileTypes: true }): Promise<Dirent[]>;
  async readdir(path: PathLike, options?: Encoding | ReadDirOptions | null): Promise<string[] | Dirent[]> {
    const given: ReadDirOptions = typeof options === "object" && options !== null ? options : { encoding: options };
    const { recursive = false, withFileTypes = false } = given;
    const parsed = parsePath(path);
    const context = { ...limitsOf(given), syscall: "scandir", path: parsed.text };
    const entries = await listDirectory(this.tree, parsed, { recursive, withFileTypes }, context);
    if (withFileTypes) return entries.map((entry) => direntOf(entry, given));
    return entries.map(({ name }) => asName(name, given) as string);
  }

  async opendir(path: PathLike, options: CallOptions = {}): Promise<Dir> {
    const parsed = parsePath(path);
    const pages = this.tree.entries(parsed, { ...limitsOf(options), syscall: "opendir", path: parsed.text });
    // That it is there, and a directory, is known before anything is read.
    const first = await pages.next();
    return new Dir(parsed.text, first.done === true ? [] : first.value, pages);
  }

  glob(
    pattern: string | readonly string[],
    options?: GlobOptions & { readonly withFileTypes?: false },
  ): AsyncGenerator<string, void, undefined>;
  glob(
    pattern: string | readonly string[],
    options: GlobOptions & { readonly withFileTypes: true },
  ): AsyncGenerator<Dirent, void, undefined>;
  /** As Node 22 and later, on any. Patterns begin at the export's root, unless there is `cwd`. */
  async *glob(
    pattern: string | readonly string[],
    options?: GlobOptions,
  ): AsyncGenerator<string | Dirent, void, undefined> {
    for await (const [path, entry] of new Glob(this, pattern, options).run())
      yield options?.withFileTypes === true ? entry : path;
  }

  /** What happens in a directory or to a file, as found by looking every `interval` ms. */
  watch(path: PathLike, options?: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    return watch(this.tree, path, options);
  }

  // ——— Ending ———

  /** Says goodbye to the server. Calls under way reject. Idempotent. */
  close(): Promise<void> {
    return this.mount.client.disconnect();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
