/** What led to odd packets, in files. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OddCaptureSink } from "@nfs4/netstack";
import { messageOf, SettingsError } from "./settings-error.ts";

/** Files kept; the oldest go first. */
const KEPT = 100;
const NAME = /^odd-.*\.pcapng$/;

/** The stack's ring of odd packets, as far as it matters here. */
export interface OddPacketSource {
  capture(): Uint8Array;
  watch(sink: OddCaptureSink | null): void;
}

/** Where captures go, made if need be. Throws a `SettingsError` if it cannot be written to. */
export function openOddDirectory(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
    return directory;
  } catch (error) {
    throw new SettingsError("odd", `cannot write captures there: ${messageOf(error)}`);
  }
}

/** Writes a capture whenever the ring thinks one worth while, and when asked. */
export class OddCaptures {
  readonly #directory: string;
  readonly #source: OddPacketSource;
  readonly #now: () => Date;
  readonly #failed: (error: Error) => void;
  /** The writing of the last file. */
  #last: Promise<void> = Promise.resolve();

  /** `failed` is told of files that could not be written; the next one is tried all the same. */
  constructor(directory: string, source: OddPacketSource, now: () => Date, failed: (error: Error) => void) {
    this.#directory = directory;
    this.#source = source;
    this.#now = now;
    this.#failed = failed;
    source.watch((capture) => this.#write(capture));
  }

  /** What the ring holds, now. */
  writeNow(): void {
    this.#write(this.#source.capture());
  }

  /** Resolves when the last file is complete. */
  async stop(): Promise<void> {
    this.#source.watch(null);
    await this.#last;
  }

  /** One after another, so that two never have one name. */
  #write(capture: Uint8Array): void {
    const time = this.#now().toISOString().replaceAll(":", "");
    this.#last = this.#last
      .then(async () => {
        // What it holds is of clients' conversations: its owner's alone.
        await writeFile(await this.#freePath(time), capture, { mode: 0o600, flag: "wx" });
        await this.#removeOldest();
      })
      .catch((error: Error) => this.#failed(error));
  }

  async #freePath(time: string): Promise<string> {
    const names = new Set(await readdir(this.#directory));
    let name = `odd-${time}.pcapng`;
    for (let i = 2; names.has(name); i++) name = `odd-${time}-${i}.pcapng`;
    return join(this.#directory, name);
  }

  async #removeOldest(): Promise<void> {
    const names = (await readdir(this.#directory)).filter((name) => NAME.test(name)).sort();
    for (const name of names.slice(0, -KEPT)) await rm(join(this.#directory, name), { force: true });
  }
}
