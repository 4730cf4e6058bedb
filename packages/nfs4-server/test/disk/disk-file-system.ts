/**
 * A small file system on a simulated disk: files and directories. Data stays in the page cache until it is to be stable; names and attributes are synced
 * before they are answered, as NFS clients expect of a server.
 */
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
  ReadResult,
  Result,
  Stability,
  Timestamp,
  WriteResult,
} from "../../src/filesystem/types.ts";
import { DiskDirectory, type DiskNode, nodesBelow } from "./disk-directory.ts";
import { type DiskAttributes, DiskFile } from "./disk-file.ts";
import type { Machine } from "./machine.ts";

const FIRST_COOKIE = 3;

export class DiskFileSystem implements FileSystem<DiskNode, DiskFile> {
  readonly capabilities: FileSystemCapabilities = { persistentKeys: true };
  readonly #machine: Machine;
  readonly #root: DiskDirectory;
  readonly #now: () => Timestamp;
  readonly #nodes: Map<number, DiskNode> = new Map();
  readonly #parents: Map<DiskDirectory, DiskDirectory> = new Map();
  readonly #opens: Map<DiskFile, number> = new Map();
  /** Grows with every change of any node, and is above what any boot before has given. */
  #change: bigint;

  constructor(machine: Machine, root: DiskDirectory, now: () => Timestamp) {
    this.#machine = machine;
    this.#root = root;
    this.#now = now;
    this.#change = BigInt(machine.disk.boots) << 32n;
    for (const node of nodesBelow(root)) {
      this.#nodes.set(node.id, node);
      if (!(node instanceof DiskDirectory)) continue;
      for (const below of node.names.values()) if (below instanceof DiskDirectory) this.#parents.set(below, node);
    }
  }

  root(): DiskNode {
    return this.#root;
  }

