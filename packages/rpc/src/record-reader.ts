import type { ByteSink, ByteStream } from "@nfs4/bytestream";
import type { Callout, Clock } from "@nfs4/timecounter";
import type { Budget } from "./budget.ts";
import { type BufferPool, type PooledBuffer, pooledSize } from "./buffer-pool.ts";
import { LAST_FRAGMENT, MAX_FRAGMENT_BYTES } from "./constants.ts";
import type { RpcCounters } from "./counters.ts";
import { RpcError } from "./errors.ts";

/** A record's first buffer is at most so large and needs no room in the budget: small calls get through however full it is. */
export const FREE_BYTES = 1024;
/** A buffer is at most so many times the bytes received. 1.4 KB of a packet open 46 KB, 33 KB open a record of 1 MiB. */
const GROWTH = 32;
/** Below this many bytes a loop beats the call into `set`. */
const SHORT_COPY = 24;

export interface RecordHandler {
  /** A complete record of `record.length` bytes. The handler owns it and releases it. */
  record(record: PooledBuffer): void;
  /** The stream has handed over all it had; answers can go out together now. */
  batchEnd(): void;
  /** The peer has finished sending; `truncated` if in the middle of a record. */
  peerEnded(truncated: boolean): void;
  /** The peer broke a rule; no more will be read. */
  failed(error: RpcError): void;
  /** Whether this side owes the peer an answer, or expects one: then the peer is not idle. */
  owing(): boolean;
  /** Memory for a record was refused; whoever can make room should. */
  short(): void;
}

export interface RecordReaderOptions {
  readonly stream: ByteStream;
  readonly clock: Clock;
  readonly pool: BufferPool;
  readonly memory: Budget;
  readonly counters: RpcCounters;
  readonly recordLimit: number;
  readonly fragmentLimit: number;
  /** A record must be complete within so many µs. */
  readonly recordTimeout: number;
  /** Between records no more than so many µs may pass; Infinity: any. */
  readonly idleTimeout: number;
}

/**
 * Puts records together from the fragments of RFC 5531 §11.
 *
 * Memory follows the bytes *received*, never what a mark promises (DESIGN §2): the first 1 KiB, enough for a header and most calls, goes
 * into a small buffer; above it a buffer has at most 32 times the size of what has come and must find room in `memory`, and without
 * room nothing is taken until there is. A record that comes in large
 * pieces is copied once, into a buffer of its size; one that comes in packets of 1.4 KB has 5 % of it copied once more. Fragments
 * may be as small and as many as the peer likes, up to a number.
 */
export class RecordReader implements ByteSink {
  readonly #handler: RecordHandler;
  readonly #clock: Clock;
  readonly #pool: BufferPool;
  readonly #memory: Budget;
  readonly #counters: RpcCounters;
  readonly #fragmentLimit: number;
  readonly #recordTimeout: number;
  readonly #deadline: Callout;
  #stream: ByteStream;
  #idleTimeout: number;
  #recordLimit: number;
  /** The bytes of a mark so far, and how many. */
  #mark = 0;
  #markBytes = 0;
  #fragmentLeft = 0;
  #lastFragment = false;
  #fragments = 0;
  #record: PooledBuffer | null = null;
  /** The size of the next buffer, asked of the budget. */
  #wanted = 0;
  /** The same, once the budget has granted it. */
  #granted = 0;
  #waiting = false;
  #held = false;
  #closed = false;
  #delivering = false;
  /** Whether the deadline is that of the record being received. */
  #timing = false;
  /** When the record being received began; -1 before that is known. */
  #recordStart = -1;

  constructor(options: RecordReaderOptions, handler: RecordHandler) {
    this.#handler = handler;
    this.#stream = options.stream;
    this.#clock = options.clock;
    this.#pool = options.pool;
    this.#memory = options.memory;
    this.#counters = options.counters;
    this.#recordLimit = options.recordLimit;
    this.#fragmentLimit = options.fragmentLimit;
    this.#recordTimeout = options.recordTimeout;
    this.#idleTimeout = options.idleTimeout;
    this.#deadline = options.clock.callout(() => this.#expired());
    this.#time();
  }

