/** Gathers what a mask asks for. */
import { type Bitmap, type Fattr4Values, intersection, type nfsstat4 } from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import { PseudoDirectory } from "../exports/pseudo-file-system.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno } from "../filesystem/errno.ts";
import type { Attributes, Awaitable, FileSystemStatistics } from "../filesystem/types.ts";
import { AttributeView, needsStatistics } from "./attribute-view.ts";
import { supportedAttributes } from "./supported.ts";

const MOUNTED_ON_FILEID_WORD = 1;
const MOUNTED_ON_FILEID_BIT = 1 << 23;

/** The attributes of `mask` that this server has; the encoder leaves out what there is no value for. */
export function requestedAttributes(context: CompoundContext, mask: Bitmap): Bitmap {
  return intersection(mask, supportedAttributes(context.minorVersion));
}

export function attributesOf(
  context: CompoundContext,
  node: NodeReference,
  mask: Bitmap,
  known?: Attributes,
): Awaitable<Fattr4Values | nfsstat4> {
  const { fileSystem } = node.export;
  const caller = context.caller(node.export);
  return onAnswer(known ?? fileSystem.getattr(node.node, caller), (its) => {
    if (!needsStatistics(mask) || !fileSystem.statfs) return view(context, node, its, null, mask);
    return whenReady(fileSystem.statfs(node.node, caller), (statistics) =>
      view(context, node, its, isErrno(statistics) ? null : statistics, mask),
    );
  });
}

function view(
  context: CompoundContext,
  node: NodeReference,
  its: Attributes,
  statistics: FileSystemStatistics | null,
  mask: Bitmap,
): Awaitable<Fattr4Values> {
  const { leaseSeconds, limits } = context.services;
  const surroundings = { minorVersion: context.minorVersion, leaseSeconds, maxIo: limits.maxIo };
  const make = (covered: bigint | null): Fattr4Values =>
    new AttributeView(node, its, statistics, surroundings, covered) as Fattr4Values;
  if (
    !((mask[MOUNTED_ON_FILEID_WORD] ?? 0) & MOUNTED_ON_FILEID_BIT) ||
    its.type !== "directory" ||
    node.node instanceof PseudoDirectory
  )
    return make(null);
  // Only the root of an export covers another directory.
  const { exports } = context.services;
  return whenReady(node.export.fileSystem.root(), (root) => {
    const isRoot = !isErrno(root) && exports.reference(node.export, root).key === node.key;
    const covered = isRoot ? exports.mountPoint(node.export) : null;
    // The top of the name space covers nothing that anybody could see.
    return make(covered?.parent ? covered.fileid : null);
  });
}
