/**
 * Which clients hold state, on stable storage, so that after a restart they and only they may take it back (RFC 8881 §8.4.3). A line a change, appended and
 * synced; rewritten when most of it is history, and when a write has failed or was torn. Whoever grants state waits for `remember` before the reply, so
 * that it never depends on a change that a crash could undo, be that somebody's right to reclaim or the loss of it.
 */
import type { Awaitable } from "../filesystem/types.ts";
import type { Storage } from "../storage/storage.ts";
import type { Client } from "./client.ts";
import { reclaimKey } from "./grace-status.ts";

const FILE = "recovery.journal";
const COMPACT_ABOVE = 1000;

export interface RecoveryJournalOptions {
  /** It is rewritten when it has so many lines more than twice the clients on record. Default 1000. */
  readonly compactAbove?: number;
}

export class RecoveryJournal {
  /** Lines that could be read no more, but for one that a crash has torn. Whoever was known before them may not reclaim. */
  readonly damagedLines: number;
  readonly #storage: Storage;
  readonly #compactAbove: number;
  /** Known to hold state in this boot, and those of the last boot while grace runs. */
  readonly #known: Set<string>;
  readonly #fromLastBoot: ReadonlySet<string>;
  #lines: number;
  /** The file may not say what `#known` says, or may end in half a line: nothing can be appended, it must be written anew. */
  #stale: boolean;
  /** Changes go to storage one after the other. */
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;
  /** What everybody waits for who waits for the changes so far. */
  #settling: Promise<void> | null = null;

  private constructor(storage: Storage, options: RecoveryJournalOptions, content: Content) {
    this.#storage = storage;
    this.#compactAbove = options.compactAbove ?? COMPACT_ABOVE;
    this.#known = content.known;
    this.#fromLastBoot = new Set(content.known);
    this.#lines = content.lines;
    this.#stale = content.unreadable > 0;
    this.damagedLines = content.unreadable - (content.torn ? 1 : 0);
  }

  static async open(storage: Storage, options: RecoveryJournalOptions = {}): Promise<RecoveryJournal> {
    return new RecoveryJournal(storage, options, readContent((await storage.read(FILE)) ?? new Uint8Array(0)));
  }

  /** Who may reclaim after this start. */
  get reclaimers(): ReadonlySet<string> {
    return this.#fromLastBoot;
  }

  /**
   * Puts the client on record. Done (at once, or when the promise resolves) when that and every earlier change is on stable storage: only then may it be
   * told that it was granted anything. Rejects if storage fails; the next call tries again.
   */
  remember(client: Client): Awaitable<void> {
    if (!client.journaled) {
      client.journaled = true;
      this.#change("+", reclaimKey(client));
    }
    return this.settle();
  }

  /** The client has lost its state: it must not reclaim it after a restart. Others who get it wait by `remember`. */
  forget(client: Client): void {
    if (!client.journaled) return;
    client.journaled = false;
    this.#change("-", reclaimKey(client));
  }

  /**
   * Grace has ended: who did not come back has lost its right to reclaim. `live`: those who did. A 4.1 client that was not done loses it too, for what it
   * had not yet taken back others may take now (RFC 8881 §8.4.3, the second edge condition); RECLAIM_COMPLETE puts it back on record.
   */
  graceEnded(live: Iterable<Client>): void {
    this.#known.clear();
    for (const client of live) {
      if (client.identity.generation === "4.1" && !client.reclaimComplete) client.journaled = false;
      if (client.journaled) this.#known.add(reclaimKey(client));
    }
    if (this.#lines === this.#known.size && !this.#stale && this.#pending === 0) return;
    this.#settling = null;
    this.#enqueue(() => this.#rewrite()).catch(() => {});
  }

  /** Done when storage says what was decided so far. */
  settle(): Awaitable<void> {
    if (this.#pending === 0 && !this.#stale) return undefined;
    // One for all: if each waited for a turn of its own, two who look again after it would each find the other's, for ever.
    if (this.#settling) return this.#settling;
    const settling = this.#enqueue(() => this.#rewriteIfStale()).finally(() => {
      if (this.#settling === settling) this.#settling = null;
    });
    this.#settling = settling;
    return settling;
  }

  #change(kind: "+" | "-", owner: string): void {
    if (kind === "+") this.#known.add(owner);
    else this.#known.delete(owner);
    this.#settling = null;
    // A failure is seen by whoever waits by `settle`, for the journal stays stale.
    this.#enqueue(() => this.#append(kind, owner)).catch(() => {});
  }

  async #append(kind: "+" | "-", owner: string): Promise<void> {
    if (this.#stale || this.#lines >= this.#compactAbove + 2 * this.#known.size) return this.#rewrite();
    this.#lines++;
    this.#stale = true;
    await this.#storage.append(FILE, formatLine(kind, owner));
    this.#stale = false;
  }

  async #rewriteIfStale(): Promise<void> {
    if (this.#stale) await this.#rewrite();
  }

  async #rewrite(): Promise<void> {
    const lines = [...this.#known].map((owner) => formatLine("+", owner));
    const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
    let at = 0;
    for (const line of lines) {
      bytes.set(line, at);
      at += line.length;
    }
    this.#stale = true;
    await this.#storage.replace(FILE, bytes);
    this.#stale = false;
    this.#lines = lines.length;
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#pending++;
    const done = this.#tail
      .then(task)
      .catch(unwritable)
      .finally(() => {
        this.#pending--;
      });
    this.#tail = done.catch(() => {});
    return done;
  }
}

/** Not an error of the disk that files are on: no status but SERVERFAULT says this to LOCK and RECLAIM_COMPLETE (RFC 8881 §15.2), and people learn why. */
function unwritable(cause: unknown): never {
  throw new Error("the recovery journal cannot be written", { cause });
}

interface Content {
  readonly known: Set<string>;
  readonly lines: number;
  readonly unreadable: number;
  /** The last line is none: a crash came while it was written, and no reply depended on it. */
  readonly torn: boolean;
}

function readContent(bytes: Uint8Array): Content {
  const known = new Set<string>();
  const lines = linesOf(bytes);
  let unreadable = 0;
  let torn = false;
  for (const [index, line] of lines.entries()) {
    const parsed = parseLine(line);
    if (parsed?.kind === "+") known.add(parsed.owner);
    else if (parsed) known.delete(parsed.owner);
    else {
      unreadable++;
      torn = index === lines.length - 1;
      // It may have taken any of them away: RFC 8881 §8.4.3 wants NO_GRACE for all whom damage may have affected.
      if (!torn) known.clear();
    }
  }
  return { known, lines: lines.length, unreadable, torn };
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

/** Its lines; what stands behind the last end of a line was torn, and is one that cannot be parsed. */
function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder("latin1").decode(bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines.push(`${lines.pop()} torn`);
  return lines;
}

function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
