/**
 * Where the inodes of an export were seen last: each by the directory that it is in and its name there. A log in a `Storage`: read when it is opened, appended to
 * in batches, written anew when half of it is out of date.
 */

import { decodeName, encodeName } from "@nfs4/protocol";
import type { Storage } from "../../storage/storage.ts";

export interface PathEntry {
  /** Id of the directory. */
  readonly parent: string;
  readonly name: string;
}

/** Bytes of an id. */
export const ID_BYTES = 16;
/** length (2), checksum (4), id, parent's id, name */
const HEADER = 6;
const FIXED = HEADER + 2 * ID_BYTES;

export interface PathTableOptions {
  /** Default: nothing is kept. */
  readonly storage?: Storage | undefined;
  /** Of the log in the storage. */
  readonly file: string;
  /** Beyond that, the oldest are forgotten. */
  readonly limit: number;
}

export class PathTable {
  readonly #storage: Storage | null;
  readonly #file: string;
  readonly #limit: number;
  readonly #entries: Map<string, PathEntry> = new Map();
  #pending: Uint8Array[] = [];
  #writing: Promise<void> | null = null;
  /** Records in the log. */
  #recorded = 0;
  #failure: unknown = null;

  private constructor({ storage, file, limit }: PathTableOptions) {
    this.#storage = storage ?? null;
    this.#file = file;
    this.#limit = limit;
  }

  static async open(options: PathTableOptions): Promise<PathTable> {
    const table = new PathTable(options);
    const log = await options.storage?.read(options.file);
    if (log) table.#load(log);
    return table;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Why the table could not be written last; null while all is well. */
  get failure(): unknown {
    return this.#failure;
  }

  get(id: string): PathEntry | undefined {
    return this.#entries.get(id);
  }

  /** Notes where an inode is. It stands in the log within a turn or two; `settled` waits for that. */
  set(id: string, parent: string, name: string): void {
    const known = this.#entries.get(id);
    if (known && known.parent === parent && known.name === name) return;
    // To the end of the order: the limit forgets what was noted longest ago.
    this.#entries.delete(id);
    this.#entries.set(id, { parent, name });
    if (this.#entries.size > this.#limit)
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    if (!this.#storage) return;
    this.#pending.push(encodeRecord(id, parent, name));
    this.#writing ??= this.#write(this.#storage);
  }

  /** Resolves when everything noted so far has been written, or failed to be. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #write(storage: Storage): Promise<void> {
    // What else is noted in this turn goes along.
    await Promise.resolve();
    try {
      while (this.#pending.length > 0) {
        const batch = this.#pending;
        this.#pending = [];
        this.#recorded += batch.length;
        // After a failure nobody knows where the log ends.
        const tooLong = this.#recorded > 1024 && this.#recorded > 2 * this.#entries.size;
        if (tooLong || this.#failure !== null) await this.#compact(storage);
        else await storage.append(this.#file, concatenate(batch));
        this.#failure = null;
      }
    } catch (error) {
      // Keys that are not on record turn stale at the next start, no sooner.
      this.#failure = error;
    } finally {
      this.#writing = null;
    }
  }

  async #compact(storage: Storage): Promise<void> {
    const records: Uint8Array[] = [];
    for (const [id, { parent, name }] of this.#entries) records.push(encodeRecord(id, parent, name));
    this.#recorded = records.length;
    await storage.replace(this.#file, concatenate(records));
  }

  /** Up to the first record that is torn or damaged. */
  #load(log: Uint8Array): void {
    const view = new DataView(log.buffer, log.byteOffset, log.length);
    for (let at = 0; at + FIXED <= log.length; ) {
      const length = view.getUint16(at);
      if (length < FIXED || at + length > log.length) break;
      if (view.getUint32(at + 2) !== checksum(log.subarray(at + HEADER, at + length))) break;
      const id = latin1(log.subarray(at + HEADER, at + HEADER + ID_BYTES));
      const parent = latin1(log.subarray(at + HEADER + ID_BYTES, at + FIXED));
      this.#entries.delete(id);
      this.#entries.set(id, { parent, name: decodeName(log.subarray(at + FIXED, at + length)) });
      this.#recorded++;
      at += length;
    }
  }
}

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

function encodeRecord(id: string, parent: string, name: string): Uint8Array {
  const nameBytes = encodeName(name);
  const record = new Uint8Array(FIXED + nameBytes.length);
  const view = new DataView(record.buffer);
  for (let i = 0; i < ID_BYTES; i++) {
    record[HEADER + i] = id.charCodeAt(i);
    record[HEADER + ID_BYTES + i] = parent.charCodeAt(i);
  }
  record.set(nameBytes, FIXED);
  view.setUint16(0, record.length);
  view.setUint32(2, checksum(record.subarray(HEADER)));
  return record;
}

/** FNV-1a: tells a torn record, no more. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
