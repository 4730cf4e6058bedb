import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OddCaptureSink } from "@nfs4/netstack";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OddCaptures, openOddDirectory } from "./odd-captures.ts";
import { SettingsError } from "./settings-error.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "odd-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A ring whose captures are one byte that counts. */
class Ring {
  sink: OddCaptureSink | null = null;
  #count = 0;

  capture(): Uint8Array {
    return Uint8Array.of(++this.#count);
  }

  watch(sink: OddCaptureSink | null): void {
    this.sink = sink;
  }
}

describe("captures of odd packets, as files", () => {
  it("each has its time in its name, and is its owner's alone; two of one moment are two", async () => {
    const ring = new Ring();
    const captures = new OddCaptures(
      directory,
      ring,
      () => new Date(0),
      (error) => expect.unreachable(error.message),
    );
    ring.sink?.(Uint8Array.of(77));
    captures.writeNow();
    await captures.stop();
    expect(ring.sink).toBeNull();
    const [first, second] = ["odd-1970-01-01T000000.000Z.pcapng", "odd-1970-01-01T000000.000Z-2.pcapng"];
    expect(readdirSync(directory).sort()).toEqual([second, first].sort());
    expect([...readFileSync(join(directory, first!))]).toEqual([77]);
    expect([...readFileSync(join(directory, second!))]).toEqual([1]);
    expect(statSync(join(directory, first!)).mode & 0o777).toBe(0o600);
  });

  it("the hundred newest stay, and what is not ours", async () => {
    writeFileSync(join(directory, "notes"), "");
    let seconds = 0;
    const captures = new OddCaptures(
      directory,
      new Ring(),
      () => new Date(1000 * ++seconds),
      () => undefined,
    );
    for (let i = 0; i < 103; i++) captures.writeNow();
    await captures.stop();
    const names = readdirSync(directory).sort();
    expect(names).toHaveLength(101);
    expect(names[0]).toBe("notes");
    expect(names[1]).toContain("T000004.000Z");
  });

  it("a file that cannot be written is told of, and the next is tried", async () => {
    const failures: string[] = [];
    const inner = openOddDirectory(join(directory, "a", "b"));
    const captures = new OddCaptures(
      inner,
      new Ring(),
      () => new Date(0),
      (error) => failures.push(error.message),
    );
    rmSync(inner, { recursive: true });
    captures.writeNow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(failures).toHaveLength(1);
    openOddDirectory(inner);
    captures.writeNow();
    await captures.stop();
    expect(readdirSync(inner)).toHaveLength(1);
  });

  it("a place that is no directory is refused", () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    expect(() => openOddDirectory(file)).toThrow(SettingsError);
  });
});