  key(node: DiskNode): Uint8Array {
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, node.id);
    return key;
  }

  resolve(key: Uint8Array): Result<DiskNode> {
    return this.#nodes.get(new DataView(key.buffer, key.byteOffset).getUint32(0)) ?? "ESTALE";
  }

  lookup(directory: DiskNode, name: string): Result<DiskNode> {
    if (directory.kind !== "directory") return "ENOTDIR";
    return directory.names.get(name) ?? "ENOENT";
  }

  parent(directory: DiskNode): Result<DiskNode> {
    if (directory.kind !== "directory") return "ENOTDIR";
    return this.#parents.get(directory) ?? this.#root;
  }

  getattr(node: DiskNode): Attributes {
    const size = node.kind === "file" ? node.content.length : 512;
    return {
      ...node.attributes,
      type: node.kind,
      size,
      spaceUsed: size,
      nlink: node.kind === "file" ? 1 : 2,
      fileid: BigInt(node.id),
    };
  }

  readdir(directory: DiskNode, cookie: bigint, limit: number): Result<DirectoryPage<DiskNode>> {
    if (directory.kind !== "directory") return "ENOTDIR";
    const all = [...directory.names].sort(([, a], [, b]) => a.id - b.id);
    const rest = all.filter(([, node]) => node.id + FIRST_COOKIE > Number(cookie));
    const entries = rest
      .slice(0, limit)
      .map(([name, node]) => ({ name, cookie: BigInt(node.id + FIRST_COOKIE), node }));
    return { entries, end: entries.length === rest.length };
  }

  open(node: DiskNode): Result<DiskFile> {
    if (node.kind !== "file") return "EISDIR";
    this.#opens.set(node, (this.#opens.get(node) ?? 0) + 1);
    return node;
  }

  close(file: DiskFile): void {
    this.#opens.set(file, (this.#opens.get(file) ?? 1) - 1);
  }

  async read(file: DiskFile, offset: number, buffer: Uint8Array): Promise<Result<ReadResult>> {
    return this.#machine.perform(() => {
      const bytes = file.content.slice(offset, offset + buffer.length);
      return { bytes, end: offset + bytes.length >= file.content.length };
    });
  }

  async write(file: DiskFile, offset: number, data: Uint8Array, stability: Stability): Promise<Result<WriteResult>> {
    const copy = data.slice();
    await this.#machine.perform(() => {
      file.write(offset, copy);
      file.setAttributes(this.#changed(file.attributes, { mtime: this.#now() }));
    });
    if (stability !== "unstable") await this.#sync(file);
    return { count: copy.length, stability };
  }

  commit(file: DiskFile): Promise<void> {
    return this.#sync(file);
  }

  async setattr(node: DiskNode, changes: AttributeChanges): Promise<Result<void>> {
    if (changes.size !== undefined && node.kind !== "file") return "EISDIR";
    await this.#machine.perform(() => {
      if (changes.size !== undefined && node.kind === "file") node.resize(changes.size);
      const attributes = this.#changed(node.attributes, this.#given(changes));
      if (node.kind === "file") node.setAttributes(attributes);
      else node.attributes = attributes;
    });
    if (node.kind === "file") await this.#sync(node);
  }

  async create(
    directory: DiskNode,
    name: string,
    request: CreateRequest,
    context: CallContext,
  ): Promise<Result<Created<DiskNode, DiskFile>>> {
    if (directory.kind !== "directory") return "ENOTDIR";
    if (request.type !== "file" && request.type !== "directory") return "ENOTSUP";
    const { disk } = this.#machine;
    const { type } = request;
    const made = await this.#machine.perform(() => {
      if (directory.names.has(name)) return "EEXIST" as const;
      const attributes = this.#initial(request.attributes, context);
      const node = type === "file" ? disk.makeFile(attributes) : disk.makeDirectory(attributes);
      if (request.attributes.size && node instanceof DiskFile) node.resize(request.attributes.size);
      disk.change({ add: { directory, name, node } });
      this.#nodes.set(node.id, node);
      if (node.kind === "directory") this.#parents.set(node, directory);
      return { node, change: this.#changeOf(directory) };
    });
    if (made === "EEXIST") return made;
    await this.#syncNames(directory);
    if (request.type !== "file" || request.open === undefined || made.node.kind !== "file") return made;
    this.open(made.node);
    return { ...made, file: made.node };
  }

  async remove(directory: DiskNode, name: string): Promise<Result<ChangeInfo>> {
    if (directory.kind !== "directory") return "ENOTDIR";
    const removed = await this.#machine.perform(() => {
      const node = directory.names.get(name);
      if (!node) return "ENOENT" as const;
      if (node.kind === "directory" && node.names.size > 0) return "ENOTEMPTY" as const;
      this.#machine.disk.change({ remove: { directory, name, node } });
      this.#unlinked(node);
      return this.#changeOf(directory);
    });
    if (typeof removed !== "string") await this.#syncNames(directory);
    return removed;
  }

  async rename(from: DiskNode, fromName: string, to: DiskNode, toName: string) {
    if (from.kind !== "directory" || to.kind !== "directory") return "ENOTDIR" as const;
    const renamed = await this.#machine.perform(() => {
      const node = from.names.get(fromName);
      if (!node) return "ENOENT" as const;
      const replaced = to.names.get(toName);
      if (replaced?.kind === "directory" || node.kind === "directory") return "ENOTSUP" as const;
      const remove = { directory: from, name: fromName, node };
      this.#machine.disk.change({ remove, add: { directory: to, name: toName, node } });
      if (replaced && replaced !== node) this.#unlinked(replaced);
      return { from: this.#changeOf(from), to: this.#changeOf(to) };
    });
    if (typeof renamed === "string") return renamed;
    await this.#syncNames(from);
    if (to !== from) await this.#syncNames(to);
    return renamed;
  }

  #sync(file: DiskFile): Promise<void> {
    return this.#machine.perform(() => this.#machine.disk.sync(file));
  }

  /** Names never fail here: what a creation has come to when its sync has failed, nobody could say. */
  #syncNames(directory: DiskDirectory): Promise<void> {
    return this.#machine.perform(() => this.#machine.disk.syncNames(directory));
  }

  /** Without a name it lives until the last close, and in no case for longer than the machine. */
  #unlinked(node: DiskNode): void {
    if (node.kind === "directory" || !this.#opens.get(node)) this.#nodes.delete(node.id);
  }

  #initial(changes: AttributeChanges, { uid, gid }: CallContext): DiskAttributes {
    const now = this.#now();
    return {
      mode: 0o600,
      uid,
      gid,
      atime: now,
      mtime: now,
      ctime: now,
      ...this.#given(changes),
      change: ++this.#change,
    };
  }

  #given({ mode, uid, gid, atime, mtime, size }: AttributeChanges): Partial<DiskAttributes> {
    const now = this.#now();
    return {
      ...(mode === undefined ? {} : { mode }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(atime === undefined ? {} : { atime: atime === "now" ? now : atime }),
      ...(size === undefined ? {} : { mtime: now }),
      ...(mtime === undefined ? {} : { mtime: mtime === "now" ? now : mtime }),
    };
  }

  #changed(attributes: DiskAttributes, changes: Partial<DiskAttributes>): DiskAttributes {
    return { ...attributes, ...changes, ctime: this.#now(), change: ++this.#change };
  }

  #changeOf(directory: DiskDirectory): ChangeInfo {
    const before = directory.attributes.change;
    directory.attributes = this.#changed(directory.attributes, { mtime: this.#now() });
    return { before, after: directory.attributes.change, atomic: true };
  }
}
