/** A file system in memory: complete, and the reference for what the others must do. It forgets everything with its process. */
import { encodeName } from "@nfs4/protocol";
import type {
  AttributeChanges,
  Attributes,
  CallContext,
  ChangeInfo,
  Created,
  CreateRequest,
  DirectoryPage,
  FileSystem,
  FileSystemCapabilities,
  FileSystemStatistics,
  OpenAccess,
  ReadResult,
  Result,
  Stability,
  Timestamp,
  WriteResult,
} from "../types.ts";
import { DirectoryEntries } from "./directory-entries.ts";
import type { MemoryDirectory, MemoryNode } from "./memory-node.ts";
import { PAGE_SIZE, type PageBudget, PageStore } from "./page-store.ts";

export interface MemoryFileSystemOptions {
  /** Wall-clock time for time stamps. */
  readonly now: () => Timestamp;
  /** Bytes of file content that it may take. Default 1 GiB. */
  readonly capacity?: number;
  /** Files, directories and so on that it may have. Default 1,000,000. */
  readonly maxNodes?: number;
  /** Of the root directory: default root:root 0755. */
  readonly root?: { readonly mode?: number; readonly uid?: number; readonly gid?: number };
}

export interface MemoryOpenFile {
  readonly node: MemoryNode;
  readonly access: OpenAccess;
}

export class MemoryFileSystem implements FileSystem<MemoryNode, MemoryOpenFile> {
  readonly capabilities: FileSystemCapabilities = { maxFileSize: Number.MAX_SAFE_INTEGER, maxLinks: 65_000 };
  readonly #now: () => Timestamp;
  readonly #maxPages: number;
  readonly #maxNodes: number;
  readonly #nodes: Map<number, MemoryNode> = new Map();
  readonly #root: MemoryDirectory;
  #pages = 0;
  #nextFileid = 2;
  readonly #budget: PageBudget = {
    take: () => {
      if (this.#pages >= this.#maxPages) return false;
      this.#pages++;
      return true;
    },
    give: (pages) => {
      this.#pages -= pages;
    },
  };

