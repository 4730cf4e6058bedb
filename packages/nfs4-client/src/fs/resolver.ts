import {
  decodeFattr4,
  decodeName,
  type Fattr4Values,
  makeFattr4,
  NF4DIR,
  NF4LNK,
  NFS4ERR_NOENT,
  NFS4ERR_NOT_SAME,
  NFS4ERR_NOTDIR,
  NFS4ERR_SAME,
  NFS4ERR_SYMLINK,
} from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import type { Mount } from "../mount.ts";
import { Compound, type Step } from "../protocol/compound.ts";
import type { ParsedPath } from "./path.ts";

/** As Linux: more than so many symbolic links in one path are ELOOP. */
const MOST_LINKS = 40;
const IS_LINK = makeFattr4({ type: NF4LNK });
const IS_DIRECTORY = makeFattr4({ type: NF4DIR });

export interface ResolveOptions extends RunOptions {
  /** A symbolic link at the end of the path is followed. */
  readonly follow: boolean;
  /** What the path's last name stands for need not be there. */
  readonly mayBeMissing?: boolean;
}

/**
 * Paths to COMPOUNDs. A path without symbolic links costs one round trip, whatever is done at its end: its names are looked up in the COMPOUND that does it. Only when the server says
 * that there is a link is the path taken apart.
 */
