/** A storage that lasts as long as its object: for tests, and for servers that serve memory. */
import type { Storage } from "./storage.ts";

export class MemoryStorage implements Storage {
  readonly #contents: Map<string, Uint8Array> = new Map();

  async read(name: string): Promise<Uint8Array | null> {
    return this.#contents.get(name)?.slice() ?? null;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    const before = this.#contents.get(name) ?? new Uint8Array(0);
    const after = new Uint8Array(before.length + bytes.length);
    after.set(before);
    after.set(bytes, before.length);
    this.#contents.set(name, after);
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    this.#contents.set(name, bytes.slice());
  }
}
