import type { Socket } from "node:net";
import type { Clock } from "@nfs4/timecounter";
import { releaseSlices, SliceQueue } from "../slice-queue.ts";
import type { ByteSink, ByteStream, Slice, SocketAddress, StreamEnd } from "../types.ts";

export interface NodeStreamOptions {
  /** For delivery outside of the caller's turn. */
  readonly clock: Clock;
  /** Bytes handed to the socket and not yet written, above which a writer should stop. Default 1 MiB. */
  readonly highWater?: number;
}

const HIGH_WATER = 1024 * 1024;

/**
 * A `ByteStream` over a connected TCP socket of Node, which it owns. The socket must be paused, have `allowHalfOpen`, and never have flowed.
 * A paused sink stops the socket from reading, so the kernel's window closes; at most one read (64 KiB) waits here.
 */
export class NodeByteStream implements ByteStream {
  readonly localAddress: SocketAddress;
  readonly peerAddress: SocketAddress;
  readonly highWater: number;
  onDrain: (() => void) | null = null;
  readonly closed: Promise<StreamEnd>;

  readonly #socket: Socket;
  readonly #clock: Clock;
  #end: StreamEnd | null = null;
  #socketClosed = false;
  #settleClosed!: (end: StreamEnd) => void;

  readonly #queue = new SliceQueue();
  #wasAboveHighWater = false;

  #sink: ByteSink | null = null;
  /** The sink has taken less than it was offered, and has not asked for more. */
  #paused = false;
  #waiting: Uint8Array[] = [];
  #peerHasEnded = false;
  #endDelivered = false;
  #deliveryArmed = false;

  constructor(socket: Socket, options: NodeStreamOptions) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.highWater = options.highWater ?? HIGH_WATER;
    this.localAddress = socketAddress(socket.localAddress, socket.localPort);
    this.peerAddress = socketAddress(socket.remoteAddress, socket.remotePort);
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("end", () => {
      this.#peerHasEnded = true;
      this.#deliver();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#end ??= { how: error.code === "ETIMEDOUT" ? "timeout" : "reset", error };
    });
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    socket.on("close", () => {
      this.#socketClosed = true;
      this.#queue.releaseAll();
      this.#settleIfOver();
    });
  }

  get queued(): number {
    return this.#queue.bytes;
  }

  setSink(sink: ByteSink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    this.#paused = false;
    if (this.#deliveryArmed || this.#end !== null) return;
    this.#deliveryArmed = true;
    this.#clock.defer(() => {
      this.#deliveryArmed = false;
      this.#deliver();
    });
  }

  write(slices: readonly Slice[]): number {
    const socket = this.#socket;
    if (this.#end !== null || socket.destroyed || socket.writableEnded) {
      releaseSlices(slices);
      return this.#queue.bytes;
    }
    if (slices.length === 0) return this.#queue.bytes;
    this.#queue.push(slices);
    if (this.#queue.bytes > this.highWater) this.#wasAboveHighWater = true;
    socket.cork();
    const last = slices.length - 1;
    for (let i = 0; i < last; i++) socket.write((slices[i] as Slice).bytes);
    socket.write((slices[last] as Slice).bytes, (error) => {
      if (!error) this.#written(slices.length);
    });
    socket.uncork();
    return this.#queue.bytes;
  }

  shutdown(): void {
    if (this.#end === null) this.#socket.end();
  }

  abort(reason?: Error): void {
    if (this.#end !== null) return;
    this.#end = reason === undefined ? { how: "aborted" } : { how: "aborted", error: reason };
    const socket = this.#socket;
    // libuv refuses to reset a socket whose shutdown is under way (EINVAL), and would leak it.
    const isShuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (isShuttingDown) socket.once("finish", () => socket.resetAndDestroy());
    else socket.resetAndDestroy();
    this.#settleIfOver();
  }

  /** A socket may have closed in order while bytes, or the end, still wait here for a sink that is paused. */
  #settleIfOver(): void {
    if (!this.#socketClosed) return;
    if (this.#end === null && this.#peerHasEnded && !this.#endDelivered) return;
    this.#end ??= { how: "closed" };
    this.#waiting = [];
    this.#settleClosed(this.#end);
  }

  #written(slices: number): void {
    this.#queue.consumeSlices(slices);
    if (this.#end !== null || !this.#wasAboveHighWater || this.#queue.bytes > this.highWater / 2) return;
    this.#wasAboveHighWater = false;
    this.onDrain?.();
  }

  /** The chunk is ours alone, but a Buffer, whose `slice` does not copy: the sink is lent a plain view. */
  #receive(chunk: Uint8Array): void {
    this.#waiting.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#deliver();
  }

  /** Offers what waits to the sink, in order, and reads on if it was all taken. */
  #deliver(): void {
    while (this.#waiting.length > 0) {
      if (this.#sink === null || this.#paused || this.#end !== null) return;
      const chunk = this.#waiting[0] as Uint8Array;
      // Paused before the call, so that a resume() within it is not lost.
      this.#paused = true;
      const taken = this.#sink.data(chunk, 0, chunk.length);
      if (!(taken >= 0 && taken <= chunk.length)) throw new RangeError(`a sink took ${taken} of ${chunk.length} bytes`);
      if (taken < chunk.length) {
        this.#waiting[0] = chunk.subarray(taken);
        this.#socket.pause();
        return;
      }
      this.#paused = false;
      this.#waiting.shift();
    }
    if (this.#sink === null || this.#end !== null) return;
    if (!this.#peerHasEnded) this.#socket.resume();
    else if (!this.#endDelivered) {
      this.#endDelivered = true;
      this.#sink.end();
      this.#settleIfOver();
    }
  }
}

/** The textual form that Node gives; an IPv4 address mapped into IPv6 is given as IPv4. */
export function socketAddress(address: string | undefined, port: number | undefined): SocketAddress {
  const plain = (address ?? "0.0.0.0").replace(/^::ffff:(?=\d+\.)/, "");
  return { family: plain.includes(":") ? "IPv6" : "IPv4", address: plain, port: port ?? 0 };
}
