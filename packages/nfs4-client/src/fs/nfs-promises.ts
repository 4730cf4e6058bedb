import { constants } from "node:fs";
import {
  ACCESS4_DELETE,
  ACCESS4_EXECUTE,
  ACCESS4_EXTEND,
  ACCESS4_LOOKUP,
  ACCESS4_MODIFY,
  ACCESS4_READ,
  ANONYMOUS_STATEID,
  bitmapOf,
  type createtype4,
  decodeName,
  encodeName,
  FATTR4_FILES_FREE,
  FATTR4_FILES_TOTAL,
  FATTR4_SPACE_AVAIL,
  FATTR4_SPACE_FREE,
  FATTR4_SPACE_TOTAL,
  type Fattr4Values,
  makeFattr4,
  NF4DIR,
  NF4LNK,
  OPEN4_SHARE_ACCESS_READ,
  OPEN4_SHARE_ACCESS_WRITE,
} from "@nfs4/protocol";
import type { RandomSource } from "@nfs4/timecounter";
import type { DateObject } from "../adapters/date.ts";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import type { Mount } from "../mount.ts";
import { Compound } from "../protocol/compound.ts";
import { isDirectoryError } from "./argument-errors.ts";
import { bytesOf, type Data, type Encoding, type FileOptions, isSequence, optionsOf, textOrBytes } from "./data.ts";
import { Dir } from "./dir.ts";
import { Dirent } from "./dirent.ts";
import { FileHandle } from "./file-handle.ts";
import { modeOf, type OpenMode, openModeOf } from "./flags.ts";
import { type Entry, firstPage, pagesFrom } from "./listing.ts";
import { type ParsedPath, type PathLike, parsePath, pathText } from "./path.ts";
import { attributesOf, Resolver } from "./resolver.ts";
import { type BigIntStats, STAT_ATTRIBUTES, type StatOptions, Stats, statsOf } from "./stats.ts";
import { ownersOf, timesOf } from "./times.ts";

/** Limits of one call, which Node's have not. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface ReadDirOptions extends CallOptions {
  readonly encoding?: Encoding | "buffer" | null | undefined;
  readonly withFileTypes?: boolean;
  readonly recursive?: boolean;
}

export interface MkdirOptions extends CallOptions {
  readonly recursive?: boolean;
  readonly mode?: number | string;
}

const FIRST_NUMBER = 1000;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** An export shaped as `node:fs/promises`. Paths begin at the export's root, with or without "/" in front. */
export class NfsPromises implements AsyncDisposable {
  readonly constants: typeof constants = constants;
  readonly mount: Mount;
  readonly resolver: Resolver;
  /** The permission bits taken from new files, as a process's umask. */
  readonly umask: number;
  readonly #random: RandomSource;
  #nextNumber = FIRST_NUMBER;

  constructor(mount: Mount, umask: number, random: RandomSource) {
    this.mount = mount;
    this.#random = random;
    this.resolver = new Resolver(mount);
    this.umask = umask;
  }

  // ——— Opening ———

  async open(
    path: PathLike,
    flags?: string | number,
    mode?: number | string,
    options: CallOptions = {},
  ): Promise<FileHandle> {
    return this.#open(parsePath(path), openModeOf(flags), modeOf(mode, 0o666), options);
  }

