import type { ByteStream, Listener, SocketAddress } from "@nfs4/bytestream";
import type { Address } from "../address.ts";
import { TcpConnection } from "./connection.ts";
import type { FastOpenQueue } from "./fast-open-server.ts";
import type { SignatureKeys } from "./signatures/signature-keys.ts";
import type { Tcb, TcbOwner } from "./tcb.ts";

/** What a listener needs of the layer that made it. */
export interface ListenerHost {
  unlisten(listener: TcpListener): void;
}

/** A port on which connections are accepted. */
export class TcpListener implements Listener, TcbOwner {
  readonly localAddress: SocketAddress;
  /** Null: any of our addresses. */
  readonly address: Address | null;
  readonly port: number;
  /** Connections that may wait for `accept`. */
  readonly backlog: number;
  /** Handshakes that may be under way at once. */
  readonly halfOpenLimit: number;
  /** Keys for those who connect here; for whom there is none, the stack's. Connections keep the key that they began with. */
  readonly signatureKeys: SignatureKeys;
  halfOpen = 0;
  /** Until when an acknowledgment out of the blue may bring a SYN cookie; µs of uptime. */
  cookiesUntil = 0;
  /** Null: Fast Open is off. */
  readonly fastOpen: FastOpenQueue | null;
  /** Others may share its address and port. */
  readonly reusePort: boolean;
  closed = false;
  readonly #host: ListenerHost;
  #handler: ((stream: ByteStream) => void) | null = null;
  #waiting: TcpConnection[] = [];

  constructor(
    host: ListenerHost,
    address: Address | null,
    port: number,
    backlog: number,
    signatureKeys: SignatureKeys,
    fastOpen: FastOpenQueue | null,
    reusePort: boolean,
  ) {
    this.#host = host;
    this.address = address;
    this.port = port;
    this.backlog = backlog;
    this.signatureKeys = signatureKeys;
    this.fastOpen = fastOpen;
    this.reusePort = reusePort;
    this.halfOpenLimit = Math.max(backlog, 16) * 4;
    this.localAddress = {
      family: address?.family === 4 ? "IPv4" : "IPv6",
      address: address?.toString() ?? "::",
      port,
    };
  }

  /** No room for one more that nobody accepts. */
  get isFull(): boolean {
    return this.#handler === null && this.#waiting.length >= this.backlog;
  }

  /** Connections that wait for `accept`. */
  get waiting(): number {
    return this.#waiting.length;
  }

  accept(handler: (stream: ByteStream) => void): void {
    if (this.#handler !== null) throw new Error("accept() was called before");
    this.#handler = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) handler(connection);
  }

  /** From the layer: a handshake is complete. */
  established(tcb: Tcb): void {
    tcb.context.statistics.accepts++;
    const connection = new TcpConnection(tcb);
    if (this.#handler === null) this.#waiting.push(connection);
    else this.#handler(connection);
  }

  ended(): void {}

  drained(): void {}

  lingered(): void {}

  reported(): void {}

  urgent(): void {}

  /** Connections that nobody has accepted yet are reset. */
  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      this.#host.unlisten(this);
      for (const connection of this.#waiting.splice(0)) connection.abort();
    }
    return Promise.resolve();
  }
}
