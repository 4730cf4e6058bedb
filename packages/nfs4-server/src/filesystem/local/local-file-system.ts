/**
 * A directory of this machine as a file system: Linux only, by system calls on descriptors, each as the user who asks. See README, "LocalFileSystem".
 */
import { ACCESS, FALLOC, O, SEEK } from "@nfs4/native";
import { decodeName } from "@nfs4/protocol";
import { after, whenReady } from "../chain.ts";
import { isErrno } from "../errno.ts";
import {
  type AttributeChanges,
  type Attributes,
  type Awaitable,
  type CallContext,
  type ChangeInfo,
  type Created,
  type CreateRequest,
  type DirectoryPage,
  type FileSystem,
  type FileSystemCapabilities,
  type FileSystemStatistics,
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  OPEN_READ,
  OPEN_WRITE,
  type OpenAccess,
  type ReadResult,
  type Result,
  type Stability,
  type WriteResult,
} from "../types.ts";
import { setAttributes } from "./attribute-changes.ts";
import { componentOf } from "./component.ts";
import { create, OPEN_FLAGS } from "./creation.ts";
import { readPage } from "./directory-pages.ts";
import { done, errnoOf } from "./errors.ts";
import { commit, read, write } from "./file-data.ts";
import type { LocalFile, LocalNode } from "./local-node.ts";
import { link, remove, rename } from "./names.ts";
import { type LocalFileSystemOptions, openVolume } from "./open-volume.ts";
import type { Volume } from "./volume.ts";

const EACCES = -13;
const MAX_LINK_TEXT = 4096;
const ACCESS_BITS = [ACCESS.READ, ACCESS.WRITE, ACCESS.EXECUTE] as const;

export class LocalFileSystem implements FileSystem<LocalNode, LocalFile> {
  readonly capabilities: FileSystemCapabilities;
  readonly #volume: Volume;
  readonly #root: LocalNode;
  readonly #linkText: Uint8Array = new Uint8Array(MAX_LINK_TEXT);
  #disposal: Promise<void> | null = null;

  private constructor(volume: Volume, root: LocalNode, maxName: number) {
    this.#volume = volume;
    this.#root = root;
    this.capabilities = {
      checksPermissions: volume.impersonates,
      persistentKeys: volume.keys.persistent,
      maxName,
    };
  }

  /** Rejects with an Error that says what is wrong with the directory, the machine or the options. */
  static async open(options: LocalFileSystemOptions): Promise<LocalFileSystem> {
    const { volume, root, maxName } = await openVolume(options);
    return new LocalFileSystem(volume, root, maxName);
  }

  /** How keys are made: "handles" of the kernel, or a table of "paths". */
  get keys(): "handles" | "paths" {
    return this.#volume.keys.kind;
  }

  /** False: everything is done as the user that the process runs as, and the server checks permission by owner, group and mode. */
  get impersonates(): boolean {
    return this.#volume.impersonates;
  }

  /**
   * True: the export is a mount of its own, and what is mounted under it shows the directories beneath. False (no CAP_SYS_ADMIN): directories on which something
   * is mounted are hidden.
   */
  get confined(): boolean {
    return this.#volume.confined;
  }

  root(): LocalNode {
    return this.#root;
  }

  key(node: LocalNode): Uint8Array {
    return node.key;
  }

  resolve(key: Uint8Array): Awaitable<Result<LocalNode>> {
    return this.#volume.nodes.resolve(key);
  }

  lookup(directory: LocalNode, name: string, context: CallContext): Awaitable<Result<LocalNode>> {
    const volume = this.#volume;
    const entry = componentOf(name);
    if (isErrno(entry)) return entry;
    return volume.nodes.use(directory, (fd, node) =>
      after(
        volume.keys.ofEntry({ node, fd }, entry, volume.asUnlessPermitted(fd, node, MAY_EXECUTE, context)),
        (found) => volume.nodes.node(found),
      ),
    );
  }

