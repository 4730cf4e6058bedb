/**
 * Keys from the kernel's own file handles (name_to_handle_at(2)): they lead to the inode wherever it has been moved, and to nothing once it is deleted, also
 * after a restart of the machine. As with knfsd's no_subtree_check, what somebody on the server moves out of the export keeps its handle.
 */
import { type As, type FileCalls, type FileHandle, type FileSystemCalls, O, type Pooled } from "@nfs4/native";
import { whenReady } from "../chain.ts";
import type { Awaitable, Result } from "../types.ts";
import type { Component } from "./component.ts";
import { errnoOf } from "./errors.ts";
import type { Found, NodeKeys, Place } from "./node-keys.ts";

/** First byte of a key; then the handle's type and its bytes. */
const KIND = 1;
const MAX_BYTES = 62;
const MAX_DEPTH = 4096;

export class HandleKeys implements NodeKeys {
  readonly kind: "handles" = "handles";
  readonly persistent: boolean = true;
  readonly rootKey: Uint8Array;
  readonly #calls: FileCalls;
  readonly #metadata: FileSystemCalls | Pooled<FileSystemCalls>;
  readonly #rootFd: number;
  readonly #mountId: number;

  private constructor(
    calls: FileCalls,
    metadata: FileSystemCalls | Pooled<FileSystemCalls>,
    rootFd: number,
    rootKey: Uint8Array,
    mountId: number,
  ) {
    this.#calls = calls;
    this.#metadata = metadata;
    this.#rootFd = rootFd;
    this.rootKey = rootKey;
    this.#mountId = mountId;
  }

  /** Or why the file system, or our privilege, does not do. `rootFd` is borrowed for as long as the keys are used; not O_PATH. */
  static probe(
    calls: FileCalls,
    metadata: FileSystemCalls | Pooled<FileSystemCalls>,
    rootFd: number,
  ): HandleKeys | string {
    const handle = calls.sync.nameToHandle(rootFd, null, 0);
    if (typeof handle === "number") return `name_to_handle_at: ${errnoOf(handle)}`;
    const key = keyOf(handle);
    if (!key) return `its handles are longer than ${MAX_BYTES} bytes`;
    const fd = calls.sync.openByHandle(rootFd, handle.type, handle.bytes, O.PATH);
    if (fd < 0) return `open_by_handle_at: ${errnoOf(fd)}`;
    calls.sync.close(fd);
    return new HandleKeys(calls, metadata, rootFd, key, handle.mountId);
  }

  ofEntry(directory: Place, { name }: Component, as: As): Awaitable<Result<Found>> {
    const handle = this.#metadata.nameToHandle(directory.fd, name, 0, as);
    return handle instanceof Promise ? handle.then((its) => this.#found(its)) : this.#found(handle);
  }

  #found(handle: FileHandle | number): Result<Found> {
    if (typeof handle === "number") return errnoOf(handle);
    if (handle.mountId !== this.#mountId) return "ENOENT";
    const key = keyOf(handle);
    return key ? { key, fd: -1 } : "EIO";
  }

  open(key: Uint8Array): Awaitable<Result<{ readonly fd: number }>> {
    if (key.length < 3 || key[0] !== KIND) return "ESTALE";
    return whenReady(this.#metadata.openByHandle(this.#rootFd, key[1]!, key.subarray(2), O.PATH), (fd) =>
      // Bytes that the file system cannot have made are EINVAL.
      fd >= 0 ? { fd } : fd === EINVAL ? "ESTALE" : errnoOf(fd),
    );
  }

  /** Walks up to the export's root at once: a directory that was moved out of the export must not lead to what lies above it there. */
  ofParent(directory: Place, as: As): Result<Found> {
    const { sync } = this.#calls;
    const parent = sync.open(directory.fd, "..", O.PATH | O.DIRECTORY, 0, as);
    // In a mount of our own a directory that was moved out of the export has no parent.
    if (parent < 0) return parent === ENOENT ? "ESTALE" : errnoOf(parent);
    const handle = sync.nameToHandle(parent, null, 0);
    const key = typeof handle === "number" ? null : keyOf(handle);
    if (key && this.#leadsToRoot(parent, key)) return { key, fd: parent };
    sync.close(parent);
    return "ESTALE";
  }

  #leadsToRoot(directory: number, itsKey: Uint8Array): boolean {
    const { sync } = this.#calls;
    let fd = directory;
    let key: Uint8Array | null = itsKey;
    for (let depth = 0; key && !sameBytes(key, this.rootKey) && depth < MAX_DEPTH; depth++) {
      const above: number = sync.open(fd, "..", O.PATH | O.DIRECTORY, 0);
      if (fd !== directory) sync.close(fd);
      if (above < 0) return false;
      fd = above;
      const handle = sync.nameToHandle(fd, null, 0);
      const keyAbove = typeof handle === "number" || handle.mountId !== this.#mountId ? null : keyOf(handle);
      // The top of a file system is its own parent.
      key = keyAbove && !sameBytes(keyAbove, key) ? keyAbove : null;
    }
    if (fd !== directory) sync.close(fd);
    return key !== null && sameBytes(key, this.rootKey);
  }

  async close(): Promise<void> {}
}

const ENOENT = -2;
const EINVAL = -22;

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function keyOf({ type, bytes }: FileHandle): Uint8Array | null {
  if (type < 0 || type > 255 || bytes.length > MAX_BYTES) return null;
  const key = new Uint8Array(2 + bytes.length);
  key[0] = KIND;
  key[1] = type;
  key.set(bytes, 2);
  return key;
}
