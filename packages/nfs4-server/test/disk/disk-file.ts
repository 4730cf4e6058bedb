/** A file of the simulated disk: what the platter has, what its machine sees (the page cache), and the changes between the two. */
import type { SeededRandom } from "@nfs4/timecounter";
import type { Timestamp } from "../../src/filesystem/types.ts";
import { Image } from "./image.ts";
import { torn } from "./tearing.ts";

export interface DiskAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atime: Timestamp;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
  readonly change: bigint;
}

const EPOCH: Timestamp = { seconds: 0, nanoseconds: 0 };
export const NO_ATTRIBUTES: DiskAttributes = {
  mode: 0o600,
  uid: 0,
  gid: 0,
  atime: EPOCH,
  mtime: EPOCH,
  ctime: EPOCH,
  change: 0n,
};

type Change =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly size: number }
  | { readonly kind: "attributes"; readonly attributes: DiskAttributes };

/** How the changes that were not synced fare: all alike, or each by itself. */
export type Fate = "kept" | "lost" | "mixed";

export class DiskFile {
  readonly kind = "file";
  readonly id: number;
  #platter: Image = new Image();
  #cache: Image = new Image();
  #platterAttributes: DiskAttributes;
  #attributes: DiskAttributes;
  #pending: Change[] = [];

  constructor(id: number, attributes: DiskAttributes) {
    this.id = id;
    this.#platterAttributes = attributes;
    this.#attributes = attributes;
  }

  /** What is read, synced or not. Not to be changed. */
  get content(): Uint8Array {
    return this.#cache.bytes;
  }

  get attributes(): DiskAttributes {
    return this.#attributes;
  }

  /** True if something would be lost without a sync. */
  get dirty(): boolean {
    return this.#pending.length > 0;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#cache.write(offset, bytes);
    this.#pending.push({ kind: "write", offset, bytes: bytes.slice() });
  }

  resize(size: number): void {
    this.#cache.resize(size);
    this.#pending.push({ kind: "resize", size });
  }

  setAttributes(attributes: DiskAttributes): void {
    this.#attributes = attributes;
    this.#pending.push({ kind: "attributes", attributes });
  }

  sync(): void {
    this.#pending = [];
    this.#platter = this.#cache.copy();
    this.#platterAttributes = this.#attributes;
  }

  /**
   * A sync fails, as it does under Linux: some of the changes have reached the platter, all count as clean, and the next sync knows nothing of it. What
   * is read may still be the cache, or what the platter has if the pages were dropped.
   */
  failSync(random: SeededRandom, sector: number): void {
    this.#settle(random, "mixed", sector);
    if (random.chance(0.5)) this.#forgetCache();
  }

  /** The power goes. */
  lose(random: SeededRandom, fate: Fate, sector: number): void {
    this.#settle(random, fate, sector);
    this.#forgetCache();
  }

  #forgetCache(): void {
    this.#cache = this.#platter.copy();
    this.#attributes = this.#platterAttributes;
  }

  #settle(random: SeededRandom, fate: Fate, sector: number): void {
    const pending = this.#pending;
    this.#pending = [];
    if (fate === "lost") return;
    for (const change of pending) this.#reach(change, random, fate === "kept", sector);
  }

  /** As much of a change as reaches the platter. */
  #reach(change: Change, random: SeededRandom, wholly: boolean, sector: number): void {
    if (change.kind === "write") {
      const { offset, bytes } = change;
      const pieces = wholly ? ([[0, bytes.length]] as const) : torn(random, offset, bytes.length, sector);
      // The size may come without the bytes: zeros stand there.
      if (!wholly && random.chance(0.25)) this.#platter.resize(Math.max(this.#platter.size, offset + bytes.length));
      for (const [from, to] of pieces) if (to > from) this.#platter.write(offset + from, bytes.subarray(from, to));
    } else if (wholly || random.chance(0.5)) {
      if (change.kind === "resize") this.#platter.resize(change.size);
      else this.#platterAttributes = change.attributes;
    }
  }
}
