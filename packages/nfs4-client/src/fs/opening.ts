import { OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WRITE } from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import type { OpenFile, OpenRequest } from "../state/open-file.ts";
import type { OpenMode } from "./flags.ts";
import type { ParsedPath } from "./path.ts";
import type { Tree } from "./tree.ts";

/** Opens what a path names, following symbolic links unless the file must be new. `permissions`: of a file that is made. */
export async function openPath(
  tree: Tree,
  path: ParsedPath,
  mode: OpenMode,
  permissions: number,
  context: RunOptions,
): Promise<OpenFile> {
  if (path.names.length === 0 || path.mustBeDirectory)
    throw new NfsError("EISDIR", "illegal operation on a directory", context);
  let { names } = path;
  for (let isCanonical = false; ; isCanonical = true) {
    if (isCanonical || names.includes(".."))
      names = await tree.resolver.canonical(path, {
        ...context,
        follow: !mode.exclusive,
        mayBeMissing: mode.creates,
      });
    try {
      const { file } = await tree.mount.client.open(requestOf(tree, names, mode, permissions, context), context);
      return file;
    } catch (error) {
      const perhapsLink =
        error instanceof NfsError && (error.nfsStatus === "NFS4ERR_SYMLINK" || error.code === "ENOTDIR");
      if (!perhapsLink || isCanonical) throw error;
    }
  }
}

function requestOf(
  { mount }: Tree,
  names: readonly string[],
  mode: OpenMode,
  permissions: number,
  context: RunOptions,
): OpenRequest {
  const name = names.at(-1);
  if (name === undefined) throw new NfsError("EISDIR", "illegal operation on a directory", context);
  const directory = names.slice(0, -1);
  // An OPEN that may make the file cuts off one that is there (RFC 8881 §18.16.3).
  const attributes = { mode: permissions, ...(mode.truncates && !mode.exclusive ? { size: 0n } : {}) };
  return {
    toDirectory: (compound) => mount.enter(compound, directory),
    name,
    access: (mode.reads ? OPEN4_SHARE_ACCESS_READ : 0) | (mode.writes ? OPEN4_SHARE_ACCESS_WRITE : 0),
    ...(mode.creates ? { create: { exclusive: mode.exclusive, attributes } } : {}),
    mask: [],
  };
}
