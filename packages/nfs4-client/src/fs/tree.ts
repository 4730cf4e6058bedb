import {
  ANONYMOUS_STATEID,
  type Bitmap,
  type createtype4,
  encodeName,
  type Fattr4Values,
  makeFattr4,
  NF4DIR,
  NFS4ERR_NOT_SAME,
  NFS4ERR_SAME,
} from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import type { Mount } from "../mount.ts";
import { type Entry, firstPage, pagesFrom } from "./listing.ts";
import type { ParsedPath } from "./path.ts";
import { attributesOf, type ResolveOptions, Resolver } from "./resolver.ts";
import { STAT_ATTRIBUTES, Stats } from "./stats.ts";

const IS_DIRECTORY = makeFattr4({ type: NF4DIR });

/** What is done with the names and attributes of an export's objects. Whatever fails is an `NfsError` with the call's context. */
export class Tree {
  readonly mount: Mount;
  readonly resolver: Resolver;

  constructor(mount: Mount) {
    this.mount = mount;
    this.resolver = new Resolver(mount);
  }

  async attributes(path: ParsedPath, options: ResolveOptions): Promise<Fattr4Values> {
    return attributesOf(await this.resolver.at(path, options, (compound) => compound.getAttributes(STAT_ATTRIBUTES)));
  }

  async setAttributes(path: ParsedPath, values: Fattr4Values, options: ResolveOptions): Promise<void> {
    await this.resolver.at(path, options, (compound) => compound.setAttributes(values, () => ANONYMOUS_STATEID));
  }

  /** Makes a directory, a link or something special. */
  async create(path: ParsedPath, objtype: createtype4, values: Fattr4Values, context: RunOptions): Promise<void> {
    if (path.names.length === 0) throw new NfsError("EEXIST", "file already exists", context);
    const createattrs = makeFattr4(values);
    await this.resolver.in(path, context, (compound, name) =>
      compound.op("CREATE", { objtype, objname: encodeName(name), createattrs }),
    );
  }

  /** Makes a directory and those above it that are missing. Resolves to the path of the first that was made; undefined: all were there. */
  async createDirectories(path: ParsedPath, mode: number, context: RunOptions): Promise<string | undefined> {
    const depth = path.names.length;
    const upTo = (count: number): ParsedPath => {
      const names = path.names.slice(0, count);
      return { text: (path.text.startsWith("/") ? "/" : "") + names.join("/"), names, mustBeDirectory: false };
    };
    const make = (count: number): Promise<void> => this.create(upTo(count), { type: NF4DIR }, { mode }, context);
    // Most often all but the last are there.
    let made = 0;
    let count = depth;
    for (; count > 0 && made === 0; count--) {
      try {
        await make(count);
        made = count;
      } catch (error) {
        if (!(error instanceof NfsError)) throw error;
        if (error.code === "EEXIST") {
          if (await this.#isDirectory(upTo(count), context)) break;
          throw count === depth ? error : new NfsError("ENOTDIR", "not a directory", context);
        }
        if (error.code !== "ENOENT" || count === 1) throw error;
      }
    }
    const first = made > 0 ? made : count + 1;
    for (let next = made > 0 ? made + 1 : first; next <= depth; next++) await make(next);
    return first <= depth ? upTo(first).text : undefined;
  }

  async #isDirectory(path: ParsedPath, context: RunOptions): Promise<boolean> {
    const values = await this.attributes(path, { ...context, follow: true }).catch(() => null);
    return values !== null && new Stats(values).isDirectory();
  }

  /** A hard link to what `from` names, which is not followed. */
  async link(from: ParsedPath, to: ParsedPath, context: RunOptions): Promise<void> {
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

  // ——— Removing ———

  /** Removes a name. `kind`: it must stand for a directory, or for something else, which NFS does not tell apart; null: for anything. */
  async remove(path: ParsedPath, kind: "directory" | "file" | null, context: RunOptions): Promise<void> {
    const { compound } = await this.resolver.tryIn(path, context, (built, name) => {
      if (kind !== null) {
        built.saveFh().lookup(name);
        built.op(kind === "file" ? "NVERIFY" : "VERIFY", { obj_attributes: IS_DIRECTORY });
        built.restoreFh();
      }
      return built.op("REMOVE", { target: encodeName(name) });
    });
    const status = compound.failed?.status;
    if (status === NFS4ERR_SAME) throw new NfsError("EISDIR", "illegal operation on a directory", context);
    if (status === NFS4ERR_NOT_SAME) throw new NfsError("ENOTDIR", "not a directory", context);
    if (status !== undefined) throw compound.error(context);
  }

  /** A directory with all that is in it. */
  async removeTree(path: ParsedPath, context: RunOptions): Promise<void> {
    for await (const entries of this.entries(path, { ...context, syscall: "scandir", path: path.text })) {
      for (const { name, attributes } of entries) {
        const inner = childOf(path, name);
        if (attributes.type === NF4DIR) await this.removeTree(inner, context);
        else await this.remove(inner, null, { ...context, syscall: "unlink", path: inner.text });
      }
    }
    await this.remove(path, null, { ...context, syscall: "rmdir", path: path.text });
  }

  // ——— Listing ———

  /** The entries of a directory, a page at a time, in the server's order. `mask`: of what is told beside their types. */
  async *entries(path: ParsedPath, context: RunOptions, mask?: Bitmap): AsyncGenerator<Entry[], void, undefined> {
    const steps = await this.resolver.at(path, { ...context, follow: true }, (compound) =>
      firstPage(this.mount, compound, mask),
    );
    yield* pagesFrom(this.mount, steps, context, mask);
  }
}

export function childOf(directory: ParsedPath, name: string): ParsedPath {
  const text = directory.text.endsWith("/") ? directory.text + name : `${directory.text}/${name}`;
  return { text, names: [...directory.names, name], mustBeDirectory: false };
}
