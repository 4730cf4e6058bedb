/**
 * A directory of this machine by node:fs alone: what `--host` serves where the addon cannot be built. Everything is done as the user that runs the server, and
 * callers are judged by owner and mode beforehand; as root, new files are given to their makers. Handles end with the process; there are no
 * special files, holes are not told from data, and times are set to the microsecond. Names are checked before they are used, so whoever changes the
 * directory on this machine at the wrong moment can lead it astray. `LocalFileSystem` has none of these limits.
 */
import { Buffer } from "node:buffer";
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { getuid } from "node:process";
import { decodeName, encodeName } from "@nfs4/protocol";
import { errnoOfThrown } from "../errno.ts";
import { DirectoryEntries } from "../memory/directory-entries.ts";
import {
  type AttributeChanges,
  type Attributes,
  type CallContext,
  type ChangeInfo,
  type Created,
  type CreateRequest,
  type DirectoryPage,
  type FileSystem,
  type FileSystemCapabilities,
  type FileSystemStatistics,
  OPEN_WRITE,
  type OpenAccess,
  type ReadResult,
  type Result,
  type Stability,
  type Timestamp,
  type WriteResult,
} from "../types.ts";
import { attributesOf, secondsOf, typeOf } from "./portable-attributes.ts";
import { PortableFiles } from "./portable-files.ts";
import { changeOf, type PortableFile, type PortableNode } from "./portable-node.ts";
import { type Located, PortableNodes } from "./portable-nodes.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const BIGINT = { bigint: true } as const;
const S_ISGID = 0o2000;

export interface PortableFileSystemOptions {
  readonly directory: string;
  /** For times that are set to "now". */
  readonly now: () => Timestamp;
  /** Files and directories remembered; the handles of those not used for longest become stale. Default 1,000,000. */
  readonly maxNodes?: number;
}

export class PortableFileSystem implements FileSystem<PortableNode, PortableFile> {
  readonly capabilities: FileSystemCapabilities = { maxFileSize: Number.MAX_SAFE_INTEGER };
  readonly #nodes: PortableNodes;
  readonly #files: PortableFiles;
  readonly #now: () => Timestamp;
  /** Whether files can be given away. */
  readonly #root: boolean = getuid?.() === 0;

  /** Throws Node's error where the directory cannot be read. */
  constructor(options: PortableFileSystemOptions) {
    // With a slash behind it, a file is refused.
    statSync(`${options.directory}/`);
    this.#nodes = new PortableNodes(options.directory, options.maxNodes ?? 1_000_000);
    this.#files = new PortableFiles(this.#nodes);
    this.#now = options.now;
  }

  root(): PortableNode {
    return this.#nodes.root;
  }

  key(node: PortableNode): Uint8Array {
    const key = new Uint8Array(8);
    new DataView(key.buffer).setFloat64(0, node.serial);
    return key;
  }

  resolve(key: Uint8Array): Result<PortableNode> {
    if (key.length !== 8) return "ESTALE";
    const node = this.#nodes.bySerial(new DataView(key.buffer, key.byteOffset).getFloat64(0));
    if (node === undefined) return "ESTALE";
    return attempt(() => {
      const located = this.#nodes.locate(node);
      return typeof located === "string" ? located : node;
    });
  }