  async #open(path: ParsedPath, mode: OpenMode, permissions: number, options: CallOptions): Promise<FileHandle> {
    const context = { ...options, syscall: "open", path: path.text };
    let names = path.names;
    if (names.length === 0 || path.mustBeDirectory)
      throw new NfsError("EISDIR", "illegal operation on a directory", context);
    for (let isCanonical = false; ; isCanonical = true) {
      if (isCanonical || names.includes(".."))
        names = await this.resolver.canonical(
          { ...path, names },
          { ...context, follow: !mode.exclusive, mayBeMissing: mode.creates },
        );
      const name = names.at(-1);
      if (name === undefined) throw new NfsError("EISDIR", "illegal operation on a directory", context);
      const parents = names.slice(0, -1);
      try {
        const { file } = await this.mount.client.open(
          {
            toDirectory: (compound) => this.mount.enter(compound, parents),
            name,
            access: (mode.reads ? OPEN4_SHARE_ACCESS_READ : 0) | (mode.writes ? OPEN4_SHARE_ACCESS_WRITE : 0),
            ...(mode.creates
              ? { create: { exclusive: mode.exclusive, attributes: this.#created(mode, permissions) } }
              : {}),
            mask: [],
          },
          context,
        );
        const handle = new FileHandle(this.mount, file, mode, path.text, this.#nextNumber++);
        // An OPEN that may make the file cuts it off itself (RFC 8881 §18.16.3).
        if (mode.truncates && !mode.creates) await handle.truncate(0);
        return handle;
      } catch (error) {
        const perhapsLink =
          error instanceof NfsError && (error.nfsStatus === "NFS4ERR_SYMLINK" || error.code === "ENOTDIR");
        if (!perhapsLink || isCanonical) throw error;
      }
    }
  }

  #created(mode: OpenMode, permissions: number): Fattr4Values {
    return { mode: permissions & ~this.umask, ...(mode.truncates && !mode.exclusive ? { size: 0n } : {}) };
  }

  // ——— Whole files ———

  readFile(
    path: PathLike | FileHandle,
    options?: { readonly encoding?: null; readonly flag?: string | number; readonly signal?: AbortSignal } | null,
  ): Promise<Buffer>;
  readFile(
    path: PathLike | FileHandle,
    options: Encoding | { readonly encoding: Encoding; readonly flag?: string | number; readonly signal?: AbortSignal },
  ): Promise<string>;
  readFile(path: PathLike | FileHandle, options?: FileOptions): Promise<string | Buffer>;
  async readFile(path: PathLike | FileHandle, options?: FileOptions): Promise<string | Buffer> {
    const { encoding, flag = "r", signal } = optionsOf(options);
    if (path instanceof FileHandle) return textOrBytes(await path.readFile({ ...(signal && { signal }) }), encoding);
    const handle = await this.open(path, flag, 0o666, { signal }).catch((error: unknown) => {
      // Node opens directories, and fails to read them.
      if (error instanceof NfsError && error.code === "EISDIR") throw error.as({ syscall: "read" });
      throw error;
    });
    try {
      return textOrBytes(await handle.readFile({ ...(signal && { signal }) }), encoding);
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
    const context = { ...limitsOf(options), syscall, path: parsed.text, follow };
    return attributesOf(await this.resolver.at(parsed, context, (compound) => compound.getAttributes(STAT_ATTRIBUTES)));
  }

  async access(path: PathLike, mode: number = constants.F_OK, options: CallOptions = {}): Promise<void> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), syscall: "access", path: parsed.text, follow: true };
    const wanted =
      (mode & constants.R_OK ? ACCESS4_READ : 0) |
      (mode & constants.W_OK ? ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE : 0) |
      (mode & constants.X_OK ? ACCESS4_EXECUTE | ACCESS4_LOOKUP : 0);
    const step = await this.resolver.at(parsed, context, (compound) => compound.op("ACCESS", { access: wanted }));
    const { access } = step.body;
    const missing =
      (mode & constants.R_OK && (access & ACCESS4_READ) === 0) ||
      (mode & constants.W_OK && (access & (ACCESS4_MODIFY | ACCESS4_EXTEND)) === 0) ||
      (mode & constants.X_OK && (access & (ACCESS4_EXECUTE | ACCESS4_LOOKUP)) === 0);
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

  async utimes(
    path: PathLike,
    atime: number | string | DateObject,
    mtime: number | string | DateObject,
  ): Promise<void> {
    await this.#set(path, timesOf(atime, mtime), "utime", true);
  }

