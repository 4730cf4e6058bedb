/** The calls of `NodeStorage`, on a simulated disk: the root directory alone. */
import type { StorageCalls, StorageFile } from "../../src/storage/node-storage.ts";
import type { DiskNode } from "./disk-directory.ts";
import { type DiskFile, NO_ATTRIBUTES } from "./disk-file.ts";
import type { Machine } from "./machine.ts";
import { diskError } from "./simulated-disk.ts";

export class DiskCalls implements StorageCalls {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  open(path: string, flags: "a" | "w" | "r", _mode?: number): Promise<StorageFile> {
    const { disk } = this.#machine;
    return this.#machine.perform(() => {
      const name = nameOf(path);
      const found = name === "" ? disk.root : disk.root.names.get(name);
      if (flags === "r" && found) return this.#opened(found);
      if (flags === "r" || found?.kind === "directory") throw diskError(found ? "EISDIR" : "ENOENT");
      const file = found ?? disk.makeFile(NO_ATTRIBUTES);
      if (!found) disk.change({ add: { directory: disk.root, name, node: file } });
      else if (flags === "w") file.resize(0);
      return this.#opened(file);
    });
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#machine.perform(() => fileAt(this.#machine, path).content.slice());
  }

  rename(from: string, to: string): Promise<void> {
    const { disk } = this.#machine;
    return this.#machine.perform(() => {
      const node = fileAt(this.#machine, from);
      const directory = disk.root;
      disk.change({ remove: { directory, name: nameOf(from), node }, add: { directory, name: nameOf(to), node } });
    });
  }

  #opened(node: DiskNode): StorageFile {
    const machine = this.#machine;
    const append = (bytes: Uint8Array): Promise<void> => {
      const copy = bytes.slice();
      return machine.perform(() => {
        if (node.kind !== "file") throw diskError("EISDIR");
        node.write(node.content.length, copy);
      });
    };
    const sync = (): Promise<void> => machine.perform(() => machine.disk.sync(node));
    return { appendFile: append, writeFile: append, datasync: sync, sync, close: () => machine.perform(() => {}) };
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function fileAt({ disk }: Machine, path: string): DiskFile {
  const node = disk.root.names.get(nameOf(path));
  if (node?.kind !== "file") throw diskError("ENOENT");
  return node;
}
