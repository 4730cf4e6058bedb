/**
 * Keys for where the kernel's file handles cannot be had: inode number and time of birth, and a table of where that inode was seen last. What we rename is
 * followed; what somebody else moves turns stale (until it is looked up again), and so does a name that another inode has taken.
 */
import { type As, type FileCalls, type FileSystemCalls, O, type Pooled, STATX, type Statx } from "@nfs4/native";
import { after, whenReady } from "../chain.ts";
import { isErrno } from "../errno.ts";
import type { Awaitable, Result } from "../types.ts";
import { type Component, componentOf } from "./component.ts";
import { errnoOf } from "./errors.ts";
import type { LocalNode } from "./local-node.ts";
import type { Found, NodeKeys, Place } from "./node-keys.ts";
import { ID_BYTES, latin1, type PathTable } from "./path-table.ts";

/** First byte of a key; then the inode number and the time of birth, 8 bytes each. */
const KIND = 2;
const KEY_BYTES = 1 + ID_BYTES;
const IDENTITY_MASK = STATX.INO | STATX.BTIME | STATX.MNT_ID;
const MAX_DEPTH = 2048;

export interface PathKeysOptions {
  readonly calls: FileCalls;
  readonly metadata: FileSystemCalls | Pooled<FileSystemCalls>;
  /** Borrowed for as long as the keys are used. */
  readonly rootFd: number;
  readonly table: PathTable;
  readonly persistent: boolean;
}

export class PathKeys implements NodeKeys {
  readonly kind: "paths" = "paths";
  readonly persistent: boolean;
  readonly rootKey: Uint8Array;
  readonly #metadata: FileSystemCalls | Pooled<FileSystemCalls>;
  readonly #rootFd: number;
  readonly #rootId: string;
  readonly #mount: Statx;
  readonly #table: PathTable;

  constructor({ calls, metadata, rootFd, table, persistent }: PathKeysOptions) {
    const statx = calls.sync.statx(rootFd, null, 0, IDENTITY_MASK);
    if (typeof statx === "number") throw new Error(`statx of the export's root: ${errnoOf(statx)}`);
    this.#metadata = metadata;
    this.#rootFd = rootFd;
    this.#table = table;
    this.#mount = statx;
    this.persistent = persistent;
    this.rootKey = keyOf(statx);
    this.#rootId = idOfKey(this.rootKey);
  }

  ofEntry(directory: Place, entry: Component, as: As): Awaitable<Result<Found>> {
    return whenReady(this.#metadata.open(directory.fd, entry.name, O.PATH, 0, as), (fd): Awaitable<Result<Found>> => {
      if (fd < 0) return errnoOf(fd);
      return this.#identify(fd, (key) => {
        this.named(key, directory.node, entry);
        return true;
      });
    });
  }

  named(key: Uint8Array, directory: LocalNode, { text }: Component): void {
    this.#table.set(idOfKey(key), idOfKey(directory.key), text);
  }

  ofParent(directory: Place): Awaitable<Result<Found>> {
    const entry = this.#table.get(idOfKey(directory.node.key));
    if (!entry) return "ESTALE";
    const key = new Uint8Array(KEY_BYTES);
    key[0] = KIND;
    for (let i = 0; i < ID_BYTES; i++) key[1 + i] = entry.parent.charCodeAt(i);
    return after(this.open(key), ({ fd }) => ({ key, fd }));
  }

  open(key: Uint8Array): Awaitable<Result<{ readonly fd: number }>> {
    if (key.length !== KEY_BYTES || key[0] !== KIND) return "ESTALE";
    const names: Component[] = [];
    for (let id = idOfKey(key); id !== this.#rootId; ) {
      const entry = this.#table.get(id);
      if (!entry || names.length === MAX_DEPTH) return "ESTALE";
      const component = componentOf(entry.name);
      if (isErrno(component)) return "ESTALE";
      names.push(component);
      id = entry.parent;
    }
    const id = idOfKey(key);
    return after(this.#walk(this.#rootFd, names), (fd) => this.#identify(fd, (found) => idOfKey(found) === id));
  }

  /** Opens the last name first in `names`, under `fd`, which is closed unless it is the root's. */
  #walk(fd: number, names: Component[]): Awaitable<Result<number>> {
    const component = names.pop();
    const directory = names.length > 0 ? O.DIRECTORY : 0;
    const opened = this.#metadata.open(fd, component?.name ?? ".", O.PATH | directory, 0);
    return whenReady(opened, (next): Awaitable<Result<number>> => {
      if (fd !== this.#rootFd) void this.#metadata.close(fd);
      if (next < 0) return next === ENOENT || next === ENOTDIR || next === ELOOP ? "ESTALE" : errnoOf(next);
      return names.length > 0 ? this.#walk(next, names) : next;
    });
  }

  /** The key of what a descriptor stands for, if it is accepted; else the descriptor is closed. */
  #identify(fd: number, accept: (key: Uint8Array) => boolean): Awaitable<Result<Found>> {
    return whenReady(this.#metadata.statx(fd, null, 0, IDENTITY_MASK), (statx): Result<Found> => {
      const refuse = (why: "ENOENT" | "ESTALE" | "EIO"): typeof why => {
        void this.#metadata.close(fd);
        return why;
      };
      if (typeof statx === "number") return refuse("EIO");
      if (!this.#sameMount(statx)) return refuse("ENOENT");
      const key = keyOf(statx);
      return accept(key) ? { key, fd } : refuse("ESTALE");
    });
  }

  #sameMount(statx: Statx): boolean {
    const mount = this.#mount;
    return (
      statx.mountIdLow === mount.mountIdLow &&
      statx.mountIdHigh === mount.mountIdHigh &&
      statx.devMinor === mount.devMinor &&
      statx.devMajor === mount.devMajor
    );
  }

  close(): Promise<void> {
    return this.#table.settled();
  }
}

const ENOENT = -2;
const ENOTDIR = -20;
const ELOOP = -40;

function keyOf(statx: Statx): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  const view = new DataView(key.buffer);
  key[0] = KIND;
  view.setUint32(1, statx.inoHigh);
  view.setUint32(5, statx.inoLow);
  if (statx.mask & STATX.BTIME)
    view.setBigInt64(9, BigInt(statx.btimeSeconds) * 1_000_000_000n + BigInt(statx.btimeNanoseconds));
  return key;
}

function idOfKey(key: Uint8Array): string {
  return latin1(key.subarray(1));
}
