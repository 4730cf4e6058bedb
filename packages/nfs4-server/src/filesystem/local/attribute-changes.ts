/** SETATTR, as the caller, in an order in which one does not undo the other: size, owner, mode, times. */
import { type As, LEAVE_ID, UTIME_NOW, UTIME_OMIT } from "@nfs4/native";
import { isErrno } from "../errno.ts";
import type { AttributeChanges, CallContext, Result, Timestamp } from "../types.ts";
import { errnoOf } from "./errors.ts";
import type { LocalFile, LocalNode } from "./local-node.ts";
import type { Volume } from "./volume.ts";

export async function setAttributes(
  volume: Volume,
  fd: number,
  node: LocalNode,
  changes: AttributeChanges,
  context: CallContext,
  file: LocalFile | undefined,
): Promise<Result<void>> {
  const as = volume.as(context);
  const typed = await volume.typed(fd, node);
  if (isErrno(typed)) return typed;
  const { type } = typed;
  if (changes.size !== undefined) {
    if (type === "directory") return "EISDIR";
    if (type !== "file") return "EINVAL";
  }
  await volume.aboutToChange(fd, node);
  try {
    if (changes.size !== undefined) {
      const { pool } = volume.calls;
      const result = file
        ? await pool.truncate(file.fd, changes.size, as)
        : await pool.truncatePath(fd, changes.size, as);
      if (result < 0) return errnoOf(result);
      node.truncations++;
    }
    return await setModeOwnerAndTimes(volume, fd, changes, type === "symlink", as);
  } finally {
    volume.changed(node);
  }
}

export async function setModeOwnerAndTimes(
  volume: Volume,
  fd: number,
  { uid, gid, mode, atime, mtime }: AttributeChanges,
  symlink: boolean,
  as: As,
): Promise<Result<void>> {
  const { pool } = volume.calls;
  if (uid !== undefined || gid !== undefined) {
    const result = await pool.chown(fd, uid ?? LEAVE_ID, gid ?? LEAVE_ID, as);
    if (result < 0) return errnoOf(result);
  }
  // The mode of a symbolic link means nothing, and Linux has no way to set it.
  if (mode !== undefined && !symlink) {
    const result = await pool.chmod(fd, mode & 0o7777, as);
    if (result < 0) return errnoOf(result);
  }
  if (atime !== undefined || mtime !== undefined) {
    const a = wordsOf(atime);
    const m = wordsOf(mtime);
    const result = await pool.utimes(fd, a.seconds, a.nanoseconds, m.seconds, m.nanoseconds, as);
    if (result < 0) return errnoOf(result);
  }
}

function wordsOf(time: Timestamp | "now" | undefined): Timestamp {
  if (time === undefined) return { seconds: 0, nanoseconds: UTIME_OMIT };
  return time === "now" ? { seconds: 0, nanoseconds: UTIME_NOW } : time;
}
