/** The recovery journal on a disk that loses what was not synced (RFC 8881 §8.4.2.1, §8.4.3). */
import { describe, expect, it } from "vitest";
import { RecoveryJournal } from "../src/state/recovery-journal.ts";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import type { StorageCalls, StorageFile } from "../src/storage/node-storage.ts";
import type { Storage } from "../src/storage/storage.ts";
import { clientOnRecord } from "./disk/client-on-record.ts";
import { DiskCalls } from "./disk/disk-calls.ts";
import { JournalLife } from "./disk/journal-life.ts";
import type { Machine } from "./disk/machine.ts";
import { text, utf8 } from "./harness/bytes.ts";

const LIVES = 8;

/** Each life once to the end, then once for every operation of the disk that its power can go at. */
async function everyCrash(lives: number, calls?: (machine: Machine) => StorageCalls) {
  const seen = { runs: 0, failures: 0 };
  for (let seed = 1; seed <= lives; seed++) {
    const options = { seed, ...(calls ? { calls } : {}) };
    const whole = new JournalLife(options);
    await whole.run();
    for (let crashAt = 1; crashAt <= whole.disk.operations; crashAt++) {
      const life = new JournalLife({ ...options, crashAt });
      try {
        await life.run();
      } catch (error) {
        throw new Error(`life ${seed}, crash at operation ${crashAt}: ${(error as Error).message}`);
      }
      seen.runs++;
      seen.failures += life.failures;
    }
  }
  return seen;
}

describe("the recovery journal, with a crash at every operation of the disk", () => {
  it("knows every client that was answered, and nobody who had lost its state before somebody was answered", async () => {
    const seen = await everyCrash(LIVES);
    expect(seen.runs).toBeGreaterThan(500);
    expect(seen.failures, "calls that failed with the disk").toBeGreaterThan(50);
  });

  it.each<[string, (file: StorageFile) => StorageFile]>([
    ["appends without a sync", (file) => ({ ...file, datasync: () => Promise.resolve() })],
    ["replaces without a sync", (file) => ({ ...file, sync: () => Promise.resolve() })],
  ])("is found out if its storage %s", async (_, spoiled) => {
    const calls = (machine: Machine): StorageCalls => {
      const disk = new DiskCalls(machine);
      return {
        open: async (path, flags, mode) => spoiled(await disk.open(path, flags, mode)),
        readFile: (path) => disk.readFile(path),
        rename: (from, to) => disk.rename(from, to),
      };
    };
    await expect(everyCrash(LIVES, calls)).rejects.toThrow(/may reclaim|looks like damage/);
  });
});

it("lets all go on who wait for it and look again, as OPENs do", async () => {
  const journal = await RecoveryJournal.open(new MemoryStorage());
  const client = clientOnRecord("4.0:one");
  let looks = 0;
  const open = async (): Promise<void> => {
    for (let wait = journal.remember(client); wait; wait = journal.remember(client)) {
      if (++looks > 100) throw new Error("each waits for the other");
      await wait;
    }
  };
  await Promise.all([open(), open(), open()]);
  expect(looks).toBe(3);
});

it("a change that is being written when grace ends does not keep on record who has lost its right (RFC 8881 §8.4.2.1)", async () => {
  const storage = new MemoryStorage();
  for (const key of ["4.0:back", "4.0:absent"])
    await (await RecoveryJournal.open(storage)).remember(clientOnRecord(key));
  const journal = await RecoveryJournal.open(storage);
  const back = clientOnRecord("4.0:back");
  const recorded = journal.remember(back);
  // The append has begun.
  await Promise.resolve();
  journal.graceEnded([back]);
  await recorded;
  await journal.settle();
  expect([...(await RecoveryJournal.open(storage)).reclaimers]).toEqual(["4.0:back"]);
});

describe("a journal that was damaged", () => {
  const FILE = "recovery.journal";

  async function remember(storage: Storage, key: string): Promise<void> {
    await (await RecoveryJournal.open(storage)).remember(clientOnRecord(key));
  }

  async function written(): Promise<{ readonly storage: MemoryStorage; readonly lines: string[] }> {
    const storage = new MemoryStorage();
    for (const key of ["4.0:a", "4.1:b", "4.1:c"]) await remember(storage, key);
    return {
      storage,
      lines: text((await storage.read(FILE)) ?? utf8(""))
        .trimEnd()
        .split("\n"),
    };
  }

  it("tolerates a torn last line: no reply depended on it", async () => {
    const { storage, lines } = await written();
    const whole = `${lines.join("\n")}\n`;
    for (let length = whole.lastIndexOf("\n", whole.length - 2) + 1; length < whole.length; length++) {
      await storage.replace(FILE, utf8(whole.slice(0, length)));
      const journal = await RecoveryJournal.open(storage);
      expect([...journal.reclaimers]).toEqual(["4.0:a", "4.1:b"]);
      expect(journal.damagedLines).toBe(0);
    }
  });

  it("says so, and lets nobody reclaim whom a lost line may have taken away (RFC 8881 §8.4.3)", async () => {
    const { storage, lines } = await written();
    for (const [index, known] of [["4.1:b", "4.1:c"], ["4.1:c"]].entries()) {
      const line = lines[index] as string;
      for (let at = 0; at < line.length; at++) {
        const spoiled = lines.with(index, `${line.slice(0, at)}~${line.slice(at + 1)}`);
        await storage.replace(FILE, utf8(`${spoiled.join("\n")}\n`));
        const journal = await RecoveryJournal.open(storage);
        expect([...journal.reclaimers]).toEqual(known);
        expect(journal.damagedLines).toBe(1);
      }
    }
  });

  it("is written anew before anything depends on it", async () => {
    const { storage, lines } = await written();
    await storage.replace(FILE, utf8(`${lines.with(1, "?").join("\n")}\n`));
    await remember(storage, "4.0:d");
    const journal = await RecoveryJournal.open(storage);
    expect([...journal.reclaimers]).toEqual(["4.1:c", "4.0:d"]);
    expect(journal.damagedLines).toBe(0);
  });
});
