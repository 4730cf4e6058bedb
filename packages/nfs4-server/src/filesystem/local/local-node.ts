/** The nodes and open files of a `LocalFileSystem`. */
import { latin1 } from "../../latin1.ts";
import type { NodeType, OpenAccess } from "../types.ts";
import type { KnownPermissions } from "./permissions.ts";

/**
 * One inode. Light: its key says how to find it again, a descriptor is there while it is used. The node table keeps at most one *live* node for an
 * inode; others that the server still holds lead to it.
 */
export class LocalNode {
  readonly key: Uint8Array;
  /** The key as a string, for maps. */
  readonly id: string;
  /** In the table: what stands below is the truth. */
  live = false;
  /** O_PATH, or −1. */
  fd = -1;
  /** Calls under way that use `fd`. */
  holds = 0;
  /** Open files: they keep the node, and with it an unlinked inode. */
  opens = 0;
  /** Touched since the last round of the sweep. */
  used = true;
  type: NodeType | null = null;
  /** We have removed a name of it. */
  unlinked = false;
  /** How often we have set its size. */
  truncations = 0;
  /** The last change attribute that was given out, or −1n. */
  reported = -1n;
  /** `reported` is greater than the inode's ctime. */
  ahead = false;
  /** We have changed it since. */
  changed = false;

  permissions: KnownPermissions | null = null;
  /** The number of the watch on it, or −1. */
  watch = -1;
  /** Changes of entries that the watch has told of. */
  events = 0;

  constructor(key: Uint8Array, id: string) {
    this.key = key;
    this.id = id;
  }
}

export interface LocalFile {
  readonly node: LocalNode;
  readonly fd: number;
  readonly access: OpenAccess;
  /** The size when it was asked for last, after that many truncations: spares asking with each READ. */
  knownSize: number;
  truncations: number;
  written: boolean;
  closed: boolean;
}

export function idOf(key: Uint8Array): string {
  return latin1(key);
}
