/** In which order `NodeStorage` asks for what must last: on a disk, only what was synced and has a synced name is there after a crash. */
import { SeededRandom } from "@nfs4/timecounter";
import { beforeEach, describe, expect, it } from "vitest";
import { NodeStorage, type StorageCalls, type StorageFile } from "../src/storage/node-storage.ts";
import { DiskCalls } from "./disk/disk-calls.ts";
import { diskError, SimulatedDisk } from "./disk/simulated-disk.ts";
import { text, utf8 } from "./harness/bytes.ts";

/** Writes down what is asked of the disk. The first call of which the note ends in `failing` fails. */
class Recorder implements StorageCalls {
  readonly notes: string[] = [];
  failing = "";
  readonly #calls: StorageCalls;

  constructor(calls: StorageCalls) {
    this.#calls = calls;
  }

  take(): string[] {
    return this.notes.splice(0);
  }

  async open(path: string, flags: "a" | "w" | "r", mode?: number): Promise<StorageFile> {
    const octal = mode === undefined ? "" : ` ${mode.toString(8)}`;
    this.#note(`open ${path} ${flags}${octal}`);
    const file = await this.#calls.open(path, flags, mode);
    const noted =
      (what: string, call: (bytes: Uint8Array) => Promise<void>) =>
      (bytes: Uint8Array = new Uint8Array(0)): Promise<void> => {
        this.#note(`${what} ${path}`);
        return call(bytes);
      };
    return {
      appendFile: noted("append", (bytes) => file.appendFile(bytes)),
      writeFile: noted("write", (bytes) => file.writeFile(bytes)),
      datasync: noted("datasync", () => file.datasync()),
      sync: noted("sync", () => file.sync()),
      close: noted("close", () => file.close()),
    };
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#calls.readFile(path);
  }

  rename(from: string, to: string): Promise<void> {
    this.#note(`rename ${from} ${to}`);
    return this.#calls.rename(from, to);
  }

  #note(what: string): void {
    this.notes.push(what);
    if (what !== this.failing) return;
    this.failing = "";
    throw diskError("EIO");
  }
}

let disk: SimulatedDisk;
let calls: Recorder;
let storage: NodeStorage;
beforeEach(() => {
  disk = new SimulatedDisk({ random: new SeededRandom(1) });
  calls = new Recorder(new DiskCalls(disk.boot()));
  storage = new NodeStorage("/", calls);
});

const SYNC_DIRECTORY = ["open / r", "sync /", "close /"];

describe("NodeStorage", () => {
  it("syncs the directory before the first append to a file, and the file after each", async () => {
    await storage.append("log", utf8("one"));
    expect(calls.take()).toEqual(["open /log a 600", ...SYNC_DIRECTORY, "append /log", "datasync /log"]);
    await storage.append("log", utf8("two"));
    expect(calls.take()).toEqual(["append /log", "datasync /log"]);
  });

  it("syncs what replaces a file before it has the name, and the directory after", async () => {
    await storage.append("log", utf8("one"));
    calls.take();
    await storage.replace("log", utf8("other"));
    expect(calls.take()).toEqual([
      ...["open /log.new w 600", "write /log.new", "sync /log.new", "close /log.new"],
      ...["close /log", "rename /log.new /log"],
      ...SYNC_DIRECTORY,
    ]);
    await storage.append("log", utf8("+"));
    expect(calls.take()[0]).toBe("open /log a 600");
  });

  it("syncs the directory again after that has failed", async () => {
    calls.failing = "sync /";
    await expect(storage.append("log", utf8("one"))).rejects.toThrow("EIO");
    expect(calls.take()).toContain("close /log");
    await storage.append("log", utf8("one"));
    expect(calls.take()).toContain("sync /");
  });

  it.each(["open /log.new w 600", "write /log.new", "sync /log.new", "close /log", "rename /log.new /log", "sync /"])(
    "goes on after a failed replacement: %s",
    async (failing) => {
      await storage.append("log", utf8("one"));
      calls.failing = failing;
      await expect(storage.replace("log", utf8("other"))).rejects.toThrow("EIO");
      await storage.append("log", utf8("+"));
      await storage.replace("log", utf8("at last"));
      expect(text((await storage.read("log")) ?? utf8("nothing"))).toBe("at last");
    },
  );

  it("has the old content or the new, whatever operation of a replacement the power goes at", async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      for (let crashAt = 1; crashAt <= 8; crashAt++) {
        const one = new SimulatedDisk({ random: new SeededRandom(seed), sector: 4 });
        await new NodeStorage("/", new DiskCalls(one.boot())).replace("key", utf8("the old content"));
        one.cut();
        one.crashAt = one.operations + crashAt;
        const cut = new Promise<void>((resolve) => {
          one.onCrash = resolve;
        });
        const replaced = new NodeStorage("/", new DiskCalls(one.boot())).replace("key", utf8("and the new"));
        await Promise.race([replaced, cut]);
        one.cut();
        seen.add(text((await new NodeStorage("/", new DiskCalls(one.boot())).read("key")) ?? utf8("nothing")));
      }
    }
    expect([...seen].sort()).toEqual(["and the new", "the old content"]);
  });
});
