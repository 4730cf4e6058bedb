import type { ByteStream, Listener } from "@nfs4/bytestream";
import type { Clock, RandomSource } from "@nfs4/timecounter";
import type { AuthFlavorServer } from "./auth/flavor.ts";
import { authNoneServer } from "./auth/none.ts";
import { authSysServer } from "./auth/sys.ts";
import { type CloseOptions, RpcConnection } from "./connection.ts";
import type { RpcCounters } from "./counters.ts";
import { RpcEnvironment } from "./environment.ts";
import { Evictor } from "./evictor.ts";
import type { RpcLimits } from "./limits.ts";
import { LoadShare, type LoadShareLimits } from "./load-share.ts";
import type { RpcProgram } from "./program.ts";
import { ProgramTable } from "./program-table.ts";

export interface RpcServerOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly programs?: Iterable<RpcProgram>;
  /** Default AUTH_NONE and AUTH_SYS. */
  readonly flavors?: Iterable<AuthFlavorServer>;
  readonly limits?: Partial<RpcLimits>;
  /** Called for every new connection, before its first byte is read. */
  readonly onConnection?: (connection: RpcConnection) => void;
  /** Overwrite memory when it is given back, so that tests see who still uses it. */
  readonly poison?: boolean;
}

/** Executes calls that come over any number of listeners, within bounds that hold for all of them together. */
export class RpcServer implements AsyncDisposable {
  readonly programs: ProgramTable;
  readonly environment: RpcEnvironment;
  readonly #flavors: Map<number, AuthFlavorServer> = new Map();
  readonly #onConnection: ((connection: RpcConnection) => void) | undefined;
  readonly #listeners: Set<Listener> = new Set();
  readonly #connections: Set<RpcConnection> = new Set();
  readonly #evictor: Evictor;
  #closed = false;

  constructor(options: RpcServerOptions) {
    this.programs = new ProgramTable(options.programs);
    this.environment = new RpcEnvironment(options);
    this.#onConnection = options.onConnection;
    for (const flavor of options.flavors ?? [authNoneServer, authSysServer]) this.#flavors.set(flavor.flavor, flavor);
    this.#evictor = new Evictor(this.environment, this.#connections);
  }

  get counters(): RpcCounters {
    return this.environment.counters;
  }

  get connections(): ReadonlySet<RpcConnection> {
    return this.#connections;
  }

  /** Accepts connections from a listener, and closes it when the server closes. */
  serve(listener: Listener): void {
    if (this.#closed) throw new Error("the server is closed");
    this.#listeners.add(listener);
    listener.accept((stream) => this.accept(stream));
  }

  /** Serves one stream. Beyond the limit of connections it is aborted, and null returned. */
  accept(stream: ByteStream): RpcConnection | null {
    if (this.#closed || this.#connections.size >= this.environment.limits.connections) {
      this.counters.connectionsRefused++;
      stream.abort();
      return null;
    }
    const connection = new RpcConnection({
      stream,
      environment: this.environment,
      programs: this.programs,
      flavors: this.#flavors,
      stranger: true,
      onShort: this.#evictor.onShort,
      onOpen: this.#onConnection,
    });
    this.#connections.add(connection);
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#evictor.closed(connection);
    });
    this.#evictor.opened(connection);
    return connection;
  }

  /** A share for a client that has several connections: pass it to `admit` of each. */
  createShare(limits: LoadShareLimits): LoadShare {
    return new LoadShare(limits, this.environment.all);
  }

  /** Closes the listeners, then every connection once its calls are answered, or after the grace. Idempotent. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    this.#evictor.close();
    await Promise.all([
      ...listeners.map((listener) => listener.close()),
      ...[...this.#connections].map((connection) => connection.close(options)),
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