  parent(directory: LocalNode, context: CallContext): Awaitable<Result<LocalNode>> {
    const volume = this.#volume;
    if (directory.id === this.#root.id) return this.#root;
    return volume.nodes.use(directory, (fd, node) =>
      after(volume.typed(fd, node), ({ type }) =>
        type !== "directory"
          ? "ENOTDIR"
          : after(volume.keys.ofParent({ node, fd }, volume.as(context)), (found) => volume.nodes.node(found)),
      ),
    );
  }

  getattr(node: LocalNode): Awaitable<Result<Attributes>> {
    const volume = this.#volume;
    return volume.nodes.use(node, (fd, live) =>
      after(volume.status(fd, live), (statx) => volume.attributes(live, statx)),
    );
  }

  setattr(node: LocalNode, changes: AttributeChanges, context: CallContext, file?: LocalFile): Awaitable<Result<void>> {
    const volume = this.#volume;
    return volume.nodes.use(node, (fd, live) => setAttributes(volume, fd, live, changes, context, file));
  }

  access(node: LocalNode, mask: number, context: CallContext): Awaitable<Result<number>> {
    return this.#volume.nodes.use(node, (fd, live) => this.#access(fd, live, mask, context));
  }

  #access(fd: number, node: LocalNode, mask: number, context: CallContext): Awaitable<Result<number>> {
    const { impersonates, metadata, permissions } = this.#volume;
    if (permissions && context.uid !== 0)
      return mask & (permissions.bits(fd, node, context) ?? permissions.ask(fd, context));
    const as = impersonates && context.uid !== 0 ? context : null;
    // The kernel says yes only to all that is asked: everything first, then bit by bit.
    return whenReady(metadata.access(fd, mask, as), (all): Awaitable<Result<number>> => {
      if (all === 0) return mask;
      const wanted = ACCESS_BITS.filter((bit) => mask & bit);
      if (wanted.length === 1) return 0;
      const each = wanted.map((bit) => whenReady(metadata.access(fd, bit, as), (result) => (result === 0 ? bit : 0)));
      const sum = (bits: readonly number[]): number => bits.reduce((total, bit) => total | bit, 0);
      return each.some((one) => one instanceof Promise) ? Promise.all(each).then(sum) : sum(each as number[]);
    });
  }

  readdir(
    directory: LocalNode,
    cookie: bigint,
    limit: number,
    context: CallContext,
  ): Awaitable<Result<DirectoryPage<LocalNode>>> {
    const volume = this.#volume;
    return volume.nodes.use(directory, (path, node) =>
      whenReady(
        volume.metadata.reopen(path, O.RDONLY | O.DIRECTORY, volume.asUnlessPermitted(path, node, MAY_READ, context)),
        (fd): Awaitable<Result<DirectoryPage<LocalNode>>> => {
          if (fd < 0) return errnoOf(fd);
          const page = after(this.#access(path, node, MAY_EXECUTE, context), (bits) =>
            readPage(volume, { node, fd }, cookie, limit, bits !== 0),
          );
          return whenReady(page, (answer) => whenReady(volume.metadata.close(fd), () => answer));
        },
      ),
    );
  }

