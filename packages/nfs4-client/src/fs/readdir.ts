import { encodeName, type Fattr4Values, NF4DIR, NF4LNK } from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import type { FileOptions } from "./data.ts";
import { Dirent } from "./dirent.ts";
import type { ParsedPath } from "./path.ts";
import { Stats } from "./stats.ts";
import { childOf, type Tree } from "./tree.ts";

export interface ListedEntry {
  /** With the names of the directories between, where they were walked. */
  readonly name: string;
  readonly parent: string;
  /** As in RFC 8881 §5.8.1.2. */
  readonly type: number | undefined;
}

/** What is in a directory, and with `recursive` in those below, by name. As Node, links to directories are followed then, unless types were asked for. */
export async function listDirectory(
  tree: Tree,
  path: ParsedPath,
  options: { readonly recursive: boolean; readonly withFileTypes: boolean },
  context: RunOptions,
): Promise<ListedEntry[]> {
  const found: ListedEntry[] = [];
  const isWalked = async (inner: ParsedPath, { type }: Fattr4Values): Promise<boolean> => {
    if (type !== NF4LNK || options.withFileTypes) return type === NF4DIR;
    const values = await tree.attributes(inner, { ...context, follow: true }).catch(() => null);
    return values !== null && new Stats(values).isDirectory();
  };
  const walk = async (directory: ParsedPath, prefix: string): Promise<void> => {
    const inner: string[] = [];
    for await (const entries of tree.entries(directory, { ...context, path: directory.text })) {
      for (const { name, attributes } of entries) {
        found.push({ name: prefix + name, parent: directory.text, type: attributes.type });
        if (options.recursive && (await isWalked(childOf(directory, name), attributes))) inner.push(name);
      }
    }
    for (const name of inner) await walk(childOf(directory, name), `${prefix}${name}/`);
  };
  await walk(path, "");
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

export function direntOf({ name, parent, type }: ListedEntry, encoding: NameEncoding): Dirent {
  return new Dirent(asName(name.slice(name.lastIndexOf("/") + 1), encoding) as string, parent, type);
}

export type NameEncoding =
  | FileOptions
  | "buffer"
  | { readonly encoding?: BufferEncoding | "buffer" | null | undefined };

/** A name as it was asked for: text, or with "buffer" its bytes. */
export function asName(name: string, options: NameEncoding): string | Buffer {
  const encoding = typeof options === "object" && options !== null ? options.encoding : options;
  if (encoding === "buffer") return Buffer.from(encodeName(name));
  if (encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8") return name;
  return Buffer.from(encodeName(name)).toString(encoding);
}
