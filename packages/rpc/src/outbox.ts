import type { ByteStream, Slice } from "@nfs4/bytestream";
import type { Callout } from "@nfs4/timecounter";
import type { XdrWriter } from "@xdr-ts/xdr";
import type { Budget } from "./budget.ts";
import type { PooledBuffer } from "./buffer-pool.ts";
import { LAST_FRAGMENT } from "./constants.ts";
import type { RpcEnvironment } from "./environment.ts";

/** Records up to this size are copied into a common buffer: a slice of its own, with its release, costs more. */
const SMALL_RECORD = 1024;
const BATCH_BYTES = 4096;
/** So much is not held back for the end of a batch. */
const FLUSH_BYTES = 64 * 1024;

/**
 * Collects the records of one connection and hands them to its stream together: at the end of a batch of received calls, or, for answers that had
 * to wait, in the next turn of the event loop. Calls that wait for each other answer one after the other; one write takes all of them.
 */
export class Outbox {
  readonly #environment: RpcEnvironment;
  readonly #output: Budget;
  #stream: ByteStream;
  #slices: Slice[] = [];
  #bytes = 0;
  #batch: PooledBuffer | null = null;
  #scheduled = false;
  /** Bytes handed to the stream and not yet released. */
  #outstanding = 0;
  /** Since when the peer has taken nothing of them. */
  #unreadSince = 0;
  /** Bytes released, ever, and as of the last look at the peer's progress. */
  #progress = 0;
  #lastProgress = 0;
  /** Made at the first write: a server may have thousands of connections that say nothing. */
  #stall: Callout | null = null;
  readonly #onStall: () => void;
  /** While set, somebody promises to call `flush`. */
  corked = false;

  /** @param stalled called when the peer has taken nothing for `sendTimeoutMs` though something waits for it */
  constructor(stream: ByteStream, environment: RpcEnvironment, output: Budget, stalled: () => void) {
    this.#stream = stream;
    this.#environment = environment;
    this.#output = output;
    this.#onStall = stalled;
  }

  /** Since when (µs of uptime) the peer has taken nothing of what was sent to it; null if nothing waits for it. */
  get unreadSince(): number | null {
    return this.#outstanding === 0 ? null : this.#unreadSince;
  }

  /** Flushes, and goes on with another stream. */
  attach(stream: ByteStream): void {
    this.flush();
    this.#stream = stream;
  }

  /** A writer with room for the record mark; the record's own bytes follow. Hand it to `post` or `discard`. */
  begin(): XdrWriter {
    const writer = this.#environment.writers.take();
    writer.uint32(0);
    return writer;
  }

  /** Gives a writer back unsent. */
  discard(writer: XdrWriter): void {
    this.#environment.writers.put(writer, writer.position);
  }

  /**
   * Sends a record of at most 2^31 - 1 bytes and takes ownership of its writer.
   *
   * @param source parts of the record may be views of this buffer; it is retained until the transport has done with them
   * @param releases called, each once, when the transport has done with the whole record
   */
  post(writer: XdrWriter, source: PooledBuffer | null, releases: readonly (() => void)[] | undefined): void {
    const length = writer.position - 4;
    writer.patchUint32(0, LAST_FRAGMENT + length);
    this.#output.take(length + 4);
    this.#bytes += length + 4;
    if (length < SMALL_RECORD) this.#copy(writer, releases);
    else this.#refer(writer, source, releases);
    if (this.#bytes >= FLUSH_BYTES) this.flush();
    else if (!this.corked && !this.#scheduled) {
      this.#scheduled = true;
      this.#environment.clock.defer(this.#flushScheduled);
    }
  }

  /** Hands everything to the stream. */
  flush(): void {
    if (this.#bytes === 0) return;
    this.#closeBatch();
    const slices = this.#slices;
    this.#slices = [];
    const counters = this.#environment.counters;
    counters.writes++;
    counters.bytesWritten += this.#bytes;
    if (this.#outstanding === 0) this.#unreadSince = this.#environment.clock.coarse();
    this.#outstanding += this.#bytes;
    this.#bytes = 0;
    this.#stall ??= this.#environment.clock.callout(() => this.#checkProgress());
    if (!this.#stall.armed) this.#watch(this.#stall);
    this.#stream.write(slices);
  }

  /** The connection has ended: nothing more is awaited from the peer. */
  close(): void {
    this.flush();
    this.#stall?.cancel();
  }

  #watch(stall: Callout): void {
    this.#lastProgress = this.#progress;
    stall.scheduleAfter(this.#environment.limits.sendTimeoutMs * 1000);
  }

  #checkProgress(): void {
    if (this.#outstanding === 0) return;
    if (this.#progress === this.#lastProgress) this.#onStall();
    else if (this.#stall !== null) this.#watch(this.#stall);
  }

  #released(bytes: number): void {
    this.#outstanding -= bytes;
    this.#progress += bytes;
    this.#unreadSince = this.#environment.clock.coarse();
    this.#output.give(bytes);
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    if (!this.corked) this.flush();
  };

  #copy(writer: XdrWriter, releases: readonly (() => void)[] | undefined): void {
    const bytes = writer.bytes();
    let batch = this.#batch;
    if (batch !== null && batch.length + bytes.length > BATCH_BYTES) {
      this.#closeBatch();
      batch = null;
    }
    if (batch === null) {
      batch = this.#environment.buffers.take(BATCH_BYTES);
      this.#batch = batch;
    }
    batch.bytes.set(bytes, batch.length);
    batch.length += bytes.length;
    this.#environment.writers.put(writer, bytes.length);
    callAll(releases);
  }

  #closeBatch(): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    const length = batch.length;
    const release = (): void => {
      batch.release();
      this.#released(length);
    };
    this.#slices.push({ bytes: batch.bytes.subarray(0, length), release });
  }

  #refer(writer: XdrWriter, source: PooledBuffer | null, releases: readonly (() => void)[] | undefined): void {
    this.#closeBatch();
    const pieces = writer.slices();
    const length = writer.position;
    const memory = source?.bytes.buffer;
    const borrowed = source !== null && pieces.some((piece) => piece.buffer === memory);
    if (borrowed) source.retain();
    // The record mark is in the writer's own memory; pieces elsewhere are references.
    const own = pieces[0]!.buffer;
    let ownBytes = 0;
    for (const piece of pieces) if (piece.buffer === own) ownBytes += piece.length;
    let left = pieces.length;
    const release = (): void => {
      if (--left > 0) return;
      if (borrowed) source.release();
      this.#environment.writers.put(writer, ownBytes);
      callAll(releases);
      this.#released(length);
    };
    for (const bytes of pieces) this.#slices.push({ bytes, release });
  }
}

function callAll(releases: readonly (() => void)[] | undefined): void {
  if (releases !== undefined) for (const release of releases) release();
}
