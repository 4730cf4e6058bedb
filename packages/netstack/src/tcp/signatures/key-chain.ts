import { OPTION_AO, SYN } from "../constants.ts";
import { endsOfSegment } from "../ends.ts";
import type { FlowKey } from "../flow.ts";
import type { TcpSegment } from "../segment.ts";
import { AoSigner } from "./ao-signer.ts";
import type { MasterKey } from "./master-key.ts";
import type { SignatureKey } from "./signature-key.ts";
import type { SignedMessage } from "./signed-message.ts";
import { SIGNATURE_BAD, SIGNATURE_KEY_UNKNOWN, type SignatureVerdict, type Signer } from "./signer.ts";

/**
 * The keys with which two ends authenticate each other by TCP-AO (RFC 5925). Several hold at once, so that one can give way to another while
 * connections run: add the new one at both ends, have one end ask for it (`connection.selectKeys({ rnext })`), and remove the old one when nobody uses it.
 */
export class KeyChain implements SignatureKey {
  readonly kind = "tcp-ao";
  readonly optionKind: number = OPTION_AO;
  #keys: readonly MasterKey[];
  /** Goes up with each change. */
  generation = 0;

  /** The first key is the preferred one. Throws a RangeError if ids are not unique. */
  constructor(keys: Iterable<MasterKey>) {
    this.#keys = [];
    for (const key of keys) this.add(key);
  }

  /** The key that new connections of ours begin with: the oldest, or whichever `prefer` named. */
  get preferred(): MasterKey | null {
    return this.#keys[0] ?? null;
  }

  /** Throws a RangeError if another key has one of its ids (RFC 5925 §3.1). */
  add(key: MasterKey): void {
    const taken = this.#keys.find(({ sendId, recvId }) => sendId === key.sendId || recvId === key.recvId);
    if (taken !== undefined) {
      throw new RangeError(`a key with send id ${taken.sendId} and receive id ${taken.recvId} is there already`);
    }
    this.#keys = [...this.#keys, key];
    this.generation++;
  }

  /** Segments that it signs are refused from now on, and connections that signed with it take the preferred one. Returns whether it was there. */
  remove(key: MasterKey): boolean {
    const rest = this.#keys.filter((other) => other !== key);
    if (rest.length === this.#keys.length) return false;
    this.#keys = rest;
    this.generation++;
    return true;
  }

  /** Throws a RangeError if it is not there. */
  prefer(key: MasterKey): void {
    if (!this.#keys.includes(key)) throw new RangeError("the chain has no such key");
    this.#keys = [key, ...this.#keys.filter((other) => other !== key)];
  }

  has(key: MasterKey): boolean {
    return this.#keys.includes(key);
  }

  bySendId(id: number): MasterKey | null {
    return this.#keys.find(({ sendId }) => sendId === id) ?? null;
  }

  byRecvId(id: number): MasterKey | null {
    return this.#keys.find(({ recvId }) => recvId === id) ?? null;
  }

  [Symbol.iterator](): Iterator<MasterKey> {
    return this.#keys[Symbol.iterator]();
  }

  // ——— SignatureKey ———

  signer(ends: FlowKey, iss: number, irs: number, opening: TcpSegment | null): Signer {
    return new AoSigner(this, ends, iss, irs, opening);
  }

  /** None: nobody knows the initial sequence numbers that it would have to be signed with (§7.7). */
  resetSigner(): null {
    return null;
  }

  /**
   * A SYN, or the acknowledgment that brings a SYN cookie back: the only segments that can be judged without a connection. The traffic key of others, such as a
   * last acknowledgment that comes twice, went with theirs.
   */
  verify(segment: TcpSegment, message: SignedMessage): SignatureVerdict {
    const [iss, irs] = [(segment.ack - 1) >>> 0, (segment.seq - 1) >>> 0];
    const verdict = new AoSigner(this, endsOfSegment(segment), iss, irs, null).verify(segment, message);
    return verdict === SIGNATURE_BAD && (segment.flags & SYN) === 0 ? SIGNATURE_KEY_UNKNOWN : verdict;
  }
}
