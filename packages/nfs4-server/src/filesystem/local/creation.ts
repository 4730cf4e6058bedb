/** CREATE and the creating OPEN: new nodes, made by the kernel as the caller. */
import { type As, O, S } from "@nfs4/native";
import { type Errno, isErrno } from "../errno.ts";
import {
  type CallContext,
  type Created,
  type CreateRequest,
  OPEN_READ,
  type OpenAccess,
  type Result,
} from "../types.ts";
import { setModeOwnerAndTimes } from "./attribute-changes.ts";
import { ChangeBracket } from "./change-bracket.ts";
import { bytesOf, type Component } from "./component.ts";
import { errnoOf } from "./errors.ts";
import type { LocalFile, LocalNode } from "./local-node.ts";
import type { Place } from "./node-keys.ts";
import type { Volume } from "./volume.ts";

export const OPEN_FLAGS: Readonly<Record<OpenAccess, number>> = { 1: O.RDONLY, 2: O.WRONLY, 3: O.RDWR };

const DEFAULT_MODE = 0o600;
/** mkdir(2) does not take them. */
const SET_ID = 0o6000;

export async function create(
  volume: Volume,
  place: Place,
  entry: Component,
  request: CreateRequest,
  context: CallContext,
): Promise<Result<Created<LocalNode, LocalFile>>> {
  const as = volume.as(context);
  const bracket = await ChangeBracket.open(volume, place);
  const made = await make(volume, place, entry, request, as);
  if (isErrno(made)) return made;
  const fd = made.fd;
  const found = await volume.keys.ofEntry(place, entry, null);
  const node = isErrno(found) ? found : volume.nodes.live(volume.nodes.node(found));
  if (isErrno(node)) {
    volume.changed(place.node);
    if (fd >= 0) await volume.calls.pool.close(fd);
    return node;
  }
  const failure = await finish(volume, node, request, fd, as);
  if (isErrno(failure)) {
    volume.changed(place.node);
    if (fd >= 0) await volume.calls.pool.close(fd);
    await volume.calls.pool.unlink(place.fd, entry.name, request.type === "directory" ? REMOVE_DIRECTORY : 0);
    volume.nodes.lostName(node);
    return failure;
  }
  const change = await bracket.close(1);
  if (request.type !== "file" || request.open === undefined) {
    if (fd >= 0) await volume.metadata.close(fd);
    return { node, change };
  }
  return { node, change, file: volume.openFile(node, fd, request.open) };
}

const REMOVE_DIRECTORY = 0x200;

/** The name's making. For a regular file with its descriptor, else −1. */
async function make(
  volume: Volume,
  { fd }: Place,
  { name }: Component,
  request: CreateRequest,
  as: As,
): Promise<Result<{ readonly fd: number }>> {
  const { pool } = volume.calls;
  const mode = (request.attributes.mode ?? DEFAULT_MODE) & 0o7777;
  let result: number;
  switch (request.type) {
    case "file": {
      // Permission is the creator's whatever the mode says, so it is opened in the same call. To set a size takes writing.
      const flags = request.attributes.size ? O.RDWR : OPEN_FLAGS[request.open ?? OPEN_READ];
      const made = await pool.open(fd, name, flags | O.CREAT | O.EXCL, mode, as);
      return made < 0 ? errnoOf(made) : { fd: made };
    }
    case "directory":
      result = await pool.mkdir(fd, name, mode, as);
      break;
    case "symlink": {
      const target = bytesOf(request.target);
      if (isErrno(target)) return target;
      result = await pool.symlink(fd, name, target.name, as);
      break;
    }
    case "fifo":
      result = await pool.mknod(fd, name, S.IFIFO | mode, 0, 0, as);
      break;
    case "socket":
      result = await pool.mknod(fd, name, S.IFSOCK | mode, 0, 0, as);
      break;
    case "block":
    case "character": {
      const { major, minor } = request.device;
      result = await pool.mknod(fd, name, (request.type === "block" ? S.IFBLK : S.IFCHR) | mode, major, minor, as);
      break;
    }
  }
  return result < 0 ? errnoOf(result) : { fd: -1 };
}

/** What the making could not do by itself. */
async function finish(
  volume: Volume,
  node: LocalNode,
  { type, attributes }: CreateRequest,
  fd: number,
  as: As,
): Promise<Errno | undefined> {
  if (type === "file" && attributes.size) {
    const result = await volume.calls.pool.truncate(fd, attributes.size, as);
    if (result < 0) return errnoOf(result);
  }
  const { mode, uid, gid, atime, mtime } = attributes;
  const owned = uid !== undefined || gid !== undefined;
  const again = mode !== undefined && mode & SET_ID && (owned || type === "directory");
  if (!owned && !again && atime === undefined && mtime === undefined) return;
  const rest = { ...(again ? { mode } : {}), ...pick({ uid, gid }), ...pick({ atime, mtime }) };
  const result = await volume.nodes.use(node, (path) =>
    setModeOwnerAndTimes(volume, path, rest, type === "symlink", as),
  );
  return isErrno(result) ? result : undefined;
}

/** Without the members that are undefined. */
function pick<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
