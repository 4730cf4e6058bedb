/** A directory of the simulated disk. Its changes belong to the disk, for a rename may touch two. */
import type { DiskAttributes, DiskFile } from "./disk-file.ts";

export type DiskNode = DiskFile | DiskDirectory;

export class DiskDirectory {
  readonly kind = "directory";
  readonly id: number;
  /** What its machine sees. */
  names: Map<string, DiskNode> = new Map();
  /** What the platter has. */
  platter: Map<string, DiskNode> = new Map();
  /** Mode, owner, times and change: they last with the names, so nothing is lost of them here. */
  attributes: DiskAttributes;

  constructor(id: number, attributes: DiskAttributes) {
    this.id = id;
    this.attributes = attributes;
  }
}

export interface Entry {
  readonly directory: DiskDirectory;
  readonly name: string;
  readonly node: DiskNode;
}

/** One atomic change of names: a creation adds, a removal takes away, a rename does both. */
export interface NameChange {
  readonly remove?: Entry;
  readonly add?: Entry;
}

export function touches({ remove, add }: NameChange, directory: DiskDirectory): boolean {
  return remove?.directory === directory || add?.directory === directory;
}

/** Does it to what the machine sees, or to the platter. */
export function apply({ remove, add }: NameChange, view: "names" | "platter"): void {
  const at = remove?.directory[view];
  if (remove && at?.get(remove.name) === remove.node) at.delete(remove.name);
  add?.directory[view].set(add.name, add.node);
}

/** Every node that the machine or the platter has at or below a directory, each once. */
export function nodesBelow(directory: DiskDirectory, found: Set<DiskNode> = new Set()): Set<DiskNode> {
  found.add(directory);
  for (const node of [...directory.names.values(), ...directory.platter.values()]) {
    if (found.has(node)) continue;
    found.add(node);
    if (node instanceof DiskDirectory) nodesBelow(node, found);
  }
  return found;
}
