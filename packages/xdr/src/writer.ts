import { XdrError, XdrErrorCode } from "./errors.ts";
import type { Uint64Pair } from "./uint64.ts";

export interface XdrWriterOptions {
  /** Size in bytes of the memory taken at a time; several messages share it. Default 8192. */
  readonly chunkSize?: number;
  /** Variable and fixed opaque data of at least this many bytes is referenced, not copied. Default Infinity: always copied. */
  readonly gatherThreshold?: number;
  /** How deep recursive types may nest; default 64. */
  readonly maxDepth?: number;
}

/** Opaque data that the message contains without a copy. */
interface Reference {
  /** Index in the writer's memory that the bytes stand before. */
  readonly at: number;
  /** Position in the message of their first byte. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

const MIN_ROOM = 512;
/** Up to this many bytes a loop costs less than a call of set(). */
const SHORT_OPAQUE = 8;
/** Up to this many characters a loop costs less than a call of encodeInto(). */
const SHORT_STRING = 32;
const encoder = new TextEncoder();

/**
 * Writes XDR (RFC 4506 §4) into memory that grows.
 *
 * Ownership: `bytes()` and `slices()` hand out views of the writer's memory and of referenced data. What was handed out is never
 * written again: `reset()` goes on behind it, or in fresh memory. (`patchUint32` and `truncate` do change this message, also where it
 * was handed out.) `reset({ reuse: true })` is the caller's word that no view of an earlier message is in use any more; the memory is
 * then written from its start. Referenced bytes must not change until the message has been sent. Values that do not fit their type
 * throw XdrError; the message is then incomplete until `truncate` or `reset`.
 */
export class XdrWriter {
  readonly chunkSize: number;
  readonly gatherThreshold: number;
  readonly maxDepth: number;
  #memory: Uint8Array;
  #view: DataView;
  /** Bytes of memory. */
  #capacity: number;
  /** Where this message starts in memory. */
  #start = 0;
  /** Where the next byte goes in memory. */
  #next = 0;
  /** Whether views of this message are in other hands. */
  #handedOut = false;
  #references: Reference[] = [];
  #referencedBytes = 0;
  #depth = 0;

  constructor(options: XdrWriterOptions = {}) {
    this.chunkSize = Math.max(options.chunkSize ?? 8192, MIN_ROOM);
    this.gatherThreshold = options.gatherThreshold ?? Number.POSITIVE_INFINITY;
    this.maxDepth = options.maxDepth ?? 64;
    this.#memory = new Uint8Array(this.chunkSize);
    this.#capacity = this.chunkSize;
    this.#view = new DataView(this.#memory.buffer);
  }

  /** Bytes written to this message so far, referenced ones included. */
  get position(): number {
    return this.#next - this.#start + this.#referencedBytes;
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) this.#failRange(value, "an unsigned 32-bit integer");
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.#failRange(value, "a 32-bit integer");
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
  }

