import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryStorage } from "./memory-storage.ts";
import { NodeStorage } from "./node-storage.ts";
import type { Storage } from "./storage.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (content: Uint8Array | null): string | null => content && Buffer.from(content).toString();

let directory: string;
let opened: NodeStorage[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nfs4-storage-"));
  opened = [];
});
afterEach(async () => {
  for (const storage of opened) await storage.close();
  rmSync(directory, { recursive: true });
});

function nodeStorage(path = directory): NodeStorage {
  const storage = new NodeStorage(path);
  opened.push(storage);
  return storage;
}

describe.each<[string, () => Storage]>([
  ["MemoryStorage", () => new MemoryStorage()],
  ["NodeStorage", () => nodeStorage()],
])("%s", (_, make) => {
  it("has nothing of a name at first", async () => {
    expect(await make().read("journal")).toBeNull();
  });

  it("appends, replaces and appends again", async () => {
    const storage = make();
    await storage.append("journal", bytes("one "));
    await storage.append("journal", bytes("two "));
    expect(text(await storage.read("journal"))).toBe("one two ");
    await storage.replace("journal", bytes("new "));
    expect(text(await storage.read("journal"))).toBe("new ");
    await storage.append("journal", bytes("end"));
    expect(text(await storage.read("journal"))).toBe("new end");
    await storage.replace("journal", new Uint8Array(0));
    expect(text(await storage.read("journal"))).toBe("");
  });

  it("keeps names apart, and what is done to one in order", async () => {
    const storage = make();
    await Promise.all([
      ...Array.from({ length: 50 }, (_, i) => storage.append("numbers", bytes(`${i},`))),
      storage.replace("other", bytes("x")),
    ]);
    expect(text(await storage.read("numbers"))).toBe(Array.from({ length: 50 }, (_, i) => `${i},`).join(""));
    expect(text(await storage.read("other"))).toBe("x");
  });

  it("gives content that is the reader's own", async () => {
    const storage = make();
    await storage.replace("a", bytes("abc"));
    (await storage.read("a"))?.fill(0);
    expect(text(await storage.read("a"))).toBe("abc");
  });
});

describe("NodeStorage", () => {
  it("is files that nobody else may read", async () => {
    const storage = nodeStorage();
    await storage.append("journal", bytes("a"));
    await storage.replace("key", bytes("b"));
    await storage.close();
    expect(readdirSync(directory).sort()).toEqual(["journal", "key"]);
    for (const name of ["journal", "key"]) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, "journal"), "utf8")).toBe("a");
    expect(text(await nodeStorage().read("key"))).toBe("b");
  });

  it("takes plain names only", async () => {
    const storage = nodeStorage();
    for (const name of ["", ".", "..", "../escape", "a/b", "a\0"]) {
      await expect(storage.read(name)).rejects.toThrow(RangeError);
      await expect(storage.append(name, bytes("x"))).rejects.toThrow(RangeError);
      await expect(storage.replace(name, bytes("x"))).rejects.toThrow(RangeError);
    }
  });

  it("rejects what fails, and goes on", async () => {
    const storage = nodeStorage(join(directory, "missing"));
    await expect(storage.append("a", bytes("x"))).rejects.toThrow("ENOENT");
    await expect(storage.replace("a", bytes("x"))).rejects.toThrow("ENOENT");
    expect(await storage.read("a")).toBeNull();
  });

  it("finishes what is under way when it is closed, and takes no more", async () => {
    const storage = nodeStorage();
    const appended = storage.append("journal", bytes("last"));
    await storage.close();
    await storage.close();
    await appended;
    expect(readFileSync(join(directory, "journal"), "utf8")).toBe("last");
    await expect(storage.append("journal", bytes("x"))).rejects.toThrow("is closed");
  });
});
