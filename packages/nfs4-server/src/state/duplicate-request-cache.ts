/**
 * Replies to 4.0 requests that must not run twice and that no owner's seqid protects: REMOVE, RENAME, CREATE, LINK, SETATTR (RFC 7530 §9.1.7,
 * RFC 5531 §8). A retry is known by client address, xid and a checksum of the call, also on another connection. Bounded in entries and bytes.
 */

export type DuplicateVerdict =
  | { readonly kind: "new" }
  /** The first one still runs. Its own answer may go nowhere, for a retry comes when the connection was lost; so the retry gets it, too (RFC 7530 §3.1.1). */
  | { readonly kind: "running"; readonly reply: Promise<Uint8Array> }
  | { readonly kind: "done"; readonly reply: Uint8Array };

/** One that has not been answered yet, and the retries that wait for it. */
interface Running {
  readonly waiting: ((reply: Uint8Array) => void)[];
}

export class DuplicateRequestCache {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  /** Oldest first. */
  readonly #entries: Map<string, Uint8Array | Running> = new Map();
  #bytes = 0;

  constructor(maxEntries = 4096, maxBytes: number = 8 * 2 ** 20) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  static key(address: string, xid: number, fingerprint: number): string {
    return `${address}/${xid}/${fingerprint}`;
  }

  judge(key: string): DuplicateVerdict {
    const reply = this.#entries.get(key);
    if (reply === undefined) return { kind: "new" };
    if (reply instanceof Uint8Array) return { kind: "done", reply };
    return { kind: "running", reply: new Promise((resolve) => reply.waiting.push(resolve)) };
  }

  /** A request is about to do something that must not be done twice. Idempotent. */
  begin(key: string): void {
    if (!this.#entries.has(key)) this.#entries.set(key, { waiting: [] });
  }

  /** What it was answered. */
  finish(key: string, reply: Uint8Array): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry instanceof Uint8Array) return;
    this.#entries.delete(key);
    for (const resume of entry.waiting) resume(reply);
    this.#entries.set(key, reply);
    this.#bytes += reply.length;
    this.#trim();
  }

  #trim(): void {
    if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
    for (const [key, reply] of this.#entries) {
      if (!(reply instanceof Uint8Array)) continue;
      this.#entries.delete(key);
      this.#bytes -= reply.length;
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
    }
  }
}
