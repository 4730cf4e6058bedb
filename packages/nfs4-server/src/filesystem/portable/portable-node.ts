/** The nodes of a `PortableFileSystem`: what is known of each inode that was met. */
import type { BigIntStats } from "node:fs";
import type { DirectoryEntries } from "../memory/directory-entries.ts";
import type { OpenAccess } from "../types.ts";

/** One of a node's names, as last seen. */
export interface Place {
  readonly directory: PortableNode;
  /** Bytes, as the disk has them. */
  readonly name: Uint8Array;
}

/** A descriptor, which opens of an unlinked file share: it cannot be opened again by name. */
export interface Descriptor {
  readonly fd: number;
  readonly access: OpenAccess;
  users: number;
}

export interface PortableNode {
  readonly serial: number;
  readonly device: bigint;
  readonly inode: bigint;
  /** Empty for the root. The last one is tried first. */
  places: Place[];
  /** Nodes that are placed here. */
  children: number;
  readonly descriptors: Set<Descriptor>;
  /** The change attribute that was given out last, and whether we have changed the node since. */
  reported: bigint;
  changed: boolean;
  /** A directory's names with their cookies, once it was read, and as of which ctime. */
  listing: { readonly names: DirectoryEntries<true>; ctimeNs: bigint } | null;
}

export interface PortableFile {
  readonly node: PortableNode;
  readonly descriptor: Descriptor;
}

/** ctime in nanoseconds, or one more than before where that has not moved although we have changed the node. */
export function changeOf(node: PortableNode, { ctimeNs }: BigIntStats): bigint {
  if (ctimeNs > node.reported) node.reported = ctimeNs;
  else if (node.changed) node.reported++;
  node.changed = false;
  return node.reported;
}
