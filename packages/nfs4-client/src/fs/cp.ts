import { posix } from "node:path";
import { incompatibleOptions, invalidType, outOfRange } from "./argument-errors.ts";
import { errorOf } from "./cp-errors.ts";
import type { NfsPromises } from "./nfs-promises.ts";
import { type PathLike, pathText } from "./path.ts";
import type { BigIntStats } from "./stats.ts";

/** As `fs.CopyOptions`. */
export interface CpOptions {
  /** Copies what a symbolic link leads to, not the link. */
  readonly dereference?: boolean;
  /** With `force: false`: what is there already is an error, and not left alone. */
  readonly errorOnExist?: boolean;
  /** Whether to copy it, and what is in it. */
  readonly filter?: ((source: string, destination: string) => boolean | Promise<boolean>) | undefined;
  /** Overwrites what is there. Default true. */
  readonly force?: boolean;
  /** Of `copyFile`. */
  readonly mode?: number;
  readonly preserveTimestamps?: boolean;
  readonly recursive?: boolean;
  /** Leaves where symbolic links lead as it is written in them. */
  readonly verbatimSymlinks?: boolean;
}

const SWITCHES = [
  "dereference",
  "errorOnExist",
  "force",
  "preserveTimestamps",
  "recursive",
  "verbatimSymlinks",
] as const satisfies readonly (keyof CpOptions)[];

/** Copies a file, a link, or with `recursive` a directory with all that is in it. */
export async function copyTree(
  fs: NfsPromises,
  src: PathLike,
  dest: PathLike,
  options: CpOptions | undefined,
): Promise<void> {
  const copy = new TreeCopy(fs, checked(options));
  await copy.run(pathText(src, "src"), pathText(dest, "dest"));
}

/** Throws as Node does. */
function checked(options: CpOptions = {}): CpOptions {
  if (typeof options !== "object" || options === null) throw invalidType("options", "of type object", options);
  for (const name of SWITCHES) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean")
      throw invalidType(`options.${name}`, "of type boolean", value);
  }
  const { mode = 0, filter } = options;
  if (!Number.isInteger(mode) || mode < 0 || mode > 7) throw outOfRange("mode", ">= 0 && <= 7", mode);
  if (options.dereference === true && options.verbatimSymlinks === true)
    throw incompatibleOptions("dereference", "verbatimSymlinks");
  if (filter !== undefined && typeof filter !== "function")
    throw invalidType("options.filter", "of type function", filter);
  return options;
}

/** What is to be copied, and what is where it goes. */
interface Item {
  readonly src: string;
  readonly dest: string;
  readonly source: BigIntStats;
  /** Null: nothing. */
  readonly target: BigIntStats | null;
}

/** One call of `cp`. The order of what it looks at and does is Node's, for programs see it in errors and in `filter`. */
class TreeCopy {
  readonly #fs: NfsPromises;
  readonly #options: CpOptions;

  constructor(fs: NfsPromises, options: CpOptions) {
    this.#fs = fs;
    this.#options = options;
  }

