/**
 * Replies to 4.0 requests that must not run twice and that no owner's seqid protects: REMOVE, RENAME, CREATE, LINK, SETATTR (RFC 7530 §9.1.7,
 * RFC 5531 §8). A retry is known by client address, xid and a checksum of the call, also on another connection. Bounded in entries and bytes.
 */

export type DuplicateVerdict =
  | { readonly kind: "new" }
  /** The first one still runs: no answer, its own will come. */
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly reply: Uint8Array };

export class DuplicateRequestCache {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  /** Oldest first. null: still running. */
  readonly #entries: Map<string, Uint8Array | null> = new Map();
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
    return reply ? { kind: "done", reply } : { kind: "running" };
  }

  /** A request is about to do something that must not be done twice. Idempotent. */
  begin(key: string): void {
    if (!this.#entries.has(key)) this.#entries.set(key, null);
  }

  /** What it was answered; null: it came to nothing, and a retry may run. */
  finish(key: string, reply: Uint8Array | null): void {
    if (this.#entries.get(key) !== null) return;
    this.#entries.delete(key);
    if (!reply) return;
    this.#entries.set(key, reply);
    this.#bytes += reply.length;
    this.#trim();
  }

  #trim(): void {
    if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
    for (const [key, reply] of this.#entries) {
      if (!reply) continue;
      this.#entries.delete(key);
      this.#bytes -= reply.length;
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
    }
  }
}
