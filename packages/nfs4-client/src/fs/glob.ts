import { posix } from "node:path";
import { invalidType } from "./argument-errors.ts";
import { Dirent } from "./dirent.ts";
import { advance, matcherOf, type Progress, planAt, progressOf } from "./glob-pattern.ts";
import type { NfsPromises } from "./nfs-promises.ts";
import { type PathLike, parsePath, pathText } from "./path.ts";

/** As `fs.GlobOptions`. */
export interface GlobOptions {
  /** What patterns begin at. Default: the export's root. */
  readonly cwd?: PathLike | undefined;
  /** What is left out, with all that is in it: patterns, or a function of a name (with `withFileTypes`: of a Dirent). */
  readonly exclude?: readonly string[] | ((entry: string) => boolean) | ((entry: Dirent) => boolean) | undefined;
  readonly withFileTypes?: boolean;
}

type Exclusion = (path: string, entry: Dirent) => boolean;
type Results = AsyncGenerator<readonly [path: string, entry: Dirent], void, undefined>;

/** Where there is nothing, or nothing to be seen. */
const NOTHING: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "EACCES", "ELOOP"]);

/** One call of `glob`. Only directories in which something can match are listed; what a pattern names outright is looked up. */
export class Glob {
  readonly #fs: NfsPromises;
  readonly #cwd: string;
  readonly #progress: readonly Progress[];
  readonly #excludes: Exclusion;
  readonly #found = new Set<string>();

  /** Throws as Node does (ERR_INVALID_ARG_TYPE). */
  constructor(fs: NfsPromises, pattern: string | readonly string[], options: GlobOptions = {}) {
    if (typeof options !== "object" || options === null) throw invalidType("options", "of type object", options);
    this.#fs = fs;
    this.#cwd = posix.resolve("/", pathText(options.cwd ?? "/", "options.cwd"));
    this.#excludes = exclusionOf(options, this.#cwd);
    this.#progress = textsOf(pattern).flatMap(progressOf);
  }

  /** Paths as the patterns have them, from `cwd` or from the root, each once. */
  run(): Results {
    return this.#walk(".", this.#progress);
  }

  async *#walk(path: string, all: readonly Progress[]): Results {
    const { here, elsewhere, inside } = planAt(path, all);
    if (here !== null) yield* this.#result(path, await this.#entry(path, here === "directory"));
    for (const [other, progress] of elsewhere) yield* this.#walk(other, [progress]);
    const below: [string, readonly Progress[]][] = [];
    for await (const entry of this.#children(path, inside)) {
      const inner = posix.join(path, entry.name);
      const next: Progress[] = [];
      const matching = inside.filter((progress) => advance(progress, entry, next));
      if (matching.length + next.length === 0 || this.#excludes(this.#full(inner), entry)) continue;
      if (matching.length > 0) yield* this.#result(inner, entry);
      if (next.length > 0) below.push([inner, next]);
    }
    for (const [inner, next] of below) yield* this.#walk(inner, next);
  }

  *#result(path: string, entry: Dirent | null): Generator<readonly [string, Dirent], void, undefined> {
    if (entry === null || this.#found.has(path) || this.#excludes(this.#full(path), entry)) return;
    this.#found.add(path);
    yield [path, entry];
  }

  async *#children(path: string, inside: readonly Progress[]): AsyncGenerator<Dirent, void, undefined> {
    const wanted = new Set(inside.map(({ parts, index }) => parts[index]));
    const names = [...wanted].filter((part) => typeof part === "string");
    if (names.length === wanted.size) {
      for (const name of names) {
        const entry = await this.#entry(posix.join(path, name), false);
        if (entry !== null) yield entry;
      }
      return;
    }
    try {
      yield* await this.#fs.opendir(this.#full(path));
    } catch (error) {
      if (!isNothing(error)) throw error;
    }
  }

  /** Null: there is no such thing. */
  async #entry(path: string, mustBeDirectory: boolean): Promise<Dirent | null> {
    const full = this.#full(path);
    try {
      if (mustBeDirectory && !(await this.#fs.stat(full)).isDirectory()) return null;
      const context = { syscall: "lstat", path: full, follow: false };
      const { type } = await this.#fs.tree.attributes(parsePath(full), context);
      return new Dirent(posix.basename(full), posix.dirname(full), type);
    } catch (error) {
      if (isNothing(error)) return null;
      throw error;
    }
  }

  #full(path: string): string {
    return posix.resolve(this.#cwd, path);
  }
}

function textsOf(pattern: unknown): readonly string[] {
  if (typeof pattern === "object") return texts(pattern, "patterns", "an instance of Array");
  if (typeof pattern !== "string") throw invalidType("patterns", "of type string", pattern);
  return [pattern];
}

function texts(given: unknown, argument: string, expected: string): readonly string[] {
  if (!Array.isArray(given)) throw invalidType(argument, expected, given);
  given.forEach((text: unknown, index) => {
    if (typeof text !== "string") throw invalidType(`${argument}[${index}]`, "of type string", text);
  });
  return given;
}

function exclusionOf({ exclude, withFileTypes = false }: GlobOptions, cwd: string): Exclusion {
  if (exclude === undefined || exclude === null) return () => false;
  if (typeof exclude === "function")
    return (_path, entry) => (exclude as (entry: string | Dirent) => boolean)(withFileTypes ? entry : entry.name);
  const patterns = texts(exclude, "options.exclude", "of type function or string[]");
  const matchers = patterns.map((pattern) => matcherOf(posix.resolve(cwd, pattern)));
  return (path) => matchers.some((matches) => matches(path));
}

function isNothing(error: unknown): boolean {
  return NOTHING.has((error as NodeJS.ErrnoException).code);
}
