/** Open files of a `PortableFileSystem`: their descriptors, and what is read and written by them. */
import { closeSync, constants, fchmodSync, fdatasync, fstatSync, fsync, openSync, read, write } from "node:fs";
import { promisify } from "node:util";
import {
  type CallContext,
  OPEN_WRITE,
  type OpenAccess,
  type ReadResult,
  type Result,
  type Stability,
  type WriteResult,
} from "../types.ts";
import type { PortableFile, PortableNode } from "./portable-node.ts";
import type { PortableNodes } from "./portable-nodes.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const OPEN_FLAGS = { 1: O_RDONLY, 2: O_WRONLY, 3: O_RDWR } as const;
const readAt = promisify(read);
const writeAt = promisify(write);
const sync = promisify(fsync);
const syncData = promisify(fdatasync);

export class PortableFiles {
  readonly #nodes: PortableNodes;

  constructor(nodes: PortableNodes) {
    this.#nodes = nodes;
  }

  /** Opens the file at `path`; one without a name shares a descriptor. Throws Node's errors. */
  open(node: PortableNode, path: Buffer | null, access: OpenAccess): Result<PortableFile> {
    if (path === null) {
      for (const descriptor of node.descriptors) {
        if ((descriptor.access & access) !== access) continue;
        descriptor.users++;
        return { node, descriptor };
      }
      return "ESTALE";
    }
    const flags = O_NOFOLLOW | O_NONBLOCK;
    if (access === OPEN_WRITE) {
      // Who unlinks it afterwards may want to read it.
      try {
        return this.opened(node, openSync(path, O_RDWR | flags), 3);
      } catch {}
    }
    return this.opened(node, openSync(path, OPEN_FLAGS[access] | flags), access);
  }

  /** A descriptor as an open file, if it is of the node that was meant. */
  opened(node: PortableNode, fd: number, access: OpenAccess): Result<PortableFile> {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    if (dev !== node.device || ino !== node.inode) {
      closeSync(fd);
      return "ESTALE";
    }
    const descriptor = { fd, access, users: 1 };
    node.descriptors.add(descriptor);
    return { node, descriptor };
  }

  close({ node, descriptor }: PortableFile): void {
    if (--descriptor.users > 0) return;
    node.descriptors.delete(descriptor);
    closeSync(descriptor.fd);
    this.#nodes.forgetIfGone(node);
  }

  async read({ descriptor }: PortableFile, offset: number, buffer: Uint8Array): Promise<Result<ReadResult>> {
    let count = 0;
    while (count < buffer.length) {
      const { bytesRead } = await readAt(descriptor.fd, buffer, count, buffer.length - count, offset + count);
      if (bytesRead === 0) break;
      count += bytesRead;
    }
    const bytes = count === buffer.length ? buffer : buffer.subarray(0, count);
    return { bytes, end: offset + count >= fstatSync(descriptor.fd).size };
  }

  async write(
    file: PortableFile,
    offset: number,
    data: Uint8Array,
    stability: Stability,
    context: CallContext,
  ): Promise<Result<WriteResult>> {
    const { fd } = file.descriptor;
    const { bytesWritten } = await writeAt(fd, data, 0, data.length, offset);
    file.node.changed = true;
    if (context.uid !== 0) {
      // A write by anybody but root takes the set-id bits away (POSIX write).
      const mode = fstatSync(fd).mode & 0o7777;
      const cleared = mode & (mode & 0o010 ? ~0o6000 : ~0o4000);
      if (cleared !== mode) fchmodSync(fd, cleared);
    }
    if (stability !== "unstable") await (stability === "data-sync" ? syncData : sync)(fd);
    return { count: bytesWritten, stability };
  }

  async commit({ descriptor }: PortableFile): Promise<Result<void>> {
    await sync(descriptor.fd);
  }
}