  async lutimes(
    path: PathLike,
    atime: number | string | DateObject,
    mtime: number | string | DateObject,
  ): Promise<void> {
    await this.#set(path, timesOf(atime, mtime), "lutime", false);
  }

  async #set(path: PathLike, values: Fattr4Values, syscall: string, follow: boolean): Promise<void> {
    const parsed = parsePath(path);
    const context = { syscall, path: parsed.text, follow };
    await this.resolver.at(parsed, context, (compound) => compound.setAttributes(values, () => ANONYMOUS_STATEID));
  }

  async statfs(path: PathLike, options: StatOptions & CallOptions = {}): Promise<StatFs> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), syscall: "statfs", path: parsed.text, follow: true };
    const mask = bitmapOf(
      FATTR4_SPACE_AVAIL,
      FATTR4_SPACE_FREE,
      FATTR4_SPACE_TOTAL,
      FATTR4_FILES_FREE,
      FATTR4_FILES_TOTAL,
    );
    const values = attributesOf(await this.resolver.at(parsed, context, (compound) => compound.getAttributes(mask)));
    return statFsOf(values);
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
    if (recursive) return this.#mkdirRecursive(parsed, permissions, limitsOf(limits));
    await this.#mkdir(parsed, permissions, limitsOf(limits));
    return undefined;
  }

  async #mkdir(path: ParsedPath, mode: number, limits: RunOptions): Promise<void> {
    const context = { ...limits, syscall: "mkdir", path: path.text };
    if (path.names.length === 0) throw new NfsError("EEXIST", "file already exists", context);
    await this.#create(path, { type: NF4DIR }, { mode }, context);
  }

  /** As Node: resolves to the first directory that was made. */
  async #mkdirRecursive(path: ParsedPath, mode: number, limits: RunOptions): Promise<string | undefined> {
    const context = { ...limits, syscall: "mkdir", path: path.text };
    const isAbsolute = path.text.startsWith("/");
    const textOf = (count: number): string => (isAbsolute ? "/" : "") + path.names.slice(0, count).join("/");
    const make = async (count: number): Promise<void> => {
      const names = path.names.slice(0, count);
      await this.#create({ text: textOf(count), names, mustBeDirectory: false }, { type: NF4DIR }, { mode }, context);
    };
    const depth = path.names.length;
    let existing = depth;
    let made = 0;
    for (; existing > 0 && made === 0; existing--) {
      try {
        await make(existing);
        made = existing;
      } catch (error) {
        if (!(error instanceof NfsError)) throw error;
        if (error.code === "EEXIST") {
          const stats = await this.stat(textOf(existing), limits).catch(() => null);
          if (stats?.isDirectory() === true) break;
          throw existing === depth ? error : new NfsError("ENOTDIR", "not a directory", context);
        }
        if (error.code !== "ENOENT" || existing === 1) throw error;
      }
    }
    const first = made > 0 ? made : existing + 1;
    for (let next = made > 0 ? made + 1 : first; next <= depth; next++) await make(next);
    return first <= depth ? textOf(first) : undefined;
  }

  async mkdtemp(prefix: PathLike, options?: FileOptions): Promise<string> {
    const text = pathText(prefix, "prefix");
    for (;;) {
      const path = text + this.#randomName();
      try {
        await this.#mkdir(parsePath(path), 0o700, {
          ...(optionsOf(options).signal && { signal: optionsOf(options).signal }),
        });
        return path;
      } catch (error) {
        if (!(error instanceof NfsError)) throw error;
        if (error.code !== "EEXIST") throw error.as({ syscall: "mkdtemp", path: `${text}XXXXXX` });
      }
    }
  }

  #randomName(): string {
    return Array.from({ length: 6 }, () => LETTERS[this.#random.uint32() % LETTERS.length]).join("");
  }

  async symlink(target: PathLike, path: PathLike, _type?: string | null): Promise<void> {
    const parsed = parsePath(path);
    const linkdata = encodeName(pathText(target, "target"));
    const context = { syscall: "symlink", path: pathText(target, "target"), dest: parsed.text };
    if (parsed.names.length === 0) throw new NfsError("EEXIST", "file already exists", context);
    await this.#create(parsed, { type: NF4LNK, linkdata }, {}, context);
  }

  async #create(path: ParsedPath, objtype: createtype4, attributes: Fattr4Values, context: RunOptions): Promise<void> {
    const createattrs = makeFattr4(attributes);
    await this.resolver.in(path, context, (compound, name) =>
      compound.op("CREATE", { objtype, objname: encodeName(name), createattrs }),
    );
  }

  async link(existing: PathLike, path: PathLike): Promise<void> {
    const [from, to] = [parsePath(existing, "existingPath"), parsePath(path, "newPath")];
    const context = { syscall: "link", path: from.text, dest: to.text };
    const source = await this.resolver.at(from, { ...context, follow: false }, (compound) => ({
      handle: compound.getFh(),
      attributes: compound.getAttributes(STAT_ATTRIBUTES),
    }));
    const handle = source.handle.body.object;
    if (to.names.length === 0) throw new NfsError("EEXIST", "file already exists", context);
    if (new Stats(attributesOf(source.attributes)).isDirectory())
      throw new NfsError("EPERM", "operation not permitted", context);
    await this.resolver.in(
      to,
      context,
      (compound, name) => compound.op("LINK", { newname: encodeName(name) }),
      (compound) => compound.putFh(handle).saveFh(),
    );
  }

  async rename(oldPath: PathLike, newPath: PathLike): Promise<void> {
    const [from, to] = [parsePath(oldPath, "oldPath"), parsePath(newPath, "newPath")];
    const context = { syscall: "rename", path: from.text, dest: to.text };
    if (from.names.length === 0 || to.names.length === 0)
      throw new NfsError("EBUSY", "resource busy or locked", context);
    // What a slash follows must be a directory, or become one.
    if (from.mustBeDirectory || to.mustBeDirectory) {
      const stats = await this.#attributes(from.text, "rename", false, {}).catch((error: NfsError) => {
        throw error.as(context);
      });
      if (new Stats(stats).isDirectory() === false) throw new NfsError("ENOTDIR", "not a directory", context);
    }
    const { mount, resolver } = this;
    const parents = async (path: ParsedPath, canonical: boolean): Promise<readonly string[]> => {
      const names = path.names.slice(0, -1);
      return canonical || names.includes("..")
        ? resolver.canonical({ ...path, names }, { ...context, follow: true })
        : names;
    };
    for (const canonical of [false, true]) {
      const [source, target] = [await parents(from, canonical), await parents(to, canonical)];
      const compound = mount.enter(new Compound("rename"), source).saveFh();
      mount.enter(compound, target);
      compound.op("RENAME", { oldname: encodeName(from.names.at(-1)!), newname: encodeName(to.names.at(-1)!) });
      await mount.client.attempt(compound, context);
      if (compound.succeeded) return;
      if (await mount.refreshRoot(compound)) continue;
      const error = compound.error(context);
      const perhapsLink = error.nfsStatus === "NFS4ERR_SYMLINK" || error.nfsStatus === "NFS4ERR_NOTDIR";
      if (canonical || !perhapsLink) throw await this.#renameError(error, from, to);
    }
  }

  /** NFS has one status where POSIX has several (RFC 8881 §18.26.4): EXIST is said of a directory that is not empty, or of files of different kinds. */
  async #renameError(error: NfsError, from: ParsedPath, to: ParsedPath): Promise<NfsError> {
    if (error.nfsStatus !== "NFS4ERR_EXIST") return error;
    const [source, target] = await Promise.all([from, to].map((path) => this.lstat(path.text).catch(() => null)));
    const context = { syscall: "rename", path: from.text, dest: to.text };
    if (source == null || target == null) return error;
    if (source.isDirectory() && !target.isDirectory()) return new NfsError("ENOTDIR", "not a directory", context);
    if (!source.isDirectory() && target.isDirectory())
      return new NfsError("EISDIR", "illegal operation on a directory", context);
    return new NfsError("ENOTEMPTY", "directory not empty", context);
  }

  async unlink(path: PathLike): Promise<void> {
    const parsed = parsePath(path);
    const context = { syscall: "unlink", path: parsed.text };
    const stats = new Stats(await this.#attributes(path, "unlink", false, {}));
    if (stats.isDirectory()) throw new NfsError("EISDIR", "illegal operation on a directory", context);
    await this.#remove(parsed, context);
  }

  async rmdir(path: PathLike, options: CallOptions = {}): Promise<void> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), syscall: "rmdir", path: parsed.text };
    const stats = new Stats(await this.#attributes(path, "rmdir", false, options));
    if (!stats.isDirectory()) throw new NfsError("ENOTDIR", "not a directory", context);
    await this.#remove(parsed, context);
  }

  async #remove(path: ParsedPath, context: RunOptions): Promise<void> {
    await this.resolver.in(path, context, (compound, name) => compound.op("REMOVE", { target: encodeName(name) }));
  }

  async rm(
    path: PathLike,
    options: CallOptions & { readonly force?: boolean; readonly recursive?: boolean } = {},
  ): Promise<void> {
    const parsed = parsePath(path);
    const context = { ...limitsOf(options), syscall: "rm", path: parsed.text };
    let stats: Stats;
    try {
      stats = new Stats(await this.#attributes(path, "lstat", false, options));
    } catch (error) {
      if (options.force === true && error instanceof NfsError && error.code === "ENOENT") return;
      throw error;
    }
    if (!stats.isDirectory()) return this.#remove(parsed, { ...context, syscall: "unlink" });
    if (options.recursive !== true) throw isDirectoryError(parsed.text);
    await this.#removeTree(parsed, context);
  }

  async #removeTree(path: ParsedPath, context: RunOptions): Promise<void> {
    for await (const entries of this.#entries(path, { ...context, syscall: "scandir" })) {
      for (const { name, attributes } of entries) {
        const inner = { text: `${path.text}/${name}`, names: [...path.names, name], mustBeDirectory: false };
        if (attributes.type === NF4DIR) await this.#removeTree(inner, context);
        else await this.#remove(inner, { ...context, syscall: "unlink", path: inner.text });
      }
    }
    await this.#remove(path, { ...context, syscall: "rmdir", path: path.text });
  }

  async readlink(path: PathLike, options?: FileOptions | "buffer"): Promise<string> {
    const parsed = parsePath(path);
    const context = { syscall: "readlink", path: parsed.text, follow: false };
    const step = await this.resolver.at(parsed, context, (compound) => compound.op("READLINK", undefined));
    return asName(decodeName(step.body.link), options) as string;
  }

  async realpath(path: PathLike, options?: FileOptions | "buffer"): Promise<string> {
    const parsed = parsePath(path);
    const context = { syscall: "realpath", path: parsed.text, follow: true };
    const names = await this.resolver.canonical(parsed, context);
    return asName(`/${names.join("/")}`, options) as string;
  }

  // ——— Directories ———

  readdir(
    path: PathLike,
    options?: Encoding | (ReadDirOptions & { readonly withFileTypes?: false }) | null,
  ): Promise<string[]>;
  readdir(path: PathLike, options: ReadDirOptions & { readonly withFileTypes: true }): Promise<Dirent[]>;
  async readdir(path: PathLike, options?: Encoding | ReadDirOptions | null): Promise<string[] | Dirent[]> {
    const given: ReadDirOptions = typeof options === "object" && options !== null ? options : { encoding: options };
    const parsed = parsePath(path);
    const found: { readonly name: string; readonly parent: string; readonly type: number | undefined }[] = [];
    const walk = async (directory: ParsedPath, prefix: string): Promise<void> => {
      const inner: string[] = [];
      const context = { ...limitsOf(given), syscall: "scandir", path: directory.text };
      for await (const entries of this.#entries(directory, context)) {
        for (const { name, attributes } of entries) {
          found.push({ name: prefix + name, parent: directory.text, type: attributes.type });
          if (given.recursive === true && (await this.#isWalked(directory, name, attributes, given))) inner.push(name);
        }
      }
      for (const name of inner) await walk(childOf(directory, name), `${prefix}${name}/`);
    };
    await walk(parsed, "");
    found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    if (given.withFileTypes !== true) return found.map(({ name }) => asName(name, given) as string);
    return found.map(
      ({ name, parent, type }) =>
        new Dirent(asName(name.slice(name.lastIndexOf("/") + 1), given) as string, parent, type),
    );
  }

  /** As Node: links to directories are followed, unless types were asked for. */
  async #isWalked(
    directory: ParsedPath,
    name: string,
    { type }: Fattr4Values,
    given: ReadDirOptions,
  ): Promise<boolean> {
    if (type !== NF4LNK || given.withFileTypes === true) return type === NF4DIR;
    const stats = await this.stat(childOf(directory, name).text, limitsOf(given)).catch(() => null);
    return stats?.isDirectory() === true;
  }

  async opendir(path: PathLike, options: CallOptions = {}): Promise<Dir> {
    const parsed = parsePath(path);
    const pages = this.#entries(parsed, { ...limitsOf(options), syscall: "opendir", path: parsed.text });
    // That it is there, and a directory, is known before anything is read.
    const first = await pages.next();
    return new Dir(parsed.text, resumed(first, pages));
  }

  async *#entries(path: ParsedPath, context: RunOptions): AsyncGenerator<Entry[], void, undefined> {
    const steps = await this.resolver.at(path, { ...context, follow: true }, (compound) =>
      firstPage(this.mount, compound),
    );
    yield* pagesFrom(this.mount, steps, context);
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

/** As `fs.StatFs`. */
export interface StatFs {
  readonly type: number;
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** What Linux says of NFS mounts. */
const NFS_SUPER_MAGIC = 0x6969;
const BLOCK = 4096n;

function statFsOf({ space_total, space_free, space_avail, files_total, files_free }: Fattr4Values): StatFs {
  const blocks = (bytes: bigint | undefined): number => Number((bytes ?? 0n) / BLOCK);
  return {
    type: NFS_SUPER_MAGIC,
    bsize: Number(BLOCK),
    frsize: Number(BLOCK),
    blocks: blocks(space_total),
    bfree: blocks(space_free),
    bavail: blocks(space_avail),
    files: Number(files_total ?? 0n),
    ffree: Number(files_free ?? 0n),
  };
}

function limitsOf({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

function childOf(directory: ParsedPath, name: string): ParsedPath {
  const text = directory.text.endsWith("/") ? directory.text + name : `${directory.text}/${name}`;
  return { text, names: [...directory.names, name], mustBeDirectory: false };
}

/** A name as it was asked for: text, or with "buffer" its bytes. */
function asName(name: string, options: FileOptions | "buffer" | ReadDirOptions): string | Buffer {
  const encoding = typeof options === "object" && options !== null ? options.encoding : options;
  if (encoding === "buffer") return Buffer.from(encodeName(name));
  return encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8"
    ? name
    : Buffer.from(encodeName(name)).toString(encoding);
}

async function* resumed(
  first: IteratorResult<Entry[], void>,
  rest: AsyncGenerator<Entry[], void, undefined>,
): AsyncGenerator<Entry[], void, undefined> {
  if (first.done !== true) yield first.value;
  yield* rest;
}
