import type { ByteStream, SocketAddress, StreamEnd } from "@nfs4/bytestream";
import type { AuthFlavorClient, AuthFlavorServer } from "./auth/flavor.ts";
import { authNoneServer } from "./auth/none.ts";
import { authSysServer } from "./auth/sys.ts";
import { type CloseOptions, RpcConnection } from "./connection.ts";
import { RpcEnvironment, type RpcEnvironmentOptions } from "./environment.ts";
import type { CallRequest, PendingCall } from "./pending-calls.ts";
import type { RpcProgram } from "./program.ts";
import { ProgramTable } from "./program-table.ts";

export interface RpcClientOptions {
  /** A connected stream; the client owns it. */
  readonly stream: ByteStream;
  /** Time, memory and bounds: what it takes to make some, or those of other connections. */
  readonly environment: RpcEnvironment | RpcEnvironmentOptions;
  /** Programs that the peer may call over the same connection (callbacks). */
  readonly programs?: Iterable<RpcProgram>;
  /** Flavors taken from calls of the peer. Default AUTH_NONE and AUTH_SYS. */
  readonly flavors?: Iterable<AuthFlavorServer>;
  /** The credential of calls that name none. Default AUTH_NONE. */
  readonly credential?: AuthFlavorClient;
  /** The timeout of calls that name none. Default: none. */
  readonly timeoutMs?: number;
}

/** Calls over one connection, and callbacks from it. When the connection is lost, so is the client: make another (see `connectWithBackoff`). */
export class RpcClient implements AsyncDisposable {
  readonly connection: RpcConnection;
  /** What the peer may call; programs can be added later. */
  readonly programs: ProgramTable;
  readonly environment: RpcEnvironment;
  readonly #credential: AuthFlavorClient | undefined;
  readonly #timeoutMs: number | undefined;

  constructor(options: RpcClientOptions) {
    const { environment } = options;
    this.environment = environment instanceof RpcEnvironment ? environment : new RpcEnvironment(environment);
    this.programs = new ProgramTable(options.programs);
    this.#credential = options.credential;
    this.#timeoutMs = options.timeoutMs;
    const flavors = new Map<number, AuthFlavorServer>();
    for (const flavor of options.flavors ?? [authNoneServer, authSysServer]) flavors.set(flavor.flavor, flavor);
    this.connection = new RpcConnection({
      stream: options.stream,
      environment: this.environment,
      programs: this.programs,
      flavors,
      stranger: false,
    });
  }

  get peerAddress(): SocketAddress {
    return this.connection.peerAddress;
  }

  /** Resolves (never rejects) when the connection has ended. */
  get closed(): Promise<StreamEnd> {
    return this.connection.closed;
  }

  /** Makes a call. Rejects with RpcError, or with the signal's reason. Calls made at once go out together and are answered in any order. */
  call<T>(request: CallRequest<T>): Promise<T> {
    return this.connection.call(this.#complete(request));
  }

  /** As `call`, with an xid of the caller's: see `RpcConnection.start`. */
  start<T>(xid: number, request: CallRequest<T>): PendingCall<T> {
    return this.connection.start(xid, this.#complete(request));
  }

  /** An xid that no outstanding call has. */
  takeXid(): number {
    return this.connection.takeXid();
  }

  /** Closes in order. Pending calls reject with RPC_CLOSED. Idempotent. */
  close(options?: CloseOptions): Promise<void> {
    return this.connection.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #complete<T>(request: CallRequest<T>): CallRequest<T> {
    const credential = request.credential ?? this.#credential;
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    if (credential === request.credential && timeoutMs === request.timeoutMs) return request;
    return {
      ...request,
      ...(credential === undefined ? {} : { credential }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
  }
}
