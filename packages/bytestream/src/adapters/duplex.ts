import { Duplex } from "node:stream";
import type { Callout, Clock } from "@nfs4/timecounter";
import type { ByteStream, Slice, StreamEnd } from "../types.ts";

export interface DuplexOptions {
  /** For `setTimeout`, by which Node's http closes idle connections. Without it that does nothing. */
  readonly clock?: Clock;
  /**
   * Hands written chunks to the stream as they are, which is right when their writer never changes them again. Default false: they are copied,
   * since a Node stream may reuse a chunk once its callback has run, and a transport may retransmit from it long after.
   */
  readonly byReference?: boolean;
}

/**
 * Shows a `ByteStream`, which it then owns, as a Node Duplex with as much of `net.Socket` as servers and clients of Node use:
 * `httpServer.emit("connection", toDuplex(stream))`. A reset of the stream destroys it with ECONNRESET; destroying it early aborts the stream.
 */
export function toDuplex(stream: ByteStream, options: DuplexOptions = {}): StreamDuplex {
  return new StreamDuplex(stream, options);
}

export class StreamDuplex extends Duplex {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: string;
  readonly connecting: boolean = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** Idle time after which "timeout" is emitted, in ms; 0 is never. */
  timeout = 0;

  readonly #stream: ByteStream;
  readonly #byReference: boolean;
  readonly #idle: Callout | undefined;
  /** The reader has room. */
  #readable = false;
  /** The stream was told to wait. */
  #held = false;
  #waitingForDrain: (() => void) | null = null;

  constructor(stream: ByteStream, options: DuplexOptions) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.#stream = stream;
    this.#byReference = options.byReference ?? false;
    this.#idle = options.clock?.callout(() => this.emit("timeout"));
    this.localAddress = stream.localAddress.address;
    this.localPort = stream.localAddress.port;
    this.remoteAddress = stream.peerAddress.address;
    this.remotePort = stream.peerAddress.port;
    this.remoteFamily = stream.peerAddress.family;
    stream.onDrain = () => this.#drained();
    stream.setSink({
      data: (slab, offset, length) => this.#receive(slab, offset, length),
      end: () => {
        this.push(null);
      },
    });
    void stream.closed.then((end) => this.#ended(end));
  }

  override _read(): void {
    this.#readable = true;
    if (!this.#held) return;
    this.#held = false;
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#send([this.#slice(chunk)], done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: () => void): void {
    this.#send(
      chunks.map(({ chunk }) => this.#slice(chunk)),
      done,
    );
  }

  override _final(done: () => void): void {
    this.#stream.shutdown();
    done();
  }

  /** Both directions over: lets the stream deliver what it has. Otherwise aborts it. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#idle?.cancel();
    if (error !== null || !this.readableEnded || !this.writableFinished) this.#stream.abort(error ?? undefined);
    void this.#stream.closed.then(() => done(error));
  }

  /** As `net.Socket` has it: emits "timeout" when nothing was read or written for so many ms; 0 turns it off. */
  setTimeout(ms: number, listener?: () => void): this {
    this.timeout = ms;
    if (ms === 0) {
      this.#idle?.cancel();
      if (listener !== undefined) this.off("timeout", listener);
    } else {
      if (listener !== undefined) this.once("timeout", listener);
      this.#touch();
    }
    return this;
  }

  /** Nothing: latency and liveness are the transport's to decide. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #touch(): void {
    if (this.timeout > 0) this.#idle?.scheduleAfter(this.timeout * 1000);
  }

  #receive(slab: Uint8Array, offset: number, length: number): number {
    if (!this.#readable) {
      this.#held = true;
      return 0;
    }
    this.#touch();
    this.bytesRead += length;
    this.#readable = false;
    // push() may call _read() at once, which sets it again.
    if (this.push(Buffer.from(slab.subarray(offset, offset + length)))) this.#readable = true;
    return length;
  }

  #slice(chunk: Uint8Array): Slice {
    return { bytes: this.#byReference ? chunk : new Uint8Array(chunk) };
  }

  #send(slices: Slice[], done: () => void): void {
    this.#touch();
    for (const slice of slices) this.bytesWritten += slice.bytes.length;
    if (this.#stream.write(slices) > this.#stream.highWater) this.#waitingForDrain = done;
    else done();
  }

  #drained(): void {
    const done = this.#waitingForDrain;
    this.#waitingForDrain = null;
    done?.();
  }

  #ended(end: StreamEnd): void {
    if (end.how === "closed" || this.destroyed) return;
    const code = end.how === "timeout" ? "ETIMEDOUT" : end.how === "reset" ? "ECONNRESET" : "ECONNABORTED";
    const error = Object.assign(new Error(`the stream has ended: ${end.how}`, { cause: end.error }), { code });
    this.destroy(error);
  }
}
