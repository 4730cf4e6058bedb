/** What the members of a `LocalFileSystem` stand on. */
import { type As, closeFd, type FileCalls, type FileSystemCalls, type Pooled, type Statx } from "@nfs4/native";
import { after, whenReady } from "../chain.ts";
import type { Attributes, Awaitable, CallContext, OpenAccess, Result } from "../types.ts";
import { ATTRIBUTES_MASK, attributesOf, typeOf } from "./attributes.ts";
import type { ChangeAttributes } from "./change-attribute.ts";
import type { DirectoryWatches } from "./directory-watches.ts";
import { errnoOf } from "./errors.ts";
import type { LocalFile, LocalNode } from "./local-node.ts";
import type { NodeKeys } from "./node-keys.ts";
import type { NodeTable } from "./node-table.ts";
import type { Permissions } from "./permissions.ts";

export interface VolumeParts {
  readonly calls: FileCalls;
  /** Where lookups and attributes are asked for: at once, or on a worker. */
  readonly metadata: FileSystemCalls | Pooled<FileSystemCalls>;
  readonly nodes: NodeTable;
  readonly keys: NodeKeys;
  readonly changes: ChangeAttributes;
  /** Readable. */
  readonly rootFd: number;
  /** We may act as anybody; else everything is done as the process's own user. */
  readonly impersonates: boolean;
  /** The kernel keeps us within the export. */
  readonly confined: boolean;
  /** Null where it would not pay: nobody is impersonated, there is no clock, or all is asked on threads anyway. */
  readonly permissions: Permissions | null;
  readonly watches: DirectoryWatches | null;
}

export class Volume {
  readonly calls: FileCalls;
  readonly metadata: FileSystemCalls | Pooled<FileSystemCalls>;
  readonly nodes: NodeTable;
  readonly keys: NodeKeys;
  readonly changes: ChangeAttributes;
  readonly rootFd: number;
  readonly impersonates: boolean;
  readonly confined: boolean;
  readonly permissions: Permissions | null;
  readonly watches: DirectoryWatches | null;
  readonly files: Set<LocalFile> = new Set();

  constructor(parts: VolumeParts) {
    this.calls = parts.calls;
    this.metadata = parts.metadata;
    this.nodes = parts.nodes;
    this.keys = parts.keys;
    this.changes = parts.changes;
    this.rootFd = parts.rootFd;
    this.impersonates = parts.impersonates;
    this.confined = parts.confined;
    this.permissions = parts.permissions;
    this.watches = parts.watches;
  }

  /** An open file, which keeps its node; `fd` is its own. */
  openFile(node: LocalNode, fd: number, access: OpenAccess): LocalFile {
    this.nodes.pin(node);
    const file = { node, fd, access, knownSize: 0, truncations: 0, written: false, closed: false };
    this.files.add(file);
    return file;
  }

  /** What was not closed by then is closed with the file system. */
  closeFile(file: LocalFile): Awaitable<unknown> {
    if (file.closed) return;
    file.closed = true;
    this.files.delete(file);
    this.nodes.unpin(file.node);
    // The last close of a written file can take long, and of an unlinked one too: not here.
    return file.written || file.node.unlinked ? this.calls.pool.close(file.fd) : this.metadata.close(file.fd);
  }

  /** As whom the kernel is to act. */
  as(context: CallContext): As {
    return this.impersonates ? context : null;
  }

  /** As `as`; null also if the caller is known to have these MAY_* bits, so that the process may do it for him. What he lacks, the kernel says. */
  asUnlessPermitted(fd: number, node: LocalNode, mask: number, context: CallContext): As {
    if (!this.impersonates) return null;
    // Root passes every check, but for which group it gives to new files, and that is no matter here.
    if (context.uid === 0) return null;
    const bits = this.permissions?.bits(fd, node, context) ?? 0;
    return (bits & mask) === mask ? null : context;
  }

  /** What statx says about a node, with `fd` for it; ESTALE if it has lost its last name and nobody has it open. */
  status(fd: number, node: LocalNode): Awaitable<Result<Statx>> {
    const answer = this.metadata.statx(fd, null, 0, ATTRIBUTES_MASK);
    return answer instanceof Promise ? answer.then((statx) => this.#checked(statx, node)) : this.#checked(answer, node);
  }

  #checked(statx: Statx | number, node: LocalNode): Result<Statx> {
    if (typeof statx === "number") return errnoOf(statx);
    node.type ??= typeOf(statx.mode);
    if (statx.nlink > 0 || node.opens > 0) return statx;
    this.nodes.lostName(node);
    return "ESTALE";
  }

  attributes(node: LocalNode, statx: Statx): Attributes {
    return attributesOf(statx, this.changes.report(node, statx));
  }

  /** Makes sure that `node.type` is known; it never changes. */
  typed(fd: number, node: LocalNode): Awaitable<Result<LocalNode>> {
    return node.type ? node : after(this.status(fd, node), () => node);
  }

  /** A node's change attribute now. */
  change(fd: number, node: LocalNode): Awaitable<bigint> {
    return whenReady(this.metadata.statx(fd, null, 0, ATTRIBUTES_MASK), (statx) =>
      typeof statx === "number" ? (node.reported < 0n ? 0n : node.reported) : this.changes.report(node, statx),
    );
  }

  /** Before a change of ours: what the change attribute is now must be known, to be exceeded. */
  aboutToChange(fd: number, node: LocalNode): Awaitable<unknown> {
    return node.reported < 0n ? this.change(fd, node) : undefined;
  }

  /** After a change of ours, or an attempt that may have had an effect. */
  changed(node: LocalNode): void {
    node.changed = true;
  }

  /** Waits for what is under way, then closes everything. */
  async dispose(): Promise<void> {
    await this.nodes.drain();
    await this.calls.close();
    for (const { fd } of this.files) closeFd(fd);
    this.files.clear();
    this.nodes.dispose(closeFd);
    if (this.watches) closeFd(this.watches.fd);
    closeFd(this.rootFd);
    await this.keys.close();
  }
}