  async run(src: string, dest: string): Promise<void> {
    const item = await this.#examine(src, dest);
    if (item === null) return;
    await this.#refuseInside(item);
    const parent = posix.dirname(dest);
    if ((await orNull(this.#fs.stat(parent))) === null) await this.#fs.mkdir(parent, { recursive: true });
    await this.#copy(item);
  }

  /** Null: the filter will not have it. */
  async #examine(src: string, dest: string): Promise<Item | null> {
    const { filter } = this.#options;
    if (filter !== undefined && !(await filter(src, dest))) return null;
    const [source, target] = await Promise.all([this.#stat(src), orNull(this.#stat(dest))]);
    if (target !== null) {
      if (isSame(source, target)) throw errorOf.same(dest);
      if (source.isDirectory() && !target.isDirectory()) throw errorOf.directoryToFile(src, dest);
      if (!source.isDirectory() && target.isDirectory()) throw errorOf.fileToDirectory(src, dest);
    }
    if (source.isDirectory() && isWithin(dest, src)) throw errorOf.intoItself(src, dest);
    return { src, dest, source, target };
  }

  #stat(path: string): Promise<BigIntStats> {
    const { dereference = false } = this.#options;
    return dereference ? this.#fs.stat(path, { bigint: true }) : this.#fs.lstat(path, { bigint: true });
  }

  /** A directory above the destination may be the source by another name. */
  async #refuseInside({ src, dest, source }: Item): Promise<void> {
    const end = parentOf(src);
    let inner = dest;
    for (let parent = parentOf(dest); parent !== end && parent !== "/"; parent = parentOf(parent)) {
      const stats = await orNull(this.#fs.stat(parent, { bigint: true }));
      if (stats === null) return;
      if (isSame(source, stats)) throw errorOf.intoItself(src, inner);
      inner = parent;
    }
  }

  async #copy(item: Item): Promise<void> {
    const { src, dest, source } = item;
    if (source.isDirectory()) {
      if (this.#options.recursive !== true) throw errorOf.isDirectory(src);
      await this.#copyDirectory(item);
    } else if (source.isFile() || source.isCharacterDevice() || source.isBlockDevice()) await this.#copyFile(item);
    else if (source.isSymbolicLink()) await this.#copyLink(item);
    else if (source.isSocket()) throw errorOf.isSocket(dest);
    else if (source.isFIFO()) throw errorOf.isFifo(dest);
    else throw errorOf.isUnknown(dest);
  }

  async #copyDirectory({ src, dest, source, target }: Item): Promise<void> {
    if (target === null) await this.#fs.mkdir(dest);
    for await (const { name } of await this.#fs.opendir(src)) {
      const inner = await this.#examine(posix.join(src, name), posix.join(dest, name));
      if (inner !== null) await this.#copy(inner);
    }
    // Only now, for it may be that nothing can be made in it then.
    if (target === null) await this.#fs.chmod(dest, Number(source.mode));
  }

  async #copyFile({ src, dest, source, target }: Item): Promise<void> {
    const { force = true, errorOnExist = false, mode = 0, preserveTimestamps = false } = this.#options;
    if (target !== null) {
      if (!force && errorOnExist) throw errorOf.exists(dest);
      if (!force) return;
      await this.#fs.unlink(dest);
    }
    await this.#fs.copyFile(src, dest, mode);
    if (preserveTimestamps) {
      // Reading may have changed when it was accessed.
      const { atime, mtime } = await this.#fs.stat(src);
      await this.#fs.utimes(dest, atime, mtime);
    }
    await this.#fs.chmod(dest, Number(source.mode));
  }

  async #copyLink({ src, dest, target }: Item): Promise<void> {
    const link = await this.#fs.readlink(src);
    const source = this.#options.verbatimSymlinks === true ? link : resolved(link, src);
    if (target !== null) {
      if (!target.isSymbolicLink()) return this.#fs.symlink(source, dest);
      const present = resolved(await this.#fs.readlink(dest), dest);
      const isDirectory = (await this.#fs.stat(src)).isDirectory();
      if (isDirectory && isWithin(present, source)) throw errorOf.intoItself(source, present, dest);
      // Without what `dest` leads to, the new link would lead nowhere.
      if (isDirectory && isWithin(source, present)) throw errorOf.linkIntoTarget(source, present, dest);
      await this.#fs.unlink(dest);
    }
    await this.#fs.symlink(source, dest);
  }
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

function parentOf(path: string): string {
  return posix.resolve("/", posix.dirname(path));
}

/** Where a link leads, from the root. */
function resolved(link: string, at: string): string {
  return posix.resolve("/", posix.dirname(at), link);
}

/** By the names alone. */
function isWithin(path: string, directory: string): boolean {
  const [inner, outer] = [path, directory].map((one) => posix.resolve("/", one).split("/").filter(Boolean));
  return outer!.every((name, index) => inner![index] === name);
}

function orNull<T>(promise: Promise<T>): Promise<T | null> {
  return promise.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}
