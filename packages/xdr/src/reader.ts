import { XdrError, XdrErrorCode } from "./errors.ts";
import { SATURATED_NUMBER, type Uint64Pair } from "./uint64.ts";

export interface XdrReaderOptions {
  /**
   * Refuse padding that is not zero. RFC 4506 §3 wants zeros, but real peers have been seen to send what was in their buffer, and
   * nothing depends on it: the default is false, padding is skipped unread.
   */
  readonly strict?: boolean;
  /** How deep recursive types may nest; default 64. */
  readonly maxDepth?: number;
}

const EMPTY = new Uint8Array(0);
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;
/** Node's own decoder, which costs half of TextDecoder; what is not UTF-8 becomes U+FFFD. Absent outside Node. */
const lenientUtf8 = (globalThis as { Buffer?: { prototype: { utf8Slice?: Utf8Slice } } }).Buffer?.prototype.utf8Slice;

/**
 * Reads XDR (RFC 4506 §4) from `bytes`, between `offset` and `end`.
 *
 * Opaque data comes as views into `bytes`: they live as long as the caller keeps `bytes` unchanged. Every length is held against its
 * declared maximum and against what is left before memory is taken. All methods throw XdrError and nothing else; after an error the
 * position is undefined until `reset`.
 */
export class XdrReader {
  /** The message, borrowed; another one comes by `reset`. */
  bytes: Uint8Array;
  /** Where the next value starts, in bytes from the start of `bytes`. */
  offset: number;
  /** Where the message ends; nothing at or behind it is read. */
  end: number;
  readonly strict: boolean;
  readonly maxDepth: number;
  #view: DataView;
  /** What the view covers. */
  #buffer: ArrayBufferLike;
  /** Where `bytes` starts in its buffer. */
  #base: number;
  #depth = 0;

