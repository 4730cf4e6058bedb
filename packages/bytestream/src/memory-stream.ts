import type { Clock } from "@nfs4/timecounter";
import { releaseSlices, SliceQueue } from "./slice-queue.ts";
import type { ByteSink, ByteStream, Slice, SocketAddress, StreamEnd } from "./types.ts";

export interface MemoryPipeOptions {
  /** Bytes that a sink is given at most in one turn of the clock, as a receive window would. Default 64 KiB. */
  readonly window?: number;
  /** Bytes that a sink is given at most in one call, as a segment would. Default: whole slices. */
  readonly segment?: number;
  /** Default 256 KiB. */
  readonly highWater?: number;
  /** One way, in µs of the clock. Default 0: the next turn. */
  readonly delayUs?: number;
  /** Lends a copy that is overwritten after each call, so that a sink which keeps what it was lent is found out. Default false. */
  readonly poison?: boolean;
  /** Addresses of the two ends. */
  readonly addresses?: readonly [SocketAddress, SocketAddress];
}

const WINDOW = 64 * 1024;
const HIGH_WATER = 256 * 1024;
const POISON = 0xdb;

type Outgoing = "open" | "shutdown" | "delivered";

/**
 * Two streams, each the other's peer. Slices wait at the writer, by reference, until the peer's sink has taken them; a peer that does not take is
 * felt by `queued`. Everything that crosses does so in a later turn of the clock, so no call of one end ever runs code of the other.
 */
export function memoryPipe(clock: Clock, options: MemoryPipeOptions = {}): [ByteStream, ByteStream] {
  const [here, there] = options.addresses ?? [memoryAddress("a", 1), memoryAddress("b", 2)];
  const a = new MemoryStream(clock, options, here, there);
  const b = new MemoryStream(clock, options, there, here);
  a.join(b);
  b.join(a);
  return [a, b];
}

/** An address of the in-memory transport. */
export function memoryAddress(address: string, port: number): SocketAddress {
  return { family: "memory", address, port };
}

class MemoryStream implements ByteStream {
  readonly localAddress: SocketAddress;
  readonly peerAddress: SocketAddress;
  readonly highWater: number;
  onDrain: (() => void) | null = null;
  readonly closed: Promise<StreamEnd>;

  readonly #clock: Clock;
  readonly #options: MemoryPipeOptions;
  #peer!: MemoryStream;
  #settleClosed!: (end: StreamEnd) => void;
  #sink: ByteSink | null = null;
  #end: StreamEnd | null = null;

  readonly #queue = new SliceQueue();
  #outgoing: Outgoing = "open";
  #wasAboveHighWater = false;
  #pumpArmed = false;
  #pumping = false;

  /** The peer has delivered its end to our sink. */
  #incomingDone = false;
  /** Our sink has taken less than it was offered. */
  #paused = false;

  constructor(clock: Clock, options: MemoryPipeOptions, localAddress: SocketAddress, peerAddress: SocketAddress) {
    this.#clock = clock;
    this.#options = options;
    this.localAddress = localAddress;
    this.peerAddress = peerAddress;
    this.highWater = options.highWater ?? HIGH_WATER;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  join(peer: MemoryStream): void {
    this.#peer = peer;
  }

  get queued(): number {
    return this.#queue.bytes;
  }

  setSink(sink: ByteSink): void {
    this.#sink = sink;
    this.#paused = false;
    this.#peer.#armPump();
  }

  resume(): void {
    this.#paused = false;
    this.#peer.#armPump();
  }

  write(slices: readonly Slice[]): number {
    if (this.#end !== null || this.#outgoing !== "open") {
      releaseSlices(slices);
      return this.#queue.bytes;
    }
    this.#queue.push(slices);
    if (this.#queue.bytes > this.highWater) this.#wasAboveHighWater = true;
    this.#armPump();
    return this.#queue.bytes;
  }

  shutdown(): void {
    if (this.#end !== null || this.#outgoing !== "open") return;
    this.#outgoing = "shutdown";
    this.#armPump();
  }

  abort(reason?: Error): void {
    if (this.#end !== null) return;
    this.#finish(reason === undefined ? { how: "aborted" } : { how: "aborted", error: reason });
    const peer = this.#peer;
    this.#later(() => peer.#finish({ how: "reset", error: new Error("the peer has reset the stream") }));
  }

  #later(task: () => void): void {
    const delay = this.#options.delayUs ?? 0;
    if (delay > 0) this.#clock.callout(task).scheduleAfter(delay);
    else this.#clock.defer(task);
  }

  #armPump(): void {
    if (this.#pumpArmed || this.#end !== null || this.#outgoing === "delivered") return;
    this.#pumpArmed = true;
    this.#later(() => this.#pump());
  }

  /** Delivers what waits to the peer's sink: one window of it. */
  #pump(): void {
    this.#pumpArmed = false;
    this.#pumping = true;
    try {
      this.#deliverWindow();
    } finally {
      this.#pumping = false;
      if (this.#end !== null) this.#bury(this.#end);
    }
    this.#checkDrained();
  }

  #deliverWindow(): void {
    const peer = this.#peer;
    const segment = this.#options.segment ?? Number.POSITIVE_INFINITY;
    let credit = this.#options.window ?? WINDOW;
    while (this.#end === null && peer.#end === null && peer.#sink !== null && !peer.#paused) {
      const first = this.#queue.first;
      if (first === undefined) {
        if (this.#outgoing === "shutdown") this.#deliverEnd();
        return;
      }
      if (credit === 0) {
        this.#armPump();
        return;
      }
      const offered = Math.min(first.bytes.length - first.offset, segment, credit);
      const taken = offered === 0 ? 0 : peer.#offer(first.bytes, first.offset, offered);
      credit -= taken;
      if (this.#end === null) this.#queue.consume(taken);
      if (taken < offered) return;
    }
  }

  /** Offers bytes to our own sink, and returns how many it took. */
  #offer(bytes: Uint8Array, offset: number, length: number): number {
    const sink = this.#sink as ByteSink;
    // Paused before the call, so that a resume() within it is not lost.
    this.#paused = true;
    let taken: number;
    if (this.#options.poison) {
      const lent = bytes.slice(offset, offset + length);
      taken = sink.data(lent, 0, length);
      lent.fill(POISON);
    } else {
      taken = sink.data(bytes, offset, length);
    }
    if (!(taken >= 0 && taken <= length)) throw new RangeError(`a sink took ${taken} of ${length} bytes`);
    if (taken === length) this.#paused = false;
    return taken;
  }

  #deliverEnd(): void {
    this.#outgoing = "delivered";
    const peer = this.#peer;
    peer.#incomingDone = true;
    peer.#sink?.end();
    this.#finishIfDone();
    peer.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#outgoing === "delivered" && this.#incomingDone) this.#finish({ how: "closed" });
  }

  /** Ends the stream now. Slices that are lent to a sink at this moment are released when it returns. */
  #finish(end: StreamEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    if (!this.#pumping) this.#bury(end);
  }

  #bury(end: StreamEnd): void {
    this.#queue.releaseAll();
    this.#settleClosed(end);
  }

  #checkDrained(): void {
    if (this.#end !== null || !this.#wasAboveHighWater || this.#queue.bytes > this.highWater / 2) return;
    this.#wasAboveHighWater = false;
    this.onDrain?.();
  }
}