  bool(value: boolean): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value ? 1 : 0);
  }

  float(value: number): void {
    const at = this.#grow(4);
    this.#view.setFloat32(at, value);
  }

  double(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
  }

  uint64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) this.#failRange(value, "an unsigned 64-bit integer");
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
  }

  int64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) this.#failRange(value, "a 64-bit integer");
    const at = this.#grow(8);
    this.#view.setBigInt64(at, value);
  }

  uint64Pair(value: Uint64Pair): void {
    this.uint32(value.hi);
    this.uint32(value.lo);
  }

  /** An integer from 0 to below 2^64. */
  uint64Number(value: number): void {
    if (!(value >= 0 && value < 0x1_0000_0000_0000_0000 && Math.floor(value) === value)) {
      this.#failRange(value, "an unsigned 64-bit integer");
    }
    const at = this.#grow(8);
    this.#view.setUint32(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  /** An integer from -2^63 to below 2^63. */
  int64Number(value: number): void {
    if (!(value >= -(2 ** 63) && value < 2 ** 63 && Math.floor(value) === value)) {
      this.#failRange(value, "a 64-bit integer");
    }
    const at = this.#grow(8);
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  /** Exactly `length` bytes and their padding. */
  opaqueFixed(bytes: Uint8Array, length: number): void {
    if (bytes.length !== length) {
      this.#fail(XdrErrorCode.limit, `expected exactly ${length} bytes, found ${bytes.length}`);
    }
    if (length >= this.gatherThreshold) this.#refer(bytes);
    else this.#copy(bytes, this.#grow(length + (-length & 3)));
  }

  /** A length of at most `max`, the bytes and their padding. */
  opaque(bytes: Uint8Array, max = 0xffff_ffff): void {
    const length = bytes.length;
    if (length > max) this.#failLimit(length, max);
    if (length >= this.gatherThreshold) {
      this.uint32(length);
      this.#refer(bytes);
      return;
    }
    const at = this.#grow(4 + length + (-length & 3));
    this.#view.setUint32(at, length);
    this.#copy(bytes, at + 4);
  }

  /** As `opaque`, but whatever its size the data is not copied. */
  opaqueReference(bytes: Uint8Array, max = 0xffff_ffff): void {
    this.arrayLength(bytes.length, max);
    this.#refer(bytes);
  }

  /** UTF-8, of at most `max` bytes. A lone surrogate is an error: it has no UTF-8. */
  string(text: string, max = 0xffff_ffff): void {
    const units = text.length;
    // A UTF-16 unit takes at most 3 bytes of UTF-8; the length goes in front and the padding behind.
    this.#ensure(4 + 3 * units + 3);
    const start = this.#next;
    let length = 0;
    if (units <= SHORT_STRING) {
      const memory = this.#memory;
      for (; length < units; length++) {
        const unit = text.charCodeAt(length);
        if (unit >= 0x80) break;
        memory[start + 4 + length] = unit;
      }
    }
    if (length < units) {
      length = encoder.encodeInto(text, this.#memory.subarray(start + 4)).written;
      if (length > units && LONE_SURROGATE.test(text)) {
        this.#fail(XdrErrorCode.utf8, "the string contains a lone surrogate");
      }
    }
    if (length > max) this.#failLimit(length, max);
    this.#view.setUint32(start, length);
    this.#next = start + 4 + length;
    this.#pad(length);
  }

  /** The length of a variable array or of opaque data, of at most `max`. */
  arrayLength(length: number, max: number): void {
    if (length > max) this.#failLimit(length, max);
    this.uint32(length);
  }

  /** Checks the length of a fixed array, which is not written. */
  fixedLength(length: number, expected: number): void {
    if (length !== expected) this.#fail(XdrErrorCode.limit, `expected exactly ${expected} elements, found ${length}`);
  }

  /** Leaves `length` zero bytes to be patched and returns their position. */
  reserve(length: number): number {
    const position = this.position;
    const at = this.#grow(length);
    this.#memory.fill(0, at, at + length);
    return position;
  }

  /** Writes over 4 bytes written before; `position` must not be inside referenced data. */
  patchUint32(position: number, value: number): void {
    if (value >>> 0 !== value) this.#failRange(value, "an unsigned 32-bit integer");
    const at = this.#locate(position);
    if (at + 4 > this.#next) throw new RangeError(`nothing was written at ${position} yet`);
    this.#view.setUint32(at, value);
  }

  /** Forgets everything written at or behind `position`, which must not be inside referenced data. */
  truncate(position: number): void {
    const references = this.#references;
    while (references.length > 0 && references[references.length - 1]!.position >= position) {
      this.#referencedBytes -= references.pop()!.bytes.length;
    }
    const at = this.#locate(position);
    if (at > this.#next)
      throw new RangeError(`cannot truncate to ${position}, only ${this.position} bytes were written`);
    this.#next = at;
    // After an error inside a recursive value nothing has left its levels.
    this.#depth = 0;
  }

  /** Starts the next message. Views of earlier ones stay valid, unless `reuse` says that none is in use. */
  reset(options: { readonly reuse?: boolean } = {}): void {
    if (options.reuse === true) this.#next = 0;
    else if (!this.#handedOut) this.#next = this.#start;
    else if (this.#capacity - this.#next < MIN_ROOM) this.#allocate(this.chunkSize);
    this.#start = this.#next;
    this.#handedOut = false;
    if (this.#references.length > 0) this.#references = [];
    this.#referencedBytes = 0;
    this.#depth = 0;
  }

  /** The message in one piece: a view where nothing was referenced, else a copy that the caller owns. */
  bytes(): Uint8Array {
    if (this.#references.length === 0) {
      this.#handedOut = true;
      return this.#memory.subarray(this.#start, this.#next);
    }
    const whole = new Uint8Array(this.position);
    let at = 0;
    for (const slice of this.#pieces()) {
      whole.set(slice, at);
      at += slice.length;
    }
    return whole;
  }

  /** The message as views in order: pieces of the writer's memory and what was referenced. None is empty. */
  slices(): Uint8Array[] {
    this.#handedOut = true;
    return this.#pieces();
  }

  /** Enters a level of a recursive type; `leave` must follow unless an error is thrown. */
  enter(): void {
    if (++this.#depth > this.maxDepth) this.#fail(XdrErrorCode.depth, `nested deeper than ${this.maxDepth} levels`);
  }

  leave(): void {
    this.#depth--;
  }

  /** Reports a value that cannot be written. */
  fail(message: string): never {
    return this.#fail(XdrErrorCode.value, message);
  }

  #pieces(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let from = this.#start;
    for (const { at, bytes } of this.#references) {
      if (at > from) pieces.push(this.#memory.subarray(from, at));
      pieces.push(bytes);
      from = at;
    }
    if (this.#next > from) pieces.push(this.#memory.subarray(from, this.#next));
    return pieces;
  }

  /** Writes bytes and their padding where room was made for both. */
  #copy(bytes: Uint8Array, at: number): void {
    const length = bytes.length;
    // The last word first: what the data leaves of it is the padding.
    if ((length & 3) !== 0) this.#view.setUint32(at + (length & ~3), 0);
    if (length > SHORT_OPAQUE) {
      this.#memory.set(bytes, at);
      return;
    }
    const memory = this.#memory;
    for (let i = 0; i < length; i++) memory[at + i] = bytes[i]!;
  }

  #refer(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#references.push({ at: this.#next, position: this.position, bytes });
    this.#referencedBytes += bytes.length;
    this.#pad(bytes.length);
  }

  /** Zeros up to the next multiple of 4 after `length` bytes (RFC 4506 §3). */
  #pad(length: number): void {
    const padding = -length & 3;
    if (padding === 0) return;
    const at = this.#grow(padding);
    for (let i = 0; i < padding; i++) this.#memory[at + i] = 0;
  }

  /** Index in memory of a position of the message. */
  #locate(position: number): number {
    let skipped = 0;
    for (const reference of this.#references) {
      if (position < reference.position) break;
      skipped += reference.bytes.length;
      if (position < reference.position + reference.bytes.length && position > reference.position) {
        throw new RangeError(`${position} is inside referenced data`);
      }
    }
    const at = this.#start + position - skipped;
    if (!(at >= this.#start)) throw new RangeError(`${position} is inside referenced data`);
    return at;
  }

  /** Makes room for `length` bytes, moves over them and returns where they start. */
  #grow(length: number): number {
    if (this.#next + length > this.#capacity) this.#ensure(length);
    const at = this.#next;
    this.#next = at + length;
    return at;
  }

  /** Makes room for `length` bytes: in fresh memory, taking along what this message has written, where the old is too small. */
  #ensure(length: number): void {
    if (this.#next + length <= this.#capacity) return;
    const start = this.#start;
    const written = this.#memory.subarray(start, this.#next);
    this.#allocate(Math.max(this.chunkSize, 2 * (written.length + length)));
    this.#memory.set(written);
    this.#next = written.length;
    this.#references = this.#references.map((reference) => ({ ...reference, at: reference.at - start }));
  }

  #allocate(size: number): void {
    this.#memory = new Uint8Array(size);
    this.#capacity = size;
    this.#view = new DataView(this.#memory.buffer);
    this.#start = 0;
    this.#next = 0;
  }

  #failLimit(length: number, max: number): never {
    return this.#fail(XdrErrorCode.limit, `a length of ${length} exceeds the maximum of ${max}`);
  }

  #failRange(value: number | bigint, expected: string): never {
    return this.#fail(XdrErrorCode.value, `expected ${expected}, found ${value}`);
  }

  #fail(code: XdrErrorCode, reason: string): never {
    throw new XdrError(code, this.position, reason);
  }
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
