/** LINK, REMOVE and RENAME, by the kernel as the caller. */
import { AT } from "@nfs4/native";
import { isErrno } from "../errno.ts";
import type { CallContext, ChangeInfo, Result } from "../types.ts";
import type { Component } from "./component.ts";
import { errnoOf } from "./errors.ts";
import type { LocalNode } from "./local-node.ts";
import type { Found, Place } from "./node-keys.ts";
import type { Volume } from "./volume.ts";

const EISDIR = -21;

export async function link(
  volume: Volume,
  source: Place,
  directory: Place,
  entry: Component,
  context: CallContext,
): Promise<Result<ChangeInfo>> {
  const typed = await volume.typed(source.fd, source.node);
  if (isErrno(typed)) return typed;
  if (typed.type === "directory") return "EISDIR";
  const before = await volume.change(directory.fd, directory.node);
  await volume.aboutToChange(source.fd, source.node);
  const result = await volume.calls.pool.linkFd(source.fd, directory.fd, entry.name, volume.as(context));
  if (result < 0) return errnoOf(result);
  volume.changed(source.node);
  volume.changed(directory.node);
  volume.keys.named?.(source.node.key, directory.node, entry);
  return { before, after: await volume.change(directory.fd, directory.node), atomic: false };
}

export async function remove(
  volume: Volume,
  directory: Place,
  entry: Component,
  context: CallContext,
): Promise<Result<ChangeInfo>> {
  const { pool } = volume.calls;
  const as = volume.as(context);
  const before = await volume.change(directory.fd, directory.node);
  const victim = await liveNodeOf(volume, directory, entry);
  if (victim) await aboutToLoseName(volume, victim);
  let result = victim?.type === "directory" ? EISDIR : await pool.unlink(directory.fd, entry.name, 0, as);
  if (result === EISDIR) result = await pool.unlink(directory.fd, entry.name, AT.REMOVEDIR, as);
  if (result < 0) return errnoOf(result);
  volume.changed(directory.node);
  if (victim) lostName(volume, victim);
  return { before, after: await volume.change(directory.fd, directory.node), atomic: false };
}

export async function rename(
  volume: Volume,
  from: Place,
  fromEntry: Component,
  to: Place,
  toEntry: Component,
  context: CallContext,
): Promise<Result<{ readonly from: ChangeInfo; readonly to: ChangeInfo }>> {
  const beforeFrom = await volume.change(from.fd, from.node);
  const beforeTo = await volume.change(to.fd, to.node);
  const moved = await foundAt(volume, from, fromEntry);
  const replaced = await liveNodeOf(volume, to, toEntry);
  const movedNode = moved && volume.nodes.find(moved.key);
  // Two names of one inode: rename(2) does nothing.
  const nothing = movedNode !== undefined && movedNode === replaced;
  if (movedNode) await aboutToLoseName(volume, movedNode);
  if (replaced && !nothing) await aboutToLoseName(volume, replaced);
  const result = await volume.calls.pool.rename(from.fd, fromEntry.name, to.fd, toEntry.name, 0, volume.as(context));
  if (result < 0) return errnoOf(result);
  if (!nothing) {
    volume.changed(from.node);
    volume.changed(to.node);
    if (movedNode) volume.changed(movedNode);
    if (replaced) lostName(volume, replaced);
    if (moved) volume.keys.named?.(moved.key, to.node, toEntry);
  }
  return {
    from: { before: beforeFrom, after: await volume.change(from.fd, from.node), atomic: false },
    to: { before: beforeTo, after: await volume.change(to.fd, to.node), atomic: false },
  };
}

/** What a name means now, looked up as the process. */
async function foundAt(volume: Volume, directory: Place, entry: Component): Promise<Found | undefined> {
  const found = await volume.keys.ofEntry(directory, entry, null);
  if (isErrno(found)) return undefined;
  if (found.fd >= 0) await volume.metadata.close(found.fd);
  return found;
}

async function liveNodeOf(volume: Volume, directory: Place, entry: Component): Promise<LocalNode | undefined> {
  const found = await foundAt(volume, directory, entry);
  return found && volume.nodes.find(found.key);
}

async function aboutToLoseName(volume: Volume, node: LocalNode): Promise<void> {
  if (node.fd >= 0) await volume.aboutToChange(node.fd, node);
}

/** Our own descriptor must not keep what has no name any more. */
function lostName(volume: Volume, node: LocalNode): void {
  volume.changed(node);
  node.unlinked = true;
  volume.nodes.letGo(node);
}