  constructor(bytes: Uint8Array = EMPTY, offset = 0, end: number = bytes.length, options: XdrReaderOptions = {}) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
    this.strict = options.strict ?? false;
    this.maxDepth = options.maxDepth ?? 64;
    this.#buffer = bytes.buffer;
    this.#view = new DataView(bytes.buffer);
    this.#base = bytes.byteOffset;
    checkBounds(bytes, offset, end);
  }

  /** Starts over on another message, or on another part of one. */
  reset(bytes: Uint8Array, offset = 0, end: number = bytes.length): void {
    checkBounds(bytes, offset, end);
    // Asking for the buffer costs as much as reading ten integers: not for another part of the same bytes.
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#base = bytes.byteOffset;
      const buffer = bytes.buffer;
      if (buffer !== this.#buffer) {
        this.#buffer = buffer;
        this.#view = new DataView(buffer);
      }
    }
    this.offset = offset;
    this.end = end;
    this.#depth = 0;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.offset;
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** 0 or 1; any other value is an error (RFC 4506 §4.4). */
  bool(): boolean {
    const value = this.uint32();
    if (value > 1) this.#failAt(this.offset - 4, XdrErrorCode.value, `expected a boolean, found ${value}`);
    return value === 1;
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** An unsigned or, as its two's complement, signed 64-bit integer. */
  uint64Pair(): Uint64Pair {
    const at = this.#take(8);
    return { hi: this.#view.getUint32(at), lo: this.#view.getUint32(at + 4) };
  }

  /** Exact up to 2^53 - 1, SATURATED_NUMBER (2^53) above. */
  uint64Number(): number {
    const at = this.#take(8);
    const hi = this.#view.getUint32(at);
    return hi >= 0x20_0000 ? SATURATED_NUMBER : hi * 0x1_0000_0000 + this.#view.getUint32(at + 4);
  }

  /** Exact from -(2^53 - 1) to 2^53 - 1, SATURATED_NUMBER with the value's sign beyond. */
  int64Number(): number {
    const at = this.#take(8);
    const hi = this.#view.getInt32(at);
    if (hi >= 0x20_0000) return SATURATED_NUMBER;
    // hi = -2^21 with lo = 0 is -2^53 itself, which is the sentinel.
    if (hi < -0x20_0000) return -SATURATED_NUMBER;
    return hi * 0x1_0000_0000 + this.#view.getUint32(at + 4);
  }

  /** A view of `length` bytes; the padding behind them is skipped. */
  opaqueFixed(length: number): Uint8Array {
    const at = this.#takePadded(length);
    return length === 0 ? EMPTY : new Uint8Array(this.#buffer, at, length);
  }

  /** A view of variable-length opaque data of at most `max` bytes. */
  opaque(max = 0xffff_ffff): Uint8Array {
    return this.opaqueFixed(this.#length(max));
  }

  /** A string of at most `max` bytes of UTF-8; anything else than well-formed UTF-8 is an error. */
  string(max = 0xffff_ffff): string {
    const length = this.#length(max);
    const start = this.offset;
    const at = this.#takePadded(length);
    if (length === 0) return "";
    if (lenientUtf8 !== undefined) {
      const text = lenientUtf8.call(this.bytes, start, start + length);
      if (!text.includes("\ufffd")) return text;
    }
    try {
      return strictUtf8.decode(new Uint8Array(this.#buffer, at, length));
    } catch {
      return this.#failAt(start, XdrErrorCode.utf8, "the string is not UTF-8");
    }
  }

  /**
   * The length of a variable array whose elements take at least `minElementBytes` (1 or more) each: at most `max`, and no more than
   * the bytes left can hold, so that a hostile length takes no memory.
   */
  arrayLength(max: number, minElementBytes: number): number {
    const length = this.uint32();
    if (length > max) {
      this.#failAt(this.offset - 4, XdrErrorCode.limit, `${length} elements exceed the maximum of ${max}`);
    }
    if (length * minElementBytes > this.end - this.offset) {
      this.#failAt(
        this.offset - 4,
        XdrErrorCode.truncated,
        `${length} elements of at least ${minElementBytes} bytes exceed the ${this.end - this.offset} bytes left`,
      );
    }
    return length;
  }

  /** Passes over `length` bytes; no padding is added. */
  skip(length: number): void {
    if (length < 0) throw new RangeError(`cannot skip ${length} bytes`);
    this.#take(length);
  }

  /** Enters a level of a recursive type; `leave` must follow unless an error is thrown. */
  enter(): void {
    if (++this.#depth > this.maxDepth) {
      this.#failAt(this.offset, XdrErrorCode.depth, `nested deeper than ${this.maxDepth} levels`);
    }
  }

  leave(): void {
    this.#depth--;
  }

  /** Reports a value that the caller cannot accept; `offset` is where it starts, by default the last 4 bytes read. */
  fail(message: string, offset: number = this.offset - 4): never {
    return this.#failAt(offset, XdrErrorCode.value, message);
  }

  /** Fails if bytes are left. */
  expectEnd(): void {
    if (this.offset !== this.end) {
      this.#failAt(this.offset, XdrErrorCode.trailing, `${this.end - this.offset} bytes follow the last value`);
    }
  }

  /** Moves over `length` bytes and returns where they start in the view. */
  #take(length: number): number {
    const offset = this.offset;
    if (offset + length > this.end) this.#failTruncated(length);
    this.offset = offset + length;
    return this.#base + offset;
  }

  #takePadded(length: number): number {
    const padding = -length & 3;
    const at = this.#take(length + padding);
    if (this.strict && padding !== 0) this.#checkPadding(at + length, padding);
    return at;
  }

  #checkPadding(at: number, count: number): void {
    for (let i = 0; i < count; i++) {
      if (this.#view.getUint8(at + i) !== 0) {
        this.#failAt(at + i - this.#base, XdrErrorCode.padding, "padding is not zero");
      }
    }
  }

  #length(max: number): number {
    const length = this.uint32();
    if (length > max) {
      this.#failAt(this.offset - 4, XdrErrorCode.limit, `a length of ${length} bytes exceeds the maximum of ${max}`);
    }
    return length;
  }

  #failTruncated(length: number): never {
    return this.#failAt(
      this.offset,
      XdrErrorCode.truncated,
      `expected ${length} more bytes, ${this.end - this.offset} are left`,
    );
  }

  #failAt(offset: number, code: XdrErrorCode, reason: string): never {
    throw new XdrError(code, offset, reason);
  }
}

function checkBounds(bytes: Uint8Array, offset: number, end: number): void {
  if (!(offset >= 0 && offset <= end && end <= bytes.length)) {
    throw new RangeError(`cannot read from ${offset} to ${end} in ${bytes.length} bytes`);
  }
}
