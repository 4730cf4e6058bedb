/**
 * Which clients hold state, on stable storage, so that after a restart they and only they may take it back (RFC 8881 §8.4.3). A line a change, appended and
 * synced before the reply that depends on it; rewritten when most of it is history. A torn last line is ignored.
 */
import type { Storage } from "../storage/storage.ts";
import type { Client } from "./client.ts";
import { reclaimKey } from "./grace-status.ts";

const FILE = "recovery.journal";
const COMPACT_ABOVE = 1000;

export class RecoveryJournal {
  readonly #storage: Storage;
  /** Known to hold state in this boot, and those of the last boot while grace runs. */
  readonly #known: Set<string>;
  readonly #fromLastBoot: ReadonlySet<string>;
  #lines: number;
  /** Changes go to storage one after the other. */
  #tail: Promise<void> = Promise.resolve();

  private constructor(storage: Storage, known: Set<string>, lines: number) {
    this.#storage = storage;
    this.#known = known;
    this.#fromLastBoot = new Set(known);
    this.#lines = lines;
  }

  static async open(storage: Storage): Promise<RecoveryJournal> {
    const bytes = await storage.read(FILE);
    const known = new Set<string>();
    let lines = 0;
    for (const line of bytes ? completeLines(bytes) : []) {
      const parsed = parseLine(line);
      if (!parsed) continue;
      lines++;
      if (parsed.kind === "+") known.add(parsed.owner);
      else known.delete(parsed.owner);
    }
    return new RecoveryJournal(storage, known, lines);
  }

  /** Who may reclaim after this start. */
  get reclaimers(): ReadonlySet<string> {
    return this.#fromLastBoot;
  }

  /** Resolves when the client is on record. */
  async remember(client: Client): Promise<void> {
    await this.#append("+", reclaimKey(client));
    client.journaled = true;
  }

  /** Resolves when the client is no longer on record: it must not reclaim after a restart what was given to others. */
  async forget(client: Client): Promise<void> {
    client.journaled = false;
    await this.#append("-", reclaimKey(client));
  }

  /** Grace has ended: who did not come back has lost its right to reclaim. `live`: those who did. */
  async graceEnded(live: Iterable<Client>): Promise<void> {
    const stay = new Set<string>();
    for (const client of live) if (client.journaled) stay.add(reclaimKey(client));
    this.#known.clear();
    for (const owner of stay) this.#known.add(owner);
    await this.#enqueue(() => this.#rewrite());
  }

  #append(kind: "+" | "-", owner: string): Promise<void> {
    if (kind === "+") this.#known.add(owner);
    else if (!this.#known.delete(owner)) return Promise.resolve();
    return this.#enqueue(async () => {
      await this.#storage.append(FILE, formatLine(kind, owner));
      if (++this.#lines > COMPACT_ABOVE + 2 * this.#known.size) await this.#rewrite();
    });
  }

  async #rewrite(): Promise<void> {
    const lines = [...this.#known].map((owner) => formatLine("+", owner));
    const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
    let at = 0;
    for (const line of lines) {
      bytes.set(line, at);
      at += line.length;
    }
    await this.#storage.replace(FILE, bytes);
    this.#lines = lines.length;
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => {});
    return done;
  }
}

/** kind, the owner's bytes in hexadecimal, a checksum, and the end of the line: a torn write cannot pass for another line. */
function formatLine(kind: "+" | "-", owner: string): Uint8Array {
  const hex = Array.from(owner, (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return new TextEncoder().encode(`${kind}${hex} ${checksum(kind + hex)}\n`);
}

function parseLine(line: string): { readonly kind: "+" | "-"; readonly owner: string } | null {
  const match = /^([+-])((?:[0-9a-f]{2})+) ([0-9a-f]{8})$/.exec(line);
  const [, kind, hex, sum] = match ?? [];
  if (!kind || !hex || checksum(kind + hex) !== sum) return null;
  const owner = hex.replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16)));
  return { kind: kind as "+" | "-", owner };
}

function completeLines(bytes: Uint8Array): string[] {
  return new TextDecoder("latin1").decode(bytes).split("\n").slice(0, -1);
}

function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
