import { Prefix } from "../../address.ts";
import type { FlowKey } from "../flow.ts";
import type { SignatureKey } from "./signature-key.ts";

/** For whom a key is. */
export interface SignaturePeer {
  /** The peer's address, or a prefix: "10.0.0.2", "fd00::/64". */
  readonly peer: string;
  /** The peer's port; default: any. */
  readonly port?: number;
  /** Our port; default: any. */
  readonly localPort?: number;
}

/** One key with those for whom it is. */
export interface SignatureKeyEntry extends SignaturePeer {
  readonly key: SignatureKey;
}

/** Ports 0: any. */
interface Scope {
  readonly prefix: Prefix;
  readonly port: number;
  readonly localPort: number;
}

interface Row extends Scope {
  readonly key: SignatureKey;
}

/** Which key is for whom. The longest prefix decides, then a port of the peer, then one of ours. */
export class SignatureKeys {
  /** In the order in which they are looked at: the most specific first. */
  #rows: readonly Row[] = [];
  /** Called after each change: for TCP itself. */
  onChange: (() => void) | null = null;

  /** Throws a RangeError for what is no address, prefix or port. */
  constructor(entries: Iterable<SignatureKeyEntry> = []) {
    for (const entry of entries) this.set(entry, entry.key);
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /**
   * From now on `key` is for them, in place of one that was for exactly the same; connections that are open keep theirs. Throws a RangeError for
   * what is no address, prefix or port.
   */
  set(peer: SignaturePeer, key: SignatureKey): void {
    const scope = scopeOf(peer);
    const rows = [...this.#rows.filter((other) => !isSame(other, scope)), { ...scope, key }];
    this.#rows = rows.sort((a, b) => rank(b) - rank(a));
    this.onChange?.();
  }

  /** Takes away the key that is for exactly those. Returns whether there was one. */
  delete(peer: SignaturePeer): boolean {
    const scope = scopeOf(peer);
    const rest = this.#rows.filter((other) => !isSame(other, scope));
    if (rest.length === this.#rows.length) return false;
    this.#rows = rest;
    this.onChange?.();
    return true;
  }

  /** The key for a connection between those ends; null: none. */
  find(ends: FlowKey): SignatureKey | null {
    for (const row of this.#rows) {
      if (row.port !== 0 && row.port !== ends.remotePort) continue;
      if (row.localPort !== 0 && row.localPort !== ends.localPort) continue;
      if (row.prefix.containsWords(ends.r0, ends.r1, ends.r2, ends.r3)) return row.key;
    }
    return null;
  }

  *[Symbol.iterator](): Generator<SignatureKeyEntry, void, undefined> {
    for (const { prefix, port, localPort, key } of this.#rows) {
      yield {
        peer: prefix.toString(),
        ...(port === 0 ? {} : { port }),
        ...(localPort === 0 ? {} : { localPort }),
        key,
      };
    }
  }
}

function scopeOf(peer: SignaturePeer): Scope {
  const { port = 0, localPort = 0 } = peer;
  for (const each of [port, localPort]) {
    if (!Number.isInteger(each) || each < 0 || each > 65_535) throw new RangeError(`not a port: ${each}`);
  }
  return { prefix: Prefix.parse(peer.peer).network, port, localPort };
}

function isSame(a: Scope, b: Scope): boolean {
  return a.port === b.port && a.localPort === b.localPort && a.prefix.equals(b.prefix);
}

function rank(scope: Scope): number {
  return 4 * scope.prefix.bits + (scope.port === 0 ? 0 : 2) + (scope.localPort === 0 ? 0 : 1);
}