  /** Whether bytes are being delivered now, so that `batchEnd` will follow. */
  get delivering(): boolean {
    return this.#delivering;
  }

  /** Whether the peer is in the middle of a record. */
  get receiving(): boolean {
    return this.#record !== null || this.#fragmentLeft > 0 || this.#markBytes > 0 || this.#fragments > 0;
  }

  /** When the record being received began, in µs of uptime; null between records. */
  get receivingSince(): number | null {
    return this.#recordStart < 0 ? null : this.#recordStart;
  }

  /** Whether it is this side that does not go on, for want of memory. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Raises or lowers the longest record, from the next mark on, and the time between records. */
  relax(recordLimit: number, idleTimeout: number): void {
    this.#recordLimit = recordLimit;
    this.#idleTimeout = idleTimeout;
    if (!this.#delivering) this.#time();
  }

  /** Goes on reading from another stream (RPC with TLS), at the next byte. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
    stream.setSink(this);
  }

  /** Takes no further record until `resume`. */
  hold(): void {
    this.#held = true;
    if (!this.#delivering) this.#time();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    if (!this.#delivering && !this.#closed) this.#time();
    if (!this.#waiting) this.#stream.resume();
  }

  /** Reads no more and gives back what it holds. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline.cancel();
    this.#memory.cancel();
    if (this.#granted > 0) this.#memory.give(this.#granted);
    this.#granted = 0;
    this.#record?.release();
    this.#record = null;
  }

  data(slab: Uint8Array, offset: number, length: number): number {
    if (this.#closed) return length;
    if (this.#held || this.#waiting) return 0;
    const stream = this.#stream;
    const end = offset + length;
    let at = offset;
    this.#delivering = true;
    while (at < end && !this.#held) {
      if (this.#fragmentLeft === 0) {
        at = this.#takeMark(slab, at, end);
      } else {
        const taken = this.#takeBytes(slab, at, Math.min(this.#fragmentLeft, end - at));
        if (taken === 0) break;
        at += taken;
      }
      // The handler may have closed the connection, or put TLS in between: what follows is not ours.
      if (this.#closed || this.#stream !== stream) break;
    }
    this.#delivering = false;
    if (!this.#closed) this.#time();
    this.#handler.batchEnd();
    return this.#closed ? length : at - offset;
  }

  end(): void {
    if (!this.#closed) this.#handler.peerEnded(this.receiving);
  }

  #takeMark(slab: Uint8Array, from: number, end: number): number {
    let at = from;
    while (this.#markBytes < 4 && at < end) {
      this.#mark = (this.#mark << 8) | slab[at++]!;
      this.#markBytes++;
    }
    if (this.#markBytes < 4) return at;
    const length = this.#mark & MAX_FRAGMENT_BYTES;
    this.#lastFragment = (this.#mark & LAST_FRAGMENT) !== 0;
    this.#markBytes = 0;
    if ((this.#record?.length ?? 0) + length > this.#recordLimit) {
      this.#counters.recordsTooLong++;
      this.#handler.failed(
        new RpcError("RPC_RECORD_TOO_LONG", `a record of more than ${this.#recordLimit} bytes was announced`),
      );
    } else if (++this.#fragments > this.#fragmentLimit) {
      this.#counters.recordsOfTooManyFragments++;
      this.#handler.failed(
        new RpcError("RPC_PROTOCOL_ERROR", `a record has more than ${this.#fragmentLimit} fragments`),
      );
    } else {
      this.#fragmentLeft = length;
      if (length === 0 && this.#lastFragment) this.#complete();
    }
    return at;
  }

  /** Takes up to `length` bytes of the fragment; 0 if there is no memory for them. */
  #takeBytes(slab: Uint8Array, at: number, length: number): number {
    let record = this.#record;
    if (record === null || record.length + length > record.bytes.length) {
      if (!this.#grow(length)) return 0;
      record = this.#record!;
    }
    const taken = Math.min(length, record.bytes.length - record.length);
    if (taken <= SHORT_COPY) {
      for (let i = 0; i < taken; i++) record.bytes[record.length + i] = slab[at + i]!;
    } else {
      record.bytes.set(slab.subarray(at, at + taken), record.length);
    }
    record.length += taken;
    this.#fragmentLeft -= taken;
    if (this.#fragmentLeft === 0 && this.#lastFragment) this.#complete();
    return taken;
  }

  /** Makes room for at least one of `length` more bytes, if the budget allows. */
  #grow(length: number): boolean {
    const old = this.#record;
    const have = old === null ? 0 : old.length;
    let size = this.#granted;
    if (size === 0) {
      size = pooledSize(this.#sizeFor(have, length));
      if (size <= FREE_BYTES) {
        this.#memory.take(size);
      } else if (!this.#memory.request(size, this.#onGrant)) {
        this.#wanted = size;
        this.#waiting = true;
        this.#counters.memoryPauses++;
        this.#handler.short();
        return false;
      }
    }
    this.#granted = 0;
    const record = this.#pool.take(size);
    record.budget = this.#memory;
    if (old !== null) {
      record.bytes.set(old.bytes.subarray(0, have));
      record.length = have;
      old.release();
    }
    this.#record = record;
    return true;
  }

  #sizeFor(have: number, length: number): number {
    const received = have + length;
    const known = have + this.#fragmentLeft;
    if (received <= FREE_BYTES) return Math.min(FREE_BYTES, this.#lastFragment ? known : FREE_BYTES);
    const earned = GROWTH * received;
    if (this.#lastFragment) return Math.min(known, earned);
    // More fragments follow: room for some of them, so that many small ones do not each move the record.
    return Math.min(this.#recordLimit, Math.max(Math.min(known, earned), 2 * received));
  }

  readonly #onGrant = (): void => {
    this.#waiting = false;
    this.#granted = this.#wanted;
    // From within somebody else's release: go on in a turn of our own.
    this.#clock.defer(() => {
      if (!this.#closed && !this.#held) this.#stream.resume();
    });
  };

  #complete(): void {
    const record = this.#record ?? this.#emptyRecord();
    this.#record = null;
    this.#fragments = 0;
    this.#timing = false;
    this.#recordStart = -1;
    this.#counters.records++;
    this.#counters.recordBytes += record.length;
    this.#handler.record(record);
  }

  #emptyRecord(): PooledBuffer {
    const record = this.#pool.take(0);
    record.budget = this.#memory;
    this.#memory.take(record.bytes.length);
    return record;
  }

  /** Sets the deadline for what is awaited from the peer; none while we ourselves do not read. */
  #time(): void {
    if (this.#recordStart < 0 && this.receiving) this.#recordStart = this.#clock.coarse();
    if (this.#held || this.#waiting) {
      this.#timing = false;
      if (this.#deadline.armed) this.#deadline.cancel();
    } else if (this.receiving) {
      if (this.#timing) return;
      this.#timing = true;
      this.#deadline.scheduleAfter(Math.min(this.#recordTimeout, this.#idleTimeout));
    } else if (this.#idleTimeout !== Number.POSITIVE_INFINITY) {
      this.#deadline.scheduleAfter(this.#idleTimeout);
    } else if (this.#deadline.armed) {
      this.#deadline.cancel();
    }
  }

  #expired(): void {
    if (this.#closed) return;
    if (!this.receiving && this.#handler.owing()) {
      this.#time();
      return;
    }
    this.#counters.receiveTimeouts++;
    const what = this.receiving ? "a record was not finished in time" : "nothing was sent by a stranger";
    this.#handler.failed(new RpcError("RPC_RECEIVE_TIMEOUT", what));
  }
}
