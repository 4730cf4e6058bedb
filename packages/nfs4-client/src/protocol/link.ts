import type { Connector } from "@nfs4/bytestream";
import { NFS_V4, NFS4_PROGRAM } from "@nfs4/protocol";
import {
  type AuthFlavorClient,
  connectWithBackoff,
  RpcClient,
  type RpcEnvironment,
  RpcError,
  type RpcProgram,
} from "@nfs4/rpc";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";

const COMPOUND = 1;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 15_000;

export interface LinkOptions {
  readonly connector: Connector;
  readonly to: { readonly address: string; readonly port: number };
  readonly environment: RpcEnvironment;
  readonly credential: AuthFlavorClient;
  /** What the server may call back. */
  readonly programs: readonly RpcProgram[];
  /** For an attempt to connect. */
  readonly connectTimeoutMs: number;
}

/** One encoded COMPOUND and what takes its answer. */
export interface CompoundCall {
  encode(writer: XdrWriter): void;
  /** Views of the reader's bytes end with the call. */
  decode(reader: XdrReader): void;
}

/** A connection to a server that is made again when it is lost: with growing pauses, for as long as anybody waits for it. */
export class Link {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  #rpc: RpcClient | null = null;
  #connecting: Promise<RpcClient> | null = null;
  /** Counts connections, so that those above know what a connection was told. */
  generation = 0;
  /** Connections in a row over which no answer came. */
  #barren = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The address of the other end, "" while there is no connection. */
  get peer(): string {
    return this.#rpc?.peerAddress.address ?? "";
  }

  /** A connection, as soon as there is one. `attempts`: how often to try. Rejects with the last `ConnectError`, or an `RpcError` if the link was closed. */
  connect(attempts: number = Number.POSITIVE_INFINITY): Promise<RpcClient> {
    if (this.#rpc !== null && !this.#rpc.connection.ended) return Promise.resolve(this.#rpc);
    this.#connecting ??= this.#open(attempts).finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Sends a COMPOUND over the connection that there is. Rejects with an `RpcError`; after RPC_DISCONNECTED it may have been executed. */
  async send(rpc: RpcClient, xid: number, call: CompoundCall, timeoutMs: number): Promise<void> {
    try {
      await rpc.start(xid, {
        program: NFS4_PROGRAM,
        version: NFS_V4,
        procedure: COMPOUND,
        encode: (writer) => call.encode(writer),
        decode: (reader) => call.decode(reader),
        timeoutMs,
      }).results;
      this.#barren = 0;
    } catch (error) {
      // Whoever does not answer for so long is not there any more, whatever TCP says of it.
      if (error instanceof RpcError && error.code === "RPC_TIMEOUT") rpc.connection.abort(error);
      throw error;
    }
  }

  /** Waits for a pause to end, or the link to be closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async close(): Promise<void> {
    this.#closing.abort(new RpcError("RPC_CLOSED", "the client was closed"));
    await this.#connecting?.catch(() => undefined);
    await this.#rpc?.close();
  }

  async #open(attempts: number): Promise<RpcClient> {
    const { connector, to, environment, credential, programs, connectTimeoutMs } = this.#options;
    const { clock, random } = environment;
    const signal = this.#closing.signal;
    signal.throwIfAborted();
    // A server that takes connections and ends them, whatever the reason, is not to be asked as fast as that goes.
    if (this.#barren > 1) await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** (this.#barren - 2), LONGEST_PAUSE_MS));
    this.#barren++;
    const stream = await connectWithBackoff({
      ...{ connector, to, clock, random, signal, attempts },
      timeoutMs: connectTimeoutMs,
    });
    this.#rpc = new RpcClient({ stream, environment, credential, programs });
    this.generation++;
    return this.#rpc;
  }

  #pause(ms: number): Promise<void> {
    const signal = this.#closing.signal;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        callout.cancel();
        signal.removeEventListener("abort", done);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      const callout = this.#options.environment.clock.callout(done);
      callout.scheduleAfter(ms * 1000);
      signal.addEventListener("abort", done);
    });
  }
}

/** Whether a call may be sent again on another connection. */
export function isConnectionLoss(error: unknown): error is RpcError {
  return error instanceof RpcError && LOSSES.has(error.code);
}

const LOSSES: ReadonlySet<string> = new Set([
  "RPC_DISCONNECTED",
  "RPC_TIMEOUT",
  "RPC_PROTOCOL_ERROR",
  "RPC_RECORD_TOO_LONG",
  "RPC_RECEIVE_TIMEOUT",
  "RPC_SEND_TIMEOUT",
  "RPC_EVICTED",
]);
