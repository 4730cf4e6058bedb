/** LINK, REMOVE and RENAME, by the kernel as the caller. */
import { AT } from "@nfs4/native";
import { isErrno } from "../errno.ts";
import type { CallContext, ChangeInfo, Result } from "../types.ts";
import { ChangeBracket } from "./change-bracket.ts";
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
  const bracket = await ChangeBracket.open(volume, directory);
  await volume.aboutToChange(source.fd, source.node);
  const result = await volume.calls.pool.linkFd(source.fd, directory.fd, entry.name, volume.as(context));
  if (result < 0) return errnoOf(result);
  volume.changed(source.node);
  volume.keys.named?.(source.node.key, directory.node, entry);
  return bracket.close(1);
}

export async function remove(
  volume: Volume,
  directory: Place,
  entry: Component,
  context: CallContext,
): Promise<Result<ChangeInfo>> {
  const { pool } = volume.calls;
  const as = volume.as(context);
  const bracket = await ChangeBracket.open(volume, directory);
  const victim = await liveNodeOf(volume, directory, entry);
  if (victim) await aboutToLoseName(volume, victim);
  let result = victim?.type === "directory" ? EISDIR : await pool.unlink(directory.fd, entry.name, 0, as);
  if (result === EISDIR) result = await pool.unlink(directory.fd, entry.name, AT.REMOVEDIR, as);
  if (result < 0) return errnoOf(result);
  if (victim) lostName(volume, victim);
  return bracket.close(1);
}

export async function rename(
  volume: Volume,
  from: Place,
  fromEntry: Component,
  to: Place,
  toEntry: Component,
  context: CallContext,
): Promise<Result<{ readonly from: ChangeInfo; readonly to: ChangeInfo }>> {
  const within = from.node === to.node;
  const bracket = await ChangeBracket.open(volume, from);
  const toBracket = within ? bracket : await ChangeBracket.open(volume, to);
  const moved = await foundAt(volume, from, fromEntry);
  const replaced = await liveNodeOf(volume, to, toEntry);
  const movedNode = moved && volume.nodes.find(moved.key);
  // Two names of one inode: rename(2) does nothing.
  const nothing = movedNode !== undefined && movedNode === replaced;
  if (movedNode) await aboutToLoseName(volume, movedNode);
  if (replaced && !nothing) await aboutToLoseName(volume, replaced);
  const result = await volume.calls.pool.rename(from.fd, fromEntry.name, to.fd, toEntry.name, 0, volume.as(context));
  if (result < 0) return errnoOf(result);
  // Each directory hears of its part.
  const events = nothing ? 0 : within ? 2 : 1;
  if (!nothing) {
    if (movedNode) volume.changed(movedNode);
    if (replaced) lostName(volume, replaced);
    if (moved) volume.keys.named?.(moved.key, to.node, toEntry);
  }
  const change = await bracket.close(events);
  return { from: change, to: within ? change : await toBracket.close(events) };
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
  volume.nodes.lostName(node);
}
