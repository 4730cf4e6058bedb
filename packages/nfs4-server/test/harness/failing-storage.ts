/** A storage in memory that can be told to fail. */
import { MemoryStorage } from "../../src/storage/memory-storage.ts";

export class FailingStorage extends MemoryStorage {
  failing = false;

  override async append(name: string, bytes: Uint8Array): Promise<void> {
    this.#check();
    await super.append(name, bytes);
  }

  override async replace(name: string, bytes: Uint8Array): Promise<void> {
    this.#check();
    await super.replace(name, bytes);
  }

  #check(): void {
    if (this.failing) throw Object.assign(new Error("the disk"), { code: "EIO" });
  }
}
