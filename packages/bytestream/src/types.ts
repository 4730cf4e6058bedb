/**
 * The one seam between transports and protocols (docs/architecture.md).
 *
 * A transport (our TCP, `node:net`, an in-memory pipe) gives `ByteStream`s; ONC RPC and everything above
 * knows nothing else of the network. Bytes cross the seam at most once copied, each way.
 */

/** An IP endpoint. `address` is the textual form: dotted quad, or RFC 5952 for IPv6. In-memory transports use any name. */
export interface SocketAddress {
  readonly family: "IPv4" | "IPv6" | "memory";
  readonly address: string;
  readonly port: number;
}

/**
 * Bytes handed to `write()` by reference. From then on they are immutable: TCP retransmits from them.
 * `release` is called exactly once, when the transport needs the bytes no longer (acknowledged, reset or aborted;
 * with `node:net`, written). After it the owner may use the memory again.
 */
export interface Slice {
  readonly bytes: Uint8Array;
  readonly release?: () => void;
}

/** Receives what a peer sends. Every method may write to, pause or abort its stream while it runs. */
export interface ByteSink {
  /**
   * In-order bytes `slab[offset … offset + length)`, lent for the length of the call: what is kept must be copied.
   * Returns how many bytes were taken from the front (0 … length). Fewer than `length` means "paused": the rest waits in the
   * transport, which closes its window as that fills, until `resume()`.
   */
  data(slab: Uint8Array, offset: number, length: number): number;
  /** The peer has half-closed and every byte before that has been taken. Called at most once. */
  end(): void;
}

/** How a stream came to its end. */
export interface StreamEnd {
  /**
   * - `closed`: both sides finished in order
   * - `reset`: the peer reset it, or refused it
   * - `timeout`: the peer stopped answering
   * - `aborted`: `abort()` was called on this side
   */
  readonly how: "closed" | "reset" | "timeout" | "aborted";
  readonly error?: Error;
}

/** A reliable, ordered, full-duplex stream of bytes. */
export interface ByteStream {
  readonly localAddress: SocketAddress;
  readonly peerAddress: SocketAddress;

  /** Sets who receives. Until a sink is set nothing is delivered and the peer is held back by the window. */
  setSink(sink: ByteSink): void;
  /** Offers the waiting bytes to the sink again. Safe to call from within the sink (delivery goes on after it returns). */
  resume(): void;

  /**
   * Queues slices in order and takes ownership of them, also when the stream has ended (then they are released at once).
   * Never throws, never blocks. Returns the bytes now queued and not yet acknowledged (or written, for `node:net`):
   * a caller that respects `highWater` stops there and goes on at `onDrain`.
   */
  write(slices: readonly Slice[]): number;
  /** Bytes queued and not yet released. */
  readonly queued: number;
  /** Above this many queued bytes a writer should stop. It may move with the pace of the way: look at it each time. */
  readonly highWater: number;
  /** Called when `queued`, having been above `highWater`, falls to half of it or less. */
  onDrain: (() => void) | null;

  /** Half-close: no more will be written; what is queued is still delivered. Idempotent. */
  shutdown(): void;
  /** Ends both directions now, and lets the peer know if the transport can (TCP: RST). Idempotent. */
  abort(reason?: Error): void;
  /** Settles (never rejects) when both directions have ended and every slice has been released. */
  readonly closed: Promise<StreamEnd>;
}

/** Gives streams that peers opened. */
export interface Listener {
  readonly localAddress: SocketAddress;
  /** Starts to hand over connections. Called once; connections that came before wait for it (bounded). */
  accept(handler: (stream: ByteStream) => void): void;
  /** Stops listening; streams that were accepted live on. Idempotent. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** Aborts the attempt. */
  readonly signal?: AbortSignal;
  /** Gives up after so long. Default: the transport's own. */
  readonly timeoutMs?: number;
}

/** Opens streams to peers. */
export interface Connector {
  /** Rejects with a `ConnectError` (`code` ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ABORT_ERR …). */
  connect(to: { readonly address: string; readonly port: number }, options?: ConnectOptions): Promise<ByteStream>;
}
