import type { ByteStream, SocketAddress, StreamEnd } from "@nfs4/bytestream";
import type { AuthFlavorServer, Upgradable } from "./auth/flavor.ts";
import type { PooledBuffer } from "./buffer-pool.ts";
import { connectionChannel, endChannel } from "./channels.ts";
import { MsgType } from "./constants.ts";
import type { RpcCounters } from "./counters.ts";
import type { RpcEnvironment } from "./environment.ts";
import { RpcError } from "./errors.ts";
import { IncomingCalls } from "./incoming-calls.ts";
import { LoadShare } from "./load-share.ts";
import { Outbox } from "./outbox.ts";
import { type CallRequest, type PendingCall, PendingCalls } from "./pending-calls.ts";
import type { ProgramTable } from "./program-table.ts";
import { RecordReader } from "./record-reader.ts";

export interface RpcConnectionOptions {
  readonly stream: ByteStream;
  readonly environment: RpcEnvironment;
  /** What calls from the peer may ask for. */
  readonly programs: ProgramTable;
  readonly flavors: ReadonlyMap<number, AuthFlavorServer>;
  /** Whether the peer still has to show itself (connections that peers opened). */
  readonly stranger: boolean;
  /** Memory for a record was refused, or a call must wait for others. */
  readonly onShort?: (() => void) | undefined;
  /** Called before the first byte is read. */
  readonly onOpen?: ((connection: RpcConnection) => void) | undefined;
}

export interface AdmitOptions {
  /** The longest record taken from now on, in bytes. Default: unchanged. */
  readonly recordBytes?: number;
  /** What the client's connections may hold together; from `RpcServer.createShare`. Default: only the bound on all. */
  readonly share?: LoadShare;
}

export interface CloseOptions {
  /** After so long the connection is aborted. Default 5,000. */
  readonly graceMs?: number;
}

/**
 * ONC RPC over one stream, in both directions: calls of this side and their replies, calls of the peer and the replies to them. Who opened the
 * stream makes no difference but for what is allowed to strangers.
 */
export class RpcConnection implements Upgradable {
  readonly counters: RpcCounters;
  /** For the layer above: what it knows of the peer. */
  userData: unknown = undefined;
  /** Resolves (never rejects) when the stream has ended and given back all memory. */
  readonly closed: Promise<StreamEnd>;
  readonly #environment: RpcEnvironment;
  readonly #share: LoadShare;
  readonly #reader: RecordReader;
  readonly #outbox: Outbox;
  readonly #incoming: IncomingCalls;
  readonly #pending: PendingCalls;
  readonly #onShort: (() => void) | undefined;
  #stream: ByteStream;
  #stranger: boolean;
  #upgraded = false;
  #recordBytes: number;
  #ended: RpcError | null = null;
  #finishing = false;