  lookup(directory: PortableNode, name: string): Result<PortableNode> {
    return this.#inDirectory(directory, name, (path) => {
      const stats = lstatSync(path, { ...BIGINT, throwIfNoEntry: false });
      return stats === undefined ? "ENOENT" : this.#nodes.met(directory, name, stats);
    });
  }

  parent(directory: PortableNode): Result<PortableNode> {
    return this.#at(directory, ({ stats }) => {
      if (!stats.isDirectory()) return "ENOTDIR";
      return directory.places.at(-1)?.directory ?? directory;
    });
  }

  getattr(node: PortableNode): Result<Attributes> {
    return this.#at(node, ({ stats }) => attributesOf(stats, changeOf(node, stats)));
  }

  setattr(node: PortableNode, changes: AttributeChanges, _context: CallContext, file?: PortableFile): Result<void> {
    return this.#at(node, ({ path, stats }) => {
      const { size } = changes;
      if (size !== undefined) {
        if (!stats.isFile()) return stats.isDirectory() ? "EISDIR" : "EINVAL";
        const opened = file ?? this.#files.open(node, path, OPEN_WRITE);
        if (typeof opened === "string") return opened;
        ftruncateSync(opened.descriptor.fd, size);
        if (file === undefined) this.close(opened);
      }
      node.changed = true;
      return this.#setOthers(node, changes, path, stats);
    });
  }

  /** Owner, mode and times: in this order, for chown(2) takes the set-id bits away. */
  #setOthers(node: PortableNode, changes: AttributeChanges, path: Buffer | null, stats: BigIntStats): Result<void> {
    const { mode, uid, gid, atime, mtime } = changes;
    if (path === null) {
      const [descriptor] = node.descriptors;
      if (mode !== undefined && descriptor !== undefined) fchmodSync(descriptor.fd, mode);
      return uid === undefined && gid === undefined && atime === undefined && mtime === undefined
        ? undefined
        : "ESTALE";
    }
    if (uid !== undefined || gid !== undefined) lchownSync(path, uid ?? Number(stats.uid), gid ?? Number(stats.gid));
    if (mode !== undefined) {
      // chmod(2) would follow it.
      if (stats.isSymbolicLink()) return "ENOTSUP";
      chmodSync(path, mode);
    }
    if (atime === undefined && mtime === undefined) return;
    const now = this.#now();
    lutimesSync(path, secondsOf(atime, stats.atimeNs, now), secondsOf(mtime, stats.mtimeNs, now));
  }

  readdir(directory: PortableNode, cookie: bigint, limit: number): Result<DirectoryPage<PortableNode>> {
    return this.#at(directory, ({ path, stats }) => {
      if (!stats.isDirectory() || path === null) return "ENOTDIR";
      directory.listing ??= { names: new DirectoryEntries(), ctimeNs: -1n };
      const { listing } = directory;
      if (cookie === 0n || listing.ctimeNs !== stats.ctimeNs) {
        listing.ctimeNs = stats.ctimeNs;
        const there = new Set(readdirSync(path, { encoding: "buffer" }).map((name) => decodeName(name)));
        for (const [name] of [...listing.names]) if (!there.has(name)) listing.names.delete(name);
        for (const name of there) listing.names.set(name, true);
      }
      const { entries, end } = listing.names.after(Number(cookie), limit);
      return { entries: entries.map(({ name, cookie: at }) => ({ name, cookie: BigInt(at) })), end };
    });
  }

  readlink(node: PortableNode): Result<{ readonly target: string }> {
    return this.#at(node, ({ path, stats }) => {
      if (!stats.isSymbolicLink() || path === null) return "EINVAL";
      return { target: decodeName(readlinkSync(path, { encoding: "buffer" })) };
    });
  }

  open(node: PortableNode, access: OpenAccess): Result<PortableFile> {
    return this.#at(node, ({ path, stats }) => {
      if (stats.isDirectory()) return "EISDIR";
      return stats.isFile() ? this.#files.open(node, path, access) : "EINVAL";
    });
  }

  close(file: PortableFile): void {
    this.#files.close(file);
  }

  read(file: PortableFile, offset: number, buffer: Uint8Array): Promise<Result<ReadResult>> {
    return this.#files.read(file, offset, buffer);
  }

  write(
    file: PortableFile,
    offset: number,
    data: Uint8Array,
    stability: Stability,
    context: CallContext,
  ): Promise<Result<WriteResult>> {
    return this.#files.write(file, offset, data, stability, context);
  }

  commit(file: PortableFile): Promise<Result<void>> {
    return this.#files.commit(file);
  }

  create(
    directory: PortableNode,
    name: string,
    request: CreateRequest,
    context: CallContext,
  ): Result<Created<PortableNode, PortableFile>> {
    return this.#inDirectory(directory, name, (path, above) => {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return "EEXIST";
      const before = changeOf(directory, above);
      const { size, ...attributes } = request.attributes;
      let fd: number | null = null;
      if (request.type === "file") fd = openSync(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0o600);
      else if (request.type === "directory") mkdirSync(path, 0o700);
      else if (request.type === "symlink") symlinkSync(Buffer.from(encodeName(request.target)), path);
      else return "ENOTSUP";
      if (fd !== null && size !== undefined) ftruncateSync(fd, size);
      const stats = lstatSync(path, BIGINT);
      const node = this.#nodes.met(directory, name, stats);
      // A setgid directory hands its group down, and to directories the bit itself.
      const inherits = (Number(above.mode) & S_ISGID) !== 0;
      const owner = this.#root ? { uid: context.uid, ...(inherits ? {} : { gid: context.gid }) } : {};
      const mode = (attributes.mode ?? 0o600) | (inherits && request.type === "directory" ? S_ISGID : 0);
      const changes = { ...owner, ...attributes, mode };
      if (request.type === "symlink") {
        const { mode: _, ...rest } = changes;
        this.#setOthers(node, rest, path, stats);
      } else {
        this.#setOthers(node, changes, path, stats);
      }
      const change = this.#changed(directory, before);
      if (fd === null) return { node, change };
      if (request.type === "file" && request.open !== undefined) {
        const file = this.#files.opened(node, fd, 3);
        return typeof file === "string" ? file : { node, file, change };
      }
      closeSync(fd);
      return { node, change };
    });
  }

  link(node: PortableNode, directory: PortableNode, name: string): Result<ChangeInfo> {
    return this.#at(node, ({ path: existing, stats }) =>
      this.#inDirectory(directory, name, (path, above) => {
        if (stats.isDirectory()) return "EISDIR";
        if (existing === null) return "ENOENT";
        const before = changeOf(directory, above);
        linkSync(existing, path);
        this.#nodes.met(directory, name, stats);
        node.changed = true;
        return this.#changed(directory, before);
      }),
    );
  }

  remove(directory: PortableNode, name: string): Result<ChangeInfo> {
    return this.#inDirectory(directory, name, (path, above) => {
      const stats = lstatSync(path, BIGINT);
      const node = this.#nodes.met(directory, name, stats);
      const before = changeOf(directory, above);
      if (stats.isDirectory()) rmdirSync(path);
      else unlinkSync(path);
      this.#unlinked(node, directory, name);
      return this.#changed(directory, before);
    });
  }

  rename(
    from: PortableNode,
    fromName: string,
    to: PortableNode,
    toName: string,
  ): Result<{ readonly from: ChangeInfo; readonly to: ChangeInfo }> {
    return this.#inDirectory(from, fromName, (source, fromStats) =>
      this.#inDirectory(to, toName, (target, toStats) => {
        const node = this.#nodes.met(from, fromName, lstatSync(source, BIGINT));
        const there = lstatSync(target, { ...BIGINT, throwIfNoEntry: false });
        const replaced = there === undefined ? null : this.#nodes.met(to, toName, there);
        const before = { from: changeOf(from, fromStats), to: changeOf(to, toStats) };
        if (replaced === node) return { from: unchanged(before.from), to: unchanged(before.to) };
        renameSync(source, target);
        if (replaced !== null) this.#unlinked(replaced, to, toName);
        this.#nodes.met(to, toName, lstatSync(target, BIGINT));
        this.#nodes.lost(node, from, fromName);
        node.changed = true;
        const after = this.#changed(from, before.from);
        return { from: after, to: from === to ? after : this.#changed(to, before.to) };
      }),
    );
  }

  statfs(node: PortableNode): Result<FileSystemStatistics> {
    return this.#at(node, ({ path }) => {
      if (path === null) return "ESTALE";
      const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(path);
      return {
        totalBytes: blocks * bsize,
        freeBytes: bfree * bsize,
        availableBytes: bavail * bsize,
        totalFiles: files,
        freeFiles: ffree,
        availableFiles: ffree,
      };
    });
  }

  #unlinked(node: PortableNode, directory: PortableNode, name: string): void {
    node.changed = true;
    this.#nodes.lost(node, directory, name);
    this.#nodes.forgetIfGone(node);
  }

  /** What others on this disk do in between cannot be told from what we do. */
  #changed(directory: PortableNode, before: bigint): ChangeInfo {
    directory.changed = true;
    const located = this.#nodes.locate(directory);
    return {
      before,
      after: typeof located === "string" ? before + 1n : changeOf(directory, located.stats),
      atomic: false,
    };
  }

  #at<T>(node: PortableNode, action: (located: Located) => Result<T>): Result<T> {
    return attempt(() => {
      const located = this.#nodes.locate(node);
      return typeof located === "string" ? located : action(located);
    });
  }

  #inDirectory<T>(
    directory: PortableNode,
    name: string,
    action: (path: Buffer, above: BigIntStats) => Result<T>,
  ): Result<T> {
    return this.#at(directory, ({ path, stats }) => {
      if (typeOf(stats) !== "directory" || path === null) return "ENOTDIR";
      const inner = this.#nodes.pathOf(path, name);
      return typeof inner === "string" ? inner : action(inner, stats);
    });
  }
}

function unchanged(change: bigint): ChangeInfo {
  return { before: change, after: change, atomic: true };
}

function attempt<T>(action: () => Result<T>): Result<T> {
  try {
    return action();
  } catch (error) {
    const errno = errnoOfThrown(error);
    if (errno === null) throw error;
    return errno;
  }
}
