import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../storage/memory-storage.ts";
import { ID_BYTES, PathTable } from "./path-table.ts";

const id = (n: number): string => String.fromCharCode(n & 255, n >> 8).padEnd(ID_BYTES, "\xff");
const FILE = "paths-test";

const open = (storage: MemoryStorage | undefined, limit = 1_000_000): Promise<PathTable> =>
  PathTable.open({ storage, file: FILE, limit });

describe("PathTable", () => {
  it("finds what was noted, also after it was opened again", async () => {
    const storage = new MemoryStorage();
    const table = await open(storage);
    table.set(id(1), id(0), "one");
    table.set(id(2), id(1), "z\udcffwei");
    table.set(id(1), id(0), "renamed");
    await table.settled();
    const again = await open(storage);
    for (const its of [table, again]) {
      expect(its.get(id(1))).toEqual({ parent: id(0), name: "renamed" });
      expect(its.get(id(2))).toEqual({ parent: id(1), name: "z\udcffwei" });
      expect(its.get(id(3))).toBeUndefined();
      expect(its.size).toBe(2);
    }
  });

  it("reads up to a torn record, wherever it is torn", async () => {
    const storage = new MemoryStorage();
    const table = await open(storage);
    for (let i = 0; i < 3; i++) table.set(id(i), id(100), `name-${i}`);
    await table.settled();
    const whole = (await storage.read(FILE))!;
    const record = whole.length / 3;
    for (let length = 0; length <= whole.length; length++) {
      await storage.replace(FILE, whole.subarray(0, length));
      expect((await open(storage)).size).toBe(Math.floor(length / record));
    }
    for (let at = 0; at < record; at++) {
      const damaged = whole.slice();
      damaged[record + at]! ^= 0x40;
      await storage.replace(FILE, damaged);
      expect((await open(storage)).size).toBeLessThanOrEqual(2);
      expect((await open(storage)).get(id(0))).toEqual({ parent: id(100), name: "name-0" });
    }
  });

  it("forgets the oldest beyond its limit, and writes its log anew", async () => {
    const storage = new MemoryStorage();
    const table = await open(storage, 100);
    for (let i = 0; i < 5000; i++) {
      table.set(id(i), id(0), `name-${i}`);
      if (i % 10 === 0) await table.settled();
    }
    await table.settled();
    expect(table.size).toBe(100);
    expect(table.get(id(4899))).toBeUndefined();
    expect(table.get(id(4900))).toBeDefined();
    expect((await storage.read(FILE))!.length).toBeLessThan(100_000);
    const again = await open(storage, 100);
    expect(again.get(id(4999))).toEqual({ parent: id(0), name: "name-4999" });
  });

  it("goes on when it cannot be written, and says so", async () => {
    class FullStorage extends MemoryStorage {
      full = true;
      override append(name: string, bytes: Uint8Array): Promise<void> {
        return this.full ? Promise.reject(new Error("ENOSPC")) : super.append(name, bytes);
      }
    }
    const storage = new FullStorage();
    const table = await open(storage);
    table.set(id(1), id(0), "one");
    await table.settled();
    expect(table.failure).toMatchObject({ message: "ENOSPC" });
    expect(table.get(id(1))).toBeDefined();
    storage.full = false;
    table.set(id(2), id(0), "two");
    await table.settled();
    expect(table.failure).toBeNull();
    const again = await open(storage);
    expect(again.get(id(1))).toEqual({ parent: id(0), name: "one" });
    expect(again.get(id(2))).toEqual({ parent: id(0), name: "two" });
  });

  it("needs no storage", async () => {
    const table = await open(undefined);
    table.set(id(1), id(0), "one");
    await table.settled();
    expect(table.get(id(1))).toEqual({ parent: id(0), name: "one" });
  });
});