  constructor(options: MemoryFileSystemOptions) {
    this.#now = options.now;
    this.#maxPages = Math.floor((options.capacity ?? 2 ** 30) / PAGE_SIZE);
    this.#maxNodes = options.maxNodes ?? 1_000_000;
    const { mode = 0o755, uid = 0, gid = 0 } = options.root ?? {};
    this.#root = {
      ...this.#common({ mode }, uid, gid),
      type: "directory",
      nlink: 2,
      entries: new DirectoryEntries(),
      parent: null,
    };
    this.#root.parent = this.#root;
    this.#nodes.set(this.#root.fileid, this.#root);
  }

  root(): MemoryNode {
    return this.#root;
  }

  key(node: MemoryNode): Uint8Array {
    const key = new Uint8Array(8);
    new DataView(key.buffer).setFloat64(0, node.fileid);
    return key;
  }

  resolve(key: Uint8Array): Result<MemoryNode> {
    if (key.length !== 8) return "ESTALE";
    return this.#nodes.get(new DataView(key.buffer, key.byteOffset).getFloat64(0)) ?? "ESTALE";
  }

  lookup(directory: MemoryNode, name: string): Result<MemoryNode> {
    if (directory.type !== "directory") return "ENOTDIR";
    return directory.entries.get(name) ?? "ENOENT";
  }

  parent(directory: MemoryNode): Result<MemoryNode> {
    if (directory.type !== "directory") return "ENOTDIR";
    return directory.parent ?? "ESTALE";
  }

  getattr(node: MemoryNode): Attributes {
    return {
      type: node.type,
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      size: sizeOf(node),
      spaceUsed: node.type === "file" ? node.data.bytesUsed : 0,
      nlink: node.nlink,
      fileid: BigInt(node.fileid),
      change: node.change,
      atime: node.atime,
      mtime: node.mtime,
      ctime: node.ctime,
      birthtime: node.birthtime,
      ...("device" in node ? { device: node.device } : {}),
    };
  }

  setattr(node: MemoryNode, changes: AttributeChanges): Result<void> {
    if (changes.size !== undefined) {
      if (node.type === "directory") return "EISDIR";
      if (node.type !== "file") return "EINVAL";
      node.data.truncate(changes.size);
    }
    const now = this.#now();
    if (changes.mode !== undefined) node.mode = changes.mode;
    if (changes.uid !== undefined) node.uid = changes.uid;
    if (changes.gid !== undefined) node.gid = changes.gid;
    if (changes.atime !== undefined) node.atime = changes.atime === "now" ? now : changes.atime;
    if (changes.mtime !== undefined) node.mtime = changes.mtime === "now" ? now : changes.mtime;
    else if (changes.size !== undefined) node.mtime = now;
    this.#changed(node, now);
  }

  readdir(directory: MemoryNode, cookie: bigint, limit: number): Result<DirectoryPage<MemoryNode>> {
    if (directory.type !== "directory") return "ENOTDIR";
    const { entries, end } = directory.entries.after(Number(cookie), limit);
    return {
      entries: entries.map(({ name, cookie: at, node }) => ({
        name,
        cookie: BigInt(at),
        node,
        attributes: this.getattr(node),
      })),
      end,
    };
  }

  readlink(node: MemoryNode): Result<{ readonly target: string }> {
    return node.type === "symlink" ? { target: node.target } : "EINVAL";
  }

  open(node: MemoryNode, access: OpenAccess): Result<MemoryOpenFile> {
    if (node.type === "directory") return "EISDIR";
    if (node.type !== "file") return "EINVAL";
    node.openCount++;
    return { node, access };
  }

  close({ node }: MemoryOpenFile): void {
    node.openCount--;
    this.#forgetIfUnused(node);
  }

  read({ node }: MemoryOpenFile, offset: number, buffer: Uint8Array): Result<ReadResult> {
    if (node.type !== "file") return "EINVAL";
    const count = node.data.read(offset, buffer);
    return {
      bytes: count === buffer.length ? buffer : buffer.subarray(0, count),
      end: offset + count >= node.data.size,
    };
  }

  write(
    { node }: MemoryOpenFile,
    offset: number,
    data: Uint8Array,
    _stability: Stability,
    context: CallContext,
  ): Result<WriteResult> {
    if (node.type !== "file") return "EINVAL";
    const count = node.data.write(offset, data);
    if (count === 0 && data.length > 0) return "ENOSPC";
    const now = this.#now();
    node.mtime = now;
    // A write by anybody but root takes the set-id bits away, or the new content would run with them (POSIX write).
    if (context.uid !== 0) node.mode &= node.mode & 0o010 ? ~0o6000 : ~0o4000;
    this.#changed(node, now);
    // Memory is as stable as it will ever be.
    return { count, stability: "file-sync" };
  }

  commit(): Result<void> {}

  create(
    directory: MemoryNode,
    name: string,
    request: CreateRequest,
    context: CallContext,
  ): Result<Created<MemoryNode, MemoryOpenFile>> {
    if (directory.type !== "directory") return "ENOTDIR";
    if (!directory.parent) return "ENOENT";
    if (directory.entries.get(name)) return "EEXIST";
    if (this.#nodes.size >= this.#maxNodes) return "ENOSPC";
    const node = this.#make(request, directory, context);
    this.#nodes.set(node.fileid, node);
    const change = this.#changeEntries(directory, () => directory.entries.set(name, node));
    if (node.type === "directory") directory.nlink++;
    if (request.type !== "file" || request.open === undefined) return { node, change };
    node.openCount++;
    return { node, file: { node, access: request.open }, change };
  }

  #make(request: CreateRequest, directory: MemoryDirectory, context: CallContext): MemoryNode {
    // A setgid directory hands its group down, and to directories the bit itself (as Linux and BSD do).
    const inherits = (directory.mode & 0o2000) !== 0;
    const common = this.#common(request.attributes, context.uid, inherits ? directory.gid : context.gid);
    switch (request.type) {
      case "file": {
        const data = new PageStore(this.#budget);
        if (request.attributes.size) data.truncate(request.attributes.size);
        return { ...common, type: "file", data };
      }
      case "directory":
        if (inherits) common.mode |= 0o2000;
        return { ...common, type: "directory", nlink: 2, entries: new DirectoryEntries(), parent: directory };
      case "symlink":
        return { ...common, type: "symlink", mode: 0o777, target: request.target };
      case "block":
      case "character":
        return { ...common, type: request.type, device: request.device };
      case "fifo":
      case "socket":
        return { ...common, type: request.type, device: { major: 0, minor: 0 } };
    }
  }

  #common(attributes: AttributeChanges, uid: number, gid: number) {
    const now = this.#now();
    return {
      fileid: this.#nextFileid++,
      mode: attributes.mode ?? 0o600,
      uid: attributes.uid ?? uid,
      gid: attributes.gid ?? gid,
      nlink: 1,
      change: 1n,
      atime: attributes.atime === undefined || attributes.atime === "now" ? now : attributes.atime,
      mtime: attributes.mtime === undefined || attributes.mtime === "now" ? now : attributes.mtime,
      ctime: now,
      birthtime: now,
      openCount: 0,
    };
  }

  link(node: MemoryNode, directory: MemoryNode, name: string): Result<ChangeInfo> {
    if (directory.type !== "directory") return "ENOTDIR";
    if (!directory.parent) return "ENOENT";
    if (node.type === "directory") return "EISDIR";
    if (directory.entries.get(name)) return "EEXIST";
    if (node.nlink === 0) return "ENOENT";
    if (node.nlink >= 65_000) return "EMLINK";
    node.nlink++;
    this.#changed(node, this.#now());
    return this.#changeEntries(directory, () => directory.entries.set(name, node));
  }

  remove(directory: MemoryNode, name: string): Result<ChangeInfo> {
    if (directory.type !== "directory") return "ENOTDIR";
    const node = directory.entries.get(name);
    if (!node) return "ENOENT";
    if (node.type === "directory" && node.entries.size > 0) return "ENOTEMPTY";
    return this.#changeEntries(directory, () => {
      directory.entries.delete(name);
      this.#unlinked(node, directory);
    });
  }

  rename(
    from: MemoryNode,
    fromName: string,
    to: MemoryNode,
    toName: string,
  ): Result<{ readonly from: ChangeInfo; readonly to: ChangeInfo }> {
    if (from.type !== "directory" || to.type !== "directory") return "ENOTDIR";
    if (!to.parent) return "ENOENT";
    const node = from.entries.get(fromName);
    if (!node) return "ENOENT";
    const replaced = to.entries.get(toName);
    if (replaced === node) {
      const unchanged = (directory: MemoryDirectory) => ({
        before: directory.change,
        after: directory.change,
        atomic: true,
      });
      return { from: unchanged(from), to: unchanged(to) };
    }
    if (node.type === "directory") {
      for (let above: MemoryDirectory | null = to; above; above = above === this.#root ? null : above.parent)
        if (above === node) return "EINVAL";
    }
    if (replaced) {
      if (node.type === "directory" && replaced.type !== "directory") return "ENOTDIR";
      if (node.type !== "directory" && replaced.type === "directory") return "EISDIR";
      if (replaced.type === "directory" && replaced.entries.size > 0) return "ENOTEMPTY";
    }
    const before = { from: from.change, to: to.change };
    const now = this.#now();
    from.entries.delete(fromName);
    to.entries.set(toName, node);
    if (replaced) this.#unlinked(replaced, to);
    if (node.type === "directory" && from !== to) {
      from.nlink--;
      to.nlink++;
      node.parent = to;
    }
    this.#changed(node, now);
    for (const directory of new Set([from, to])) {
      directory.mtime = now;
      this.#changed(directory, now);
    }
    return {
      from: { before: before.from, after: from.change, atomic: true },
      to: { before: before.to, after: to.change, atomic: true },
    };
  }

  statfs(): FileSystemStatistics {
    const freeBytes = (this.#maxPages - this.#pages) * PAGE_SIZE;
    const freeFiles = this.#maxNodes - this.#nodes.size;
    return {
      totalBytes: this.#maxPages * PAGE_SIZE,
      freeBytes,
      availableBytes: freeBytes,
      totalFiles: this.#maxNodes,
      freeFiles,
      availableFiles: freeFiles,
    };
  }

  seek({ node }: MemoryOpenFile, offset: number, what: "data" | "hole"): Result<number> {
    if (node.type !== "file") return "EINVAL";
    if (offset >= node.data.size) return "ENXIO";
    return node.data.seek(offset, what) ?? "ENXIO";
  }

  allocate({ node }: MemoryOpenFile, offset: number, length: number): Result<void> {
    if (node.type !== "file") return "EINVAL";
    if (!node.data.allocate(offset, length)) return "ENOSPC";
    this.#changed(node, this.#now());
  }

  deallocate({ node }: MemoryOpenFile, offset: number, length: number): Result<void> {
    if (node.type !== "file") return "EINVAL";
    node.data.deallocate(offset, length);
    const now = this.#now();
    node.mtime = now;
    this.#changed(node, now);
  }

  #changed(node: MemoryNode, now: Timestamp): void {
    node.change++;
    node.ctime = now;
  }

  #changeEntries(directory: MemoryDirectory, change: () => void): ChangeInfo {
    const before = directory.change;
    change();
    directory.mtime = this.#now();
    this.#changed(directory, directory.mtime);
    return { before, after: directory.change, atomic: true };
  }

  #unlinked(node: MemoryNode, directory: MemoryDirectory): void {
    if (node.type === "directory") {
      node.nlink = 0;
      node.parent = null;
      directory.nlink--;
    } else {
      node.nlink--;
    }
    this.#changed(node, this.#now());
    this.#forgetIfUnused(node);
  }

  #forgetIfUnused(node: MemoryNode): void {
    if (node.nlink > 0 || node.openCount > 0) return;
    this.#nodes.delete(node.fileid);
    if (node.type === "file") node.data.clear();
  }
}

function sizeOf(node: MemoryNode): number {
  switch (node.type) {
    case "file":
      return node.data.size;
    case "directory":
      return 4096;
    case "symlink":
      return encodeName(node.target).length;
    default:
      return 0;
  }
}