  constructor(options: RpcConnectionOptions) {
    const { stream, environment, stranger } = options;
    const { clock, limits, counters } = environment;
    this.#environment = environment;
    this.#stream = stream;
    this.#stranger = stranger;
    this.#onShort = options.onShort;
    this.#recordBytes = limits.recordBytes;
    this.counters = counters;
    counters.connections++;
    this.#share = new LoadShare(
      { memory: limits.memoryPerConnection, calls: limits.callsPerConnection, output: limits.outputPerConnection },
      stranger ? environment.strangers : environment.all,
    );
    this.#outbox = new Outbox(stream, environment, this.#share.output, () => this.#sendTimedOut());
    this.#reader = new RecordReader(
      {
        stream,
        clock,
        counters,
        pool: environment.buffers,
        memory: this.#share.memory,
        recordLimit: limits.recordBytes,
        fragmentLimit: limits.fragmentsPerRecord,
        recordTimeout: limits.recordTimeoutMs * 1000,
        idleTimeout: stranger ? limits.strangerTimeoutMs * 1000 : Number.POSITIVE_INFINITY,
      },
      {
        record: (record) => this.#record(record),
        batchEnd: () => this.#batchEnd(),
        peerEnded: (truncated) => this.#peerEnded(truncated),
        failed: (error) => this.#failed(error),
        owing: () => !this.#incoming.idle || this.#pending.size > 0,
        short: () => this.#onShort?.(),
      },
    );
    this.#pending = new PendingCalls(environment, this.#outbox);
    this.#incoming = new IncomingCalls({
      connection: this,
      environment,
      share: this.#share,
      reader: this.#reader,
      outbox: this.#outbox,
      programs: options.programs,
      flavors: options.flavors,
      badMessage: (problem) => this.#badMessage(problem),
      short: () => this.#onShort?.(),
    });
    this.closed = stream.closed.then((end) => this.#streamEnded(end));
    if (connectionChannel.hasSubscribers) connectionChannel.publish({ connection: this });
    options.onOpen?.(this);
    stream.setSink(this.#reader);
  }

  get localAddress(): SocketAddress {
    return this.#stream.localAddress;
  }

  get peerAddress(): SocketAddress {
    return this.#stream.peerAddress;
  }

  /** Whether nobody has vouched for the peer yet. */
  get stranger(): boolean {
    return this.#stranger;
  }

  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** Whether the connection is of no more use for calls. */
  get ended(): boolean {
    return this.#ended !== null;
  }

  /** Why it is; undefined while it is not. */
  get endReason(): RpcError | undefined {
    return this.#ended ?? undefined;
  }

  /** Calls of the peer that are being executed. */
  get callsInFlight(): number {
    return this.#incoming.inFlight;
  }

  /** Calls of the peer that wait to be executed. */
  get callsWaiting(): number {
    return this.#incoming.waiting;
  }

  /** Calls of this side that have no reply yet. */
  get callsPending(): number {
    return this.#pending.size;
  }

  /** Bytes of memory that the connection's received records take. */
  get memoryUsed(): number {
    return this.#share.memory.used;
  }

  /** Since when the peer has been in the middle of a record, in µs of uptime; null if it is not. */
  get receivingSince(): number | null {
    return this.#reader.receivingSince;
  }

  /** Since when the peer has taken nothing of the replies that wait for it, in µs of uptime; null if none wait. */
  get unreadSince(): number | null {
    return this.#outbox.unreadSince;
  }

  /** Whether the record that the peer is sending has to wait here for memory. */
  get waitsForMemory(): boolean {
    return this.#reader.waiting;
  }

  /**
   * The layer above vouches for the peer, say because it has shown itself to be a known client: the bounds and deadlines for strangers no
   * longer hold for it. May be called again with other options.
   */
  admit(options: AdmitOptions = {}): void {
    if (this.ended) return;
    this.#recordBytes = options.recordBytes ?? this.#recordBytes;
    if (this.#stranger || options.share !== undefined) this.#share.moveTo(options.share ?? this.#environment.all);
    this.#stranger = false;
    this.#reader.relax(this.#recordBytes, Number.POSITIVE_INFINITY);
  }

  /** Calls the peer. Rejects with RpcError, or with the signal's reason. */
  call<T>(request: CallRequest<T>): Promise<T> {
    const { results } = this.start(this.takeXid(), request);
    if (request.credential?.refresh === undefined) return results;
    return results.catch(async (error: unknown) => {
      if (!(error instanceof RpcError) || error.code !== "RPC_AUTH_ERROR") throw error;
      if ((await request.credential?.refresh?.(error.authStat ?? 0)) !== true) throw error;
      return this.start(this.takeXid(), request).results;
    });
  }

  /** An xid for `start` that is not in use on this connection. */
  takeXid(): number {
    return this.#pending.takeXid();
  }

  /**
   * As `call`, with an xid of the caller's. To send a call again after its connection was lost, start it with the same xid on the next one: the
   * server's duplicate request cache then knows it again.
   */
  start<T>(xid: number, request: CallRequest<T>): PendingCall<T> {
    return this.#pending.start(xid, request);
  }

  upgrade(wrap: (stream: ByteStream) => ByteStream): void {
    this.#outbox.flush();
    const stream = wrap(this.#stream);
    this.#stream = stream;
    this.#upgraded = true;
    this.#outbox.attach(stream);
    this.#reader.attach(stream);
  }

  /**
   * Takes no further call, answers those that it has, and closes in order. Calls of this side that are pending fail with RPC_CLOSED.
   * Resolves when the stream has ended. Idempotent.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#ended !== null) {
      await this.closed;
      return;
    }
    const error = new RpcError("RPC_CLOSED", "the connection was closed on this side");
    const deadline = this.#environment.clock.callout(() => this.abort(error));
    deadline.scheduleAfter((options.graceMs ?? 5000) * 1000);
    if (!this.#finishing) {
      this.#pending.close(error);
      this.#reader.close();
      this.#finish();
    }
    await this.closed;
    deadline.cancel();
  }

  /** Ends the connection now. */
  abort(reason: RpcError = new RpcError("RPC_CLOSED", "the connection was aborted on this side")): void {
    if (this.#ended !== null) return;
    this.#end(reason);
    this.#stream.abort(reason);
  }

  #record(record: PooledBuffer): void {
    this.#outbox.corked = true;
    const reader = record.reader;
    reader.reset(record.bytes, 0, record.length);
    if (record.length < 8) {
      record.release();
      this.#badMessage("a record is too short for a message");
      return;
    }
    const xid = reader.uint32();
    const type = reader.uint32();
    if (type === MsgType.CALL) {
      this.#incoming.accept(record, xid);
      return;
    }
    const understood = type === MsgType.REPLY && this.#pending.accept(record, xid);
    record.release();
    if (!understood) this.#badMessage("a record is neither a call nor a reply");
  }

  #badMessage(problem: string): void {
    this.counters.badMessages++;
    this.#failed(new RpcError("RPC_PROTOCOL_ERROR", problem));
  }

  #batchEnd(): void {
    this.#outbox.corked = false;
    this.#outbox.flush();
  }

  /** The peer will send no more, but may still take the answers to what it has sent. */
  #peerEnded(truncated: boolean): void {
    if (truncated) this.counters.recordsTruncated++;
    this.#pending.close(new RpcError("RPC_DISCONNECTED", "the peer has finished sending"));
    this.#reader.close();
    this.#finish();
  }

  #failed(error: RpcError): void {
    this.counters.connectionsAborted++;
    this.abort(error);
  }

  #finish(): void {
    this.#finishing = true;
    const finish = (): void => {
      this.#outbox.flush();
      this.#stream.shutdown();
    };
    if (this.#incoming.idle) finish();
    else this.#incoming.onIdle = finish;
  }

  #sendTimedOut(): void {
    this.counters.sendTimeouts++;
    this.#failed(new RpcError("RPC_SEND_TIMEOUT", "the peer does not take what is sent to it"));
  }

  #streamEnded(end: StreamEnd): StreamEnd {
    const details = end.error === undefined ? {} : { cause: end.error };
    this.#end(new RpcError("RPC_DISCONNECTED", `the connection has ended (${end.how})`, details));
    if (endChannel.hasSubscribers) endChannel.publish({ connection: this, end, error: this.#ended });
    return end;
  }

  #end(reason: RpcError): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#reader.close();
    this.#pending.close(reason);
    this.#incoming.close(reason);
    this.#outbox.close();
  }
}
