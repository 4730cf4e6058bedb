/** Which inode is where: every node that was met, found again by name, by inode and by key. */

import { Buffer } from "node:buffer";
import { type BigIntStats, fstatSync, lstatSync, realpathSync } from "node:fs";
import { encodeName } from "@nfs4/protocol";
import type { Result } from "../types.ts";
import type { Place, PortableNode } from "./portable-node.ts";

const SEPARATOR = Buffer.from("/");

/** Where a node is now. Without a path it has no name any more, but somebody has it open. */
export interface Located {
  readonly path: Buffer | null;
  readonly stats: BigIntStats;
}

export class PortableNodes {
  readonly root: PortableNode;
  readonly #rootPath: Buffer;
  readonly #limit: number;
  /** In the order of use, the oldest first. */
  readonly #bySerial: Map<number, PortableNode> = new Map();
  readonly #byInode: Map<string, PortableNode> = new Map();
  #nextSerial = 1;

  constructor(directory: string, limit: number) {
    this.#rootPath = Buffer.from(realpathSync(directory));
    this.#limit = limit;
    this.root = this.#add(lstatSync(this.#rootPath, { bigint: true }));
  }

  bySerial(serial: number): PortableNode | undefined {
    const node = this.#bySerial.get(serial);
    if (node !== undefined) this.#use(node);
    return node;
  }

  /** The path of a name in a directory that is at `path`. Refuses what would lead elsewhere. */
  pathOf(path: Buffer, name: string): Result<Buffer> {
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) return "EINVAL";
    return Buffer.concat([path, SEPARATOR, encodeName(name)]);
  }

  /**
   * Where the node is, every directory above it looked at again: a name that means another inode by now, say a symbolic link, is not followed.
   * `ESTALE` if none of its names is its own any more and nobody has it open.
   */
  locate(node: PortableNode): Result<Located> {
    if (node === this.root) return { path: this.#rootPath, stats: lstatSync(this.#rootPath, { bigint: true }) };
    for (const place of node.places.toReversed()) {
      const above = this.locate(place.directory);
      if (typeof above !== "string" && above.path !== null) {
        const path = Buffer.concat([above.path, SEPARATOR, place.name]);
        const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
        if (stats?.ino === node.inode && stats.dev === node.device) return { path, stats };
      }
      this.#displace(node, place);
    }
    for (const { fd } of node.descriptors) return { path: null, stats: fstatSync(fd, { bigint: true }) };
    this.#forget(node);
    return "ESTALE";
  }

  /** The node of an inode that was seen under a name. */
  met(directory: PortableNode, name: string, stats: BigIntStats): PortableNode {
    const node = this.#byInode.get(inodeKey(stats.dev, stats.ino)) ?? this.#add(stats);
    this.#use(node);
    const bytes = encodeName(name);
    const known = node.places.find((place) => place.directory === directory && Buffer.compare(place.name, bytes) === 0);
    if (known !== undefined) node.places.push(...node.places.splice(node.places.indexOf(known), 1));
    else if (node !== this.root) {
      node.places.push({ directory, name: bytes });
      directory.children++;
    }
    this.#shrink(node);
    return node;
  }

  /** The name is not the node's any more. */
  lost(node: PortableNode, directory: PortableNode, name: string): void {
    const bytes = encodeName(name);
    const place = node.places.find((one) => one.directory === directory && Buffer.compare(one.name, bytes) === 0);
    if (place !== undefined) this.#displace(node, place);
  }

  /** The last name and the last open are gone: the inode's number may be another's next. */
  forgetIfGone(node: PortableNode): void {
    if (node.descriptors.size === 0 && node.places.length === 0 && node !== this.root) this.#forget(node);
  }

  #add({ dev, ino }: BigIntStats): PortableNode {
    const node: PortableNode = {
      serial: this.#nextSerial++,
      device: dev,
      inode: ino,
      places: [],
      children: 0,
      descriptors: new Set(),
      reported: -1n,
      changed: false,
      listing: null,
    };
    this.#bySerial.set(node.serial, node);
    this.#byInode.set(inodeKey(dev, ino), node);
    return node;
  }

  #use(node: PortableNode): void {
    this.#bySerial.delete(node.serial);
    this.#bySerial.set(node.serial, node);
  }

  #displace(node: PortableNode, place: Place): void {
    node.places = node.places.filter((one) => one !== place);
    place.directory.children--;
  }

  #forget(node: PortableNode): void {
    for (const { directory } of node.places) directory.children--;
    node.places = [];
    this.#bySerial.delete(node.serial);
    const key = inodeKey(node.device, node.inode);
    if (this.#byInode.get(key) === node) this.#byInode.delete(key);
  }

  /** Forgets the nodes that were not used for longest; their handles become stale. A few steps for each that comes: those in use are passed over. */
  #shrink(keep: PortableNode): void {
    let steps = 8;
    for (const node of this.#bySerial.values()) {
      if (this.#bySerial.size <= this.#limit || steps-- === 0) return;
      const used = node === keep || node === this.root || node.children > 0 || node.descriptors.size > 0;
      if (used) this.#use(node);
      else this.#forget(node);
    }
  }
}

function inodeKey(device: bigint, inode: bigint): string {
  return `${device}:${inode}`;
}
