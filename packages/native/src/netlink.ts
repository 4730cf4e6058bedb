import { endianness } from "node:os";
import { addon } from "./addon.ts";
import { NativeError } from "./errno.ts";

// Routing netlink (rtnetlink(7)), as much of it as setting up an interface needs. Scalars have the host's byte order.
const LITTLE = endianness() === "LE";

export const RTM_NEWLINK = 16;
export const RTM_GETLINK = 18;
export const RTM_DELLINK = 17;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;

const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CREATE = 0x400;

const HEADER = 16;
let sequence = 0;

/** A message under construction: a fixed part, then attributes. */
export class NetlinkMessage {
  #bytes: Uint8Array;
  #view: DataView;
  #length: number;

  /** `fixed` is the length of the structure between header and attributes (ifinfomsg 16, ifaddrmsg 8, rtmsg 12). */
  constructor(type: number, flags: number, fixed: number) {
    this.#bytes = new Uint8Array(512);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = HEADER + fixed;
    sequence = (sequence + 1) >>> 0;
    this.#view.setUint16(4, type, LITTLE);
    this.#view.setUint16(6, flags | NLM_F_REQUEST, LITTLE);
    this.#view.setUint32(8, sequence, LITTLE);
  }

  /** Sets a byte of the fixed part. */
  byte(offset: number, value: number): this {
    this.#view.setUint8(HEADER + offset, value);
    return this;
  }

  /** Sets a 32-bit field of the fixed part. */
  word(offset: number, value: number): this {
    this.#view.setUint32(HEADER + offset, value, LITTLE);
    return this;
  }

  attribute(type: number, payload: Uint8Array): this {
    const length = 4 + payload.length;
    const at = this.#length;
    if (at + length > this.#bytes.length) throw new RangeError("a netlink message grew beyond its buffer");
    this.#view.setUint16(at, length, LITTLE);
    this.#view.setUint16(at + 2, type, LITTLE);
    this.#bytes.set(payload, at + 4);
    this.#length = (at + length + 3) & ~3;
    return this;
  }

  wordAttribute(type: number, value: number): this {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, value, LITTLE);
    return this.attribute(type, payload);
  }

  /** NUL-terminated. */
  stringAttribute(type: number, value: string): this {
    return this.attribute(type, new TextEncoder().encode(`${value}\0`));
  }

  /** The finished bytes, borrowed until the next change. */
  finish(): Uint8Array {
    this.#view.setUint32(0, this.#length, LITTLE);
    return this.#bytes.subarray(0, this.#length);
  }
}

/** One message of an answer: its type, its fixed part and its attributes. */
export interface NetlinkReply {
  readonly type: number;
  readonly fixed: DataView;
  readonly attributes: ReadonlyMap<number, Uint8Array>;
}

/** Sends a message that asks for NLM_F_ACK or NLM_F_DUMP and returns what came before the acknowledgement. Throws NativeError. */
export function exchange(message: NetlinkMessage, fixed: number, what: string): NetlinkReply[] {
  const answer = addon().netlinkExchange(message.finish());
  if (typeof answer === "number") throw new NativeError("netlink", answer, what);
  return parseReplies(answer, fixed);
}

function parseReplies(answer: ArrayBuffer, fixed: number): NetlinkReply[] {
  const view = new DataView(answer);
  const replies: NetlinkReply[] = [];
  for (let at = 0; at + HEADER + fixed <= answer.byteLength; ) {
    const length = view.getUint32(at, LITTLE);
    const end = at + length;
    if (length < HEADER + fixed || end > answer.byteLength) break;
    const attributes = new Map<number, Uint8Array>();
    for (let a = at + HEADER + fixed; a + 4 <= end; ) {
      const size = view.getUint16(a, LITTLE);
      if (size < 4 || a + size > end) break;
      attributes.set(view.getUint16(a + 2, LITTLE) & 0x3fff, new Uint8Array(answer, a + 4, size - 4));
      a += (size + 3) & ~3;
    }
    replies.push({ type: view.getUint16(at + 4, LITTLE), fixed: new DataView(answer, at + HEADER, fixed), attributes });
    at += (length + 3) & ~3;
  }
  return replies;
}

/** A 32-bit field in the host's byte order. */
export function hostWord(view: DataView, offset: number): number {
  return view.getUint32(offset, LITTLE);
}

/** A 32-bit attribute in the host's byte order; 0 if it is missing. */
export function wordOf(attribute: Uint8Array | undefined): number {
  if (attribute === undefined || attribute.length < 4) return 0;
  return new DataView(attribute.buffer, attribute.byteOffset, 4).getUint32(0, LITTLE);
}
