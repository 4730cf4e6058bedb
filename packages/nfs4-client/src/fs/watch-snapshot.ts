import {
  type Bitmap,
  bitmapOf,
  FATTR4_CHANGE,
  FATTR4_FILEID,
  FATTR4_TYPE,
  type Fattr4Values,
  NF4DIR,
} from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import type { ParsedPath } from "./path.ts";
import { attributesOf } from "./resolver.ts";
import { childOf, type Tree } from "./tree.ts";

const WATCHED: Bitmap = bitmapOf(FATTR4_TYPE, FATTR4_CHANGE, FATTR4_FILEID);
const GONE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR"]);

/** What was where at one time: by name, in directories below with the names of those between. */
export type Snapshot = ReadonlyMap<string, Fattr4Values>;

export interface WatchEvent {
  /** "rename": something is there now that was not, or was and is not; "change": other data or attributes. */
  readonly eventType: "rename" | "change";
  readonly filename: string;
}

/** What is watched, of which there are snapshots. */
export class WatchedPath {
  readonly #tree: Tree;
  readonly #path: ParsedPath;
  readonly #recursive: boolean;
  readonly #context: RunOptions;
  readonly #isDirectory: boolean;

  private constructor(tree: Tree, path: ParsedPath, recursive: boolean, context: RunOptions, isDirectory: boolean) {
    this.#tree = tree;
    this.#path = path;
    this.#recursive = recursive;
    this.#context = context;
    this.#isDirectory = isDirectory;
  }

  /** Rejects if there is nothing at the path. */
  static async find(tree: Tree, path: ParsedPath, recursive: boolean, context: RunOptions): Promise<WatchedPath> {
    const { type } = await attributesAt(tree, path, context);
    return new WatchedPath(tree, path, recursive, context, type === NF4DIR);
  }

  /** Of a file one GETATTR, of each directory its READDIRs, which tell the change attributes of what is in it. Empty if it is gone. */
  async snapshot(): Promise<Snapshot> {
    const found = new Map<string, Fattr4Values>();
    if (this.#isDirectory) await this.#list(this.#path, "", found);
    else
      await unlessGone(async () => {
        found.set(this.#path.names.at(-1) ?? "", await attributesAt(this.#tree, this.#path, this.#context));
      });
    return found;
  }

  async #list(directory: ParsedPath, prefix: string, found: Map<string, Fattr4Values>): Promise<void> {
    const inner: string[] = [];
    await unlessGone(async () => {
      for await (const entries of this.#tree.entries(directory, this.#context, WATCHED)) {
        for (const { name, attributes } of entries) {
          found.set(prefix + name, attributes);
          if (this.#recursive && attributes.type === NF4DIR) inner.push(name);
        }
      }
    });
    for (const name of inner) await this.#list(childOf(directory, name), `${prefix}${name}/`, found);
  }
}

/** What has happened between two snapshots, as far as they tell. That a directory has other entries is said of these alone. */
export function* differences(before: Snapshot, after: Snapshot): Generator<WatchEvent, void, undefined> {
  for (const filename of before.keys()) if (!after.has(filename)) yield { eventType: "rename", filename };
  for (const [filename, now] of after) {
    const then = before.get(filename);
    if (then === undefined || then.fileid !== now.fileid) yield { eventType: "rename", filename };
    else if (then.change !== now.change && now.type !== NF4DIR) yield { eventType: "change", filename };
  }
}

async function attributesAt(tree: Tree, path: ParsedPath, context: RunOptions): Promise<Fattr4Values> {
  return attributesOf(
    await tree.resolver.at(path, { ...context, follow: true }, (compound) => compound.getAttributes(WATCHED)),
  );
}

async function unlessGone(look: () => Promise<void>): Promise<void> {
  await look().catch((error: NodeJS.ErrnoException) => {
    if (!GONE.has(error.code)) throw error;
  });
}