export class Resolver {
  readonly #mount: Mount;

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  /** Runs a COMPOUND in which `build` adds what is to be done with the object that the path names. Rejects with an `NfsError`. */
  async at<T>(path: ParsedPath, options: ResolveOptions, build: (compound: Compound) => T): Promise<T> {
    const { compound: ran, result } = await this.#run(
      path,
      options,
      options.follow || path.mustBeDirectory,
      (compound, names) => {
        this.#mount.enter(compound, names);
        if (options.follow || path.mustBeDirectory) refuseLink(compound);
        if (path.mustBeDirectory) compound.op("VERIFY", { obj_attributes: IS_DIRECTORY });
        return build(compound);
      },
    );
    const { failed } = ran;
    if (failed?.status === NFS4ERR_NOT_SAME) throw new NfsError("ENOTDIR", "not a directory", options);
    if (failed !== undefined) throw ran.error(options);
    return result;
  }

  /**
   * As `at`, for what is to be done in a directory with a name that need not be there; `build` gets that name. The path must have one. `before`: what comes before the directory is
   * looked up.
   */
  async in<T>(
    path: ParsedPath,
    options: RunOptions,
    build: (compound: Compound, name: string) => T,
    before?: (compound: Compound) => void,
  ): Promise<T> {
    const { compound, result } = await this.tryIn(path, options, build, before);
    if (!compound.succeeded) throw compound.error(options);
    return result;
  }

  /** As `in`, but resolves also if what was to be done has failed. */
  async tryIn<T>(
    path: ParsedPath,
    options: RunOptions,
    build: (compound: Compound, name: string) => T,
    before?: (compound: Compound) => void,
  ): Promise<{ readonly compound: Compound; readonly result: T }> {
    const name = path.names.at(-1);
    if (name === undefined || name === "..") throw new NfsError("EBUSY", "resource busy or locked", options);
    const directory = { ...path, names: path.names.slice(0, -1) };
    return this.#run(directory, options, true, (compound, names) => {
      before?.(compound);
      this.#mount.enter(compound, names);
      return build(compound, name);
    });
  }

  /** The names of what a path leads to, without links and "..". */
  async canonical(path: ParsedPath, options: ResolveOptions): Promise<readonly string[]> {
    const done: string[] = [];
    let rest = [...path.names];
    let links = 0;
    while (rest.length > 0) {
      const plain = rest.indexOf("..");
      if (plain === 0) {
        done.pop();
        rest.shift();
        continue;
      }
      const ahead = plain < 0 ? rest : rest.slice(0, plain);
      const { passed, link } = await this.#walk(done, ahead, options, plain < 0 && options.mayBeMissing === true);
      done.push(...ahead.slice(0, passed));
      rest = rest.slice(passed);
      if (link === null) continue;
      if (rest.length === 1 && !options.follow) {
        done.push(rest[0]!);
        break;
      }
      if (++links > MOST_LINKS) throw new NfsError("ELOOP", "too many symbolic links encountered", options);
      if (link.startsWith("/")) done.length = 0;
      rest = [...link.split("/").filter((part) => part !== "" && part !== "."), ...rest.slice(1)];
    }
    return done;
  }

  /** How many of `names` from `done` on are no links, and where the link behind them leads. One COMPOUND. */
  async #walk(
    done: readonly string[],
    names: readonly string[],
    options: RunOptions,
    mayBeMissing: boolean,
  ): Promise<{ readonly passed: number; readonly link: string | null }> {
    const compound = this.#mount.enter(new Compound("walk"), done);
    const guards: Step[] = [];
    for (const name of names) {
      compound.lookup(name);
      guards.push(refuseLink(compound));
    }
    await this.#mount.client.attempt(compound, options);
    if (await this.#mount.refreshRoot(compound)) return this.#walk(done, names, options, mayBeMissing);
    const passed = guards.findIndex(({ succeeded }) => !succeeded);
    if (passed < 0) return { passed: names.length, link: null };
    if (guards[passed]!.status !== NFS4ERR_SAME) {
      const isLast = passed === names.length - 1;
      if (isLast && mayBeMissing && compound.failed?.status === NFS4ERR_NOENT)
        return { passed: names.length, link: null };
      throw compound.error(options);
    }
    const reading = this.#mount.enter(new Compound("read link"), [...done, ...names.slice(0, passed + 1)]);
    const step = reading.op("READLINK", undefined);
    await this.#mount.client.run(reading, options);
    return { passed, link: decodeName(step.body.link) };
  }

  /** Resolves to the COMPOUND that has succeeded, or failed for another reason than a symbolic link on the way. */
  async #run<T>(
    path: ParsedPath,
    options: RunOptions,
    follow: boolean,
    build: (compound: Compound, names: readonly string[]) => T,
  ): Promise<{ readonly compound: Compound; readonly result: T }> {
    const { client } = this.#mount;
    let { names } = path;
    let isCanonical = names.includes("..");
    if (isCanonical) names = await this.canonical(path, { ...options, follow });
    for (;;) {
      const compound = new Compound(options.syscall ?? "");
      const result = build(compound, names);
      await client.attempt(compound, options);
      if (await this.#mount.refreshRoot(compound)) continue;
      if (isCanonical || !isPerhapsLink(compound, names.length)) return { compound, result };
      names = await this.canonical(path, { ...options, follow });
      isCanonical = true;
    }
  }
}

/** Whether a COMPOUND that began by looking up `depth` names may have met a symbolic link on the way. */
function isPerhapsLink({ failed, steps }: Compound, depth: number): boolean {
  if (failed === undefined) return false;
  const { status, name } = failed;
  if (status === NFS4ERR_SYMLINK || status === NFS4ERR_NOTDIR) return true;
  // The guard right behind the path.
  return status === NFS4ERR_SAME && name === "NVERIFY" && steps.indexOf(failed) <= depth + 1;
}

/** The current filehandle must not be a symbolic link's: else NFS4ERR_SAME ends the COMPOUND. */
function refuseLink(compound: Compound): Step {
  return compound.op("NVERIFY", { obj_attributes: IS_LINK }) as unknown as Step;
}

/** The values of a GETATTR that has succeeded. */
export function attributesOf(step: Step<"GETATTR">): Fattr4Values {
  const decoded = decodeFattr4(step.body.obj_attributes);
  if (!decoded.ok) throw new NfsError("EPROTO", "the server's attributes cannot be understood");
  return decoded.values;
}
