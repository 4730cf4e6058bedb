/**
 * The file system above all exports (RFC 8881 §7.3): directories that only lead to them. It never changes while the server runs with
 * the same exports.
 */
import type { Attributes, DirectoryPage, FileSystem, Result, Timestamp } from "../filesystem/types.ts";

export class PseudoDirectory {
  readonly name: string;
  readonly parent: PseudoDirectory | null;
  readonly children: Map<string, PseudoDirectory> = new Map();
  /** Stable across restarts: made from the path. */
  readonly fileid: bigint;
  readonly key: Uint8Array;
  /** The export that stands here and hides this directory, by its number; 0: none. */
  exportId = 0;

  constructor(name: string, parent: PseudoDirectory | null) {
    this.name = name;
    this.parent = parent;
    const path = this.path;
    const hash = fnv1a(path);
    this.fileid = parent ? BigInt(hash) + 2n : 1n;
    this.key = new Uint8Array([hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff]);
  }

  get path(): string {
    if (!this.parent) return "/";
    return this.parent.parent ? `${this.parent.path}/${this.name}` : `/${this.name}`;
  }
}

export class PseudoFileSystem implements FileSystem<PseudoDirectory> {
  readonly capabilities = { persistentKeys: true } as const;
  readonly top: PseudoDirectory = new PseudoDirectory("", null);
  readonly #byKey: Map<number, PseudoDirectory> = new Map();
  readonly #since: Timestamp;

  /** `since`: the time stamp of every directory. */
  constructor(since: Timestamp) {
    this.#since = since;
    this.#byKey.set(keyNumber(this.top.key), this.top);
  }

  /** Makes the directories of `path` and returns the last. */
  makePath(names: readonly string[]): PseudoDirectory {
    let directory = this.top;
    for (const name of names) {
      let child = directory.children.get(name);
      if (!child) {
        child = new PseudoDirectory(name, directory);
        if (this.#byKey.has(keyNumber(child.key)))
          throw new RangeError(`"${child.path}" collides with another path of the pseudo file system: rename one`);
        this.#byKey.set(keyNumber(child.key), child);
        directory.children.set(name, child);
      }
      directory = child;
    }
    return directory;
  }

  root(): PseudoDirectory {
    return this.top;
  }

  key(directory: PseudoDirectory): Uint8Array {
    return directory.key;
  }

  resolve(key: Uint8Array): Result<PseudoDirectory> {
    return this.#byKey.get(keyNumber(key)) ?? "ESTALE";
  }

  lookup(directory: PseudoDirectory, name: string): Result<PseudoDirectory> {
    return directory.children.get(name) ?? "ENOENT";
  }

  parent(directory: PseudoDirectory): PseudoDirectory {
    return directory.parent ?? directory;
  }

  getattr(directory: PseudoDirectory): Attributes {
    return {
      type: "directory",
      mode: 0o555,
      uid: 0,
      gid: 0,
      size: 4096,
      spaceUsed: 0,
      nlink: 2 + directory.children.size,
      fileid: directory.fileid,
      change: BigInt(this.#since.seconds),
      atime: this.#since,
      mtime: this.#since,
      ctime: this.#since,
    };
  }

  readdir(directory: PseudoDirectory, cookie: bigint, limit: number): DirectoryPage<PseudoDirectory> {
    const children = [...directory.children.values()];
    const from = cookie < 3n ? 0 : Number(cookie) - 2;
    const page = children.slice(from, from + limit);
    return {
      entries: page.map((node, index) => ({
        name: node.name,
        cookie: BigInt(from + index + 3),
        node,
        attributes: this.getattr(node),
      })),
      end: from + page.length >= children.length,
    };
  }

  read(): Result<never> {
    return "EISDIR";
  }
}

function keyNumber(key: Uint8Array): number {
  return key.length === 4
    ? (((key[0] ?? 0) << 24) | ((key[1] ?? 0) << 16) | ((key[2] ?? 0) << 8) | (key[3] ?? 0)) >>> 0
    : -1;
}

/** FNV-1a, 32 bits, over UTF-16 units: only has to spread the few paths of one server. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
