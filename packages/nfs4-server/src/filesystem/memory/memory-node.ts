/** The nodes of a `MemoryFileSystem`. */
import type { NodeType, Timestamp } from "../types.ts";
import type { DirectoryEntries } from "./directory-entries.ts";
import type { PageStore } from "./page-store.ts";

interface Common {
  readonly fileid: number;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  change: bigint;
  atime: Timestamp;
  mtime: Timestamp;
  ctime: Timestamp;
  readonly birthtime: Timestamp;
  /** Open files; an unlinked node lives until the last is closed. */
  openCount: number;
}

export interface MemoryFile extends Common {
  readonly type: "file";
  readonly data: PageStore;
}

export interface MemoryDirectory extends Common {
  readonly type: "directory";
  readonly entries: DirectoryEntries<MemoryNode>;
  /** Null once removed; the root's is itself. */
  parent: MemoryDirectory | null;
}

export interface MemorySymlink extends Common {
  readonly type: "symlink";
  readonly target: string;
}

export interface MemorySpecial extends Common {
  readonly type: Exclude<NodeType, "file" | "directory" | "symlink">;
  readonly device: { readonly major: number; readonly minor: number };
}

export type MemoryNode = MemoryFile | MemoryDirectory | MemorySymlink | MemorySpecial;
