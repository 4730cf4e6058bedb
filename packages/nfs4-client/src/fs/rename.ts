import { encodeName } from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import { Compound } from "../protocol/compound.ts";
import type { ParsedPath } from "./path.ts";
import { Stats } from "./stats.ts";
import type { Tree } from "./tree.ts";

/** Renames, in one round trip where no directory on the way is a symbolic link. */
export async function rename(tree: Tree, from: ParsedPath, to: ParsedPath, context: RunOptions): Promise<void> {
  const [oldname, newname] = [from.names.at(-1), to.names.at(-1)];
  if (oldname === undefined || newname === undefined) throw new NfsError("EBUSY", "resource busy or locked", context);
  // What a slash follows must be a directory, or become one.
  if (from.mustBeDirectory || to.mustBeDirectory) {
    const values = await tree.attributes({ ...from, mustBeDirectory: false }, { ...context, follow: false });
    if (!new Stats(values).isDirectory()) throw new NfsError("ENOTDIR", "not a directory", context);
  }
  const { mount, resolver } = tree;
  const parents = async (path: ParsedPath, canonical: boolean): Promise<readonly string[]> => {
    const names = path.names.slice(0, -1);
    if (!canonical && !names.includes("..")) return names;
    return resolver.canonical({ ...path, names }, { ...context, follow: true });
  };
  for (let canonical = false; ; canonical = true) {
    const compound = mount.enter(new Compound("rename"), await parents(from, canonical)).saveFh();
    mount.enter(compound, await parents(to, canonical));
    compound.op("RENAME", { oldname: encodeName(oldname), newname: encodeName(newname) });
    await mount.client.attempt(compound, context);
    if (compound.succeeded) return;
    if (!canonical && (await mount.refreshRoot(compound))) continue;
    const error = compound.error(context);
    const perhapsLink = error.nfsStatus === "NFS4ERR_SYMLINK" || error.nfsStatus === "NFS4ERR_NOTDIR";
    if (canonical || !perhapsLink) throw await explained(tree, error, from, to, context);
  }
}

/** NFS has one status where POSIX has several (RFC 8881 §18.26.4): EXIST is said of a directory that is not empty, and of things of different kinds. */
async function explained(
  tree: Tree,
  error: NfsError,
  from: ParsedPath,
  to: ParsedPath,
  context: RunOptions,
): Promise<NfsError> {
  if (error.nfsStatus !== "NFS4ERR_EXIST") return error;
  const isDirectory = (path: ParsedPath): Promise<boolean | null> =>
    tree.attributes(path, { ...context, follow: false }).then(
      (values) => new Stats(values).isDirectory(),
      () => null,
    );
  const [source, target] = await Promise.all([isDirectory(from), isDirectory(to)]);
  if (source === null || target === null) return error;
  if (source && !target) return new NfsError("ENOTDIR", "not a directory", context);
  if (!source && target) return new NfsError("EISDIR", "illegal operation on a directory", context);
  return new NfsError("ENOTEMPTY", "directory not empty", context);
}
