import type { Clock } from "@nfs4/timecounter";
import { ConnectError } from "./connect-error.ts";
import { type MemoryPipeOptions, memoryAddress, memoryPipe } from "./memory-stream.ts";
import type { ByteStream, ConnectOptions, Connector, Listener, SocketAddress } from "./types.ts";

export interface MemoryNetworkOptions extends Omit<MemoryPipeOptions, "addresses"> {
  /** Connections that a listener keeps until `accept()` is called; more are refused. Default 128. */
  readonly backlog?: number;
}

const FIRST_EPHEMERAL_PORT = 49152;

/** Hosts by name, with ports, within one process: listeners and connectors over memory pipes. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #options: MemoryNetworkOptions;
  readonly #listeners = new Map<string, MemoryListener>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(clock: Clock, options: MemoryNetworkOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Listens at a name. Port 0 (the default) takes a free one. Throws EADDRINUSE. */
  listen(at: { readonly address: string; readonly port?: number }): Listener {
    const port = at.port || this.#nextPort++;
    const key = keyOf(at.address, port);
    if (this.#listeners.has(key)) {
      throw Object.assign(new Error(`listen ${key}: EADDRINUSE`), { code: "EADDRINUSE", address: at.address, port });
    }
    const listener = new MemoryListener(memoryAddress(at.address, port), this.#options.backlog ?? 128, () =>
      this.#listeners.delete(key),
    );
    this.#listeners.set(key, listener);
    return listener;
  }

  /** A connector whose streams come from `address`. */
  connector(address = "client"): Connector {
    return { connect: (to, options) => this.#connect(memoryAddress(address, this.#nextPort++), to, options) };
  }

  /** A connection is made, or refused, in the next turn of the clock (after `delayUs`), so that only a signal or a shorter `timeoutMs` can stop it. */
  #connect(
    from: SocketAddress,
    to: { readonly address: string; readonly port: number },
    options: ConnectOptions = {},
  ): Promise<ByteStream> {
    return new Promise((resolve, reject) => {
      const fail = (code: string, cause?: unknown): void => {
        attempt.cancel();
        timeout.cancel();
        options.signal?.removeEventListener("abort", onAbort);
        reject(new ConnectError(code, to, cause));
      };
      const onAbort = (): void => fail("ABORT_ERR", options.signal?.reason);
      const attempt = this.#clock.callout(() => {
        const listener = this.#listeners.get(keyOf(to.address, to.port));
        if (listener === undefined || listener.isFull) return fail("ECONNREFUSED");
        timeout.cancel();
        options.signal?.removeEventListener("abort", onAbort);
        const addresses = [from, listener.localAddress] as const;
        const [near, far] = memoryPipe(this.#clock, { ...this.#options, addresses });
        resolve(near);
        listener.offer(far);
      });
      const timeout = this.#clock.callout(() => fail("ETIMEDOUT"));
      if (options.signal?.aborted) return onAbort();
      options.signal?.addEventListener("abort", onAbort);
      attempt.scheduleAfter(this.#options.delayUs ?? 0);
      if (options.timeoutMs !== undefined) timeout.scheduleAfter(options.timeoutMs * 1000);
    });
  }
}

class MemoryListener implements Listener {
  readonly localAddress: SocketAddress;
  readonly #backlog: number;
  readonly #forget: () => void;
  #waiting: ByteStream[] = [];
  #handler: ((stream: ByteStream) => void) | null = null;

  constructor(localAddress: SocketAddress, backlog: number, forget: () => void) {
    this.localAddress = localAddress;
    this.#backlog = backlog;
    this.#forget = forget;
  }

  get isFull(): boolean {
    return this.#handler === null && this.#waiting.length >= this.#backlog;
  }

  offer(stream: ByteStream): void {
    if (this.#handler !== null) this.#handler(stream);
    else this.#waiting.push(stream);
  }

  accept(handler: (stream: ByteStream) => void): void {
    this.#handler = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of waiting) handler(stream);
  }

  /** Connections that nobody has accepted are reset. */
  async close(): Promise<void> {
    this.#forget();
    for (const stream of this.#waiting) stream.abort();
    this.#waiting = [];
  }
}

function keyOf(address: string, port: number): string {
  return `${address}:${port}`;
}