  readlink(node: LocalNode): Awaitable<Result<{ readonly target: string }>> {
    const { metadata, nodes } = this.#volume;
    return nodes.use(node, (fd, live) =>
      after(this.#volume.typed(fd, live), ({ type }): Awaitable<Result<{ readonly target: string }>> => {
        if (type !== "symlink") return "EINVAL";
        const text = metadata === this.#volume.calls.sync ? this.#linkText : new Uint8Array(MAX_LINK_TEXT);
        return whenReady(metadata.readlink(fd, null, text), (length) =>
          length < 0 ? errnoOf(length) : { target: decodeName(text.subarray(0, length)) },
        );
      }),
    );
  }

  open(node: LocalNode, access: OpenAccess, context: CallContext): Awaitable<Result<LocalFile>> {
    const volume = this.#volume;
    const { metadata } = volume;
    return volume.nodes.use(node, (path, live) =>
      after(volume.typed(path, live), ({ type }): Awaitable<Result<LocalFile>> => {
        if (type === "directory") return "EISDIR";
        if (type !== "file") return "EINVAL";
        const as = volume.asUnlessPermitted(path, live, maskOf(access), context);
        return whenReady(metadata.reopen(path, OPEN_FLAGS[access], as), (fd): Awaitable<Result<LocalFile>> => {
          if (fd >= 0) return volume.openFile(live, fd, access);
          if (fd !== EACCES || access !== OPEN_READ || !volume.impersonates) return errnoOf(fd);
          // What may be run must be read for it (RFC 8881 §18.22.3): the server does, for the caller.
          return after(this.#access(path, live, MAY_EXECUTE, context), (bits) =>
            bits === 0
              ? "EACCES"
              : whenReady(metadata.reopen(path, O.RDONLY), (again) =>
                  again < 0 ? errnoOf(again) : volume.openFile(live, again, access),
                ),
          );
        });
      }),
    );
  }

  close(file: LocalFile): Awaitable<void> {
    return whenReady(this.#volume.closeFile(file), () => {});
  }

  read(file: LocalFile, offset: number, buffer: Uint8Array): Awaitable<Result<ReadResult>> {
    return read(this.#volume, file, offset, buffer);
  }

  write(
    file: LocalFile,
    offset: number,
    data: Uint8Array,
    stability: Stability,
    context: CallContext,
  ): Awaitable<Result<WriteResult>> {
    return write(this.#volume, file, offset, data, stability, context);
  }

  commit(file: LocalFile): Awaitable<Result<void>> {
    return commit(this.#volume, file);
  }

  create(
    directory: LocalNode,
    name: string,
    request: CreateRequest,
    context: CallContext,
  ): Awaitable<Result<Created<LocalNode, LocalFile>>> {
    const volume = this.#volume;
    const entry = componentOf(name);
    if (isErrno(entry)) return entry;
    return volume.nodes.use(directory, (fd, node) => create(volume, { node, fd }, entry, request, context));
  }

  link(node: LocalNode, directory: LocalNode, name: string, context: CallContext): Awaitable<Result<ChangeInfo>> {
    const volume = this.#volume;
    const entry = componentOf(name);
    if (isErrno(entry)) return entry;
    return volume.nodes.use(node, (sourceFd, source) =>
      volume.nodes.use(directory, (fd, place) =>
        link(volume, { node: source, fd: sourceFd }, { node: place, fd }, entry, context),
      ),
    );
  }

  remove(directory: LocalNode, name: string, context: CallContext): Awaitable<Result<ChangeInfo>> {
    const volume = this.#volume;
    const entry = componentOf(name);
    if (isErrno(entry)) return entry;
    return volume.nodes.use(directory, (fd, node) => remove(volume, { node, fd }, entry, context));
  }

  rename(
    from: LocalNode,
    fromName: string,
    to: LocalNode,
    toName: string,
    context: CallContext,
  ): Awaitable<Result<{ readonly from: ChangeInfo; readonly to: ChangeInfo }>> {
    const volume = this.#volume;
    const fromEntry = componentOf(fromName);
    if (isErrno(fromEntry)) return fromEntry;
    const toEntry = componentOf(toName);
    if (isErrno(toEntry)) return toEntry;
    return volume.nodes.use(from, (fromFd, fromNode) =>
      volume.nodes.use(to, (toFd, toNode) =>
        rename(volume, { node: fromNode, fd: fromFd }, fromEntry, { node: toNode, fd: toFd }, toEntry, context),
      ),
    );
  }

  statfs(): Awaitable<Result<FileSystemStatistics>> {
    return whenReady(this.#volume.metadata.statfs(this.#volume.rootFd), (its): Result<FileSystemStatistics> => {
      if (typeof its === "number") return errnoOf(its);
      const unit = its.frsize || its.bsize;
      return {
        totalBytes: its.blocks * unit,
        freeBytes: its.bfree * unit,
        availableBytes: its.bavail * unit,
        totalFiles: its.files,
        freeFiles: its.ffree,
        availableFiles: its.ffree,
      };
    });
  }

  async seek(file: LocalFile, offset: number, what: "data" | "hole"): Promise<Result<number>> {
    const at = await this.#volume.calls.pool.seek(file.fd, offset, what === "data" ? SEEK.DATA : SEEK.HOLE);
    return typeof at === "bigint" ? Number(at) : errnoOf(at);
  }

  allocate(file: LocalFile, offset: number, length: number, context: CallContext): Awaitable<Result<void>> {
    return this.#fallocate(file, 0, offset, length, context);
  }

  deallocate(file: LocalFile, offset: number, length: number, context: CallContext): Awaitable<Result<void>> {
    return this.#fallocate(file, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, offset, length, context);
  }

  async #fallocate(
    file: LocalFile,
    mode: number,
    offset: number,
    length: number,
    context: CallContext,
  ): Promise<Result<void>> {
    if (length === 0) return;
    const volume = this.#volume;
    await volume.aboutToChange(file.fd, file.node);
    file.written = true;
    const result = await volume.calls.pool.fallocate(file.fd, mode, offset, length, volume.as(context));
    volume.changed(file.node);
    return done(result);
  }

  /** Waits for what is under way and closes every descriptor. Idempotent. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#volume.dispose();
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

function maskOf(access: OpenAccess): number {
  return (access & OPEN_READ ? MAY_READ : 0) | (access & OPEN_WRITE ? MAY_WRITE : 0);
}
