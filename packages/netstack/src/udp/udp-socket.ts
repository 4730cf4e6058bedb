import type { Address } from "../address.ts";
import type { ControlErrorKind } from "../transport.ts";
import type { UdpLayer } from "./udp-layer.ts";

/** A datagram that came in. */
export interface UdpMessage {
  /** Lent for the call: copy what is kept. */
  readonly bytes: Uint8Array;
  readonly from: Address;
  readonly fromPort: number;
  /** The address that it was sent to: ours, a broadcast, or a group. */
  readonly to: Address;
}

export interface UdpSocketHandlers {
  message(message: UdpMessage): void;
  /** A host or router could not deliver something that we sent. */
  error?(kind: ControlErrorKind, to: Address, port: number): void;
}

/** A bound UDP port. */
export class UdpSocket {
  /** Null: any of the stack's addresses. */
  readonly address: Address | null;
  readonly port: number;
  readonly broadcast: boolean;
  readonly handlers: UdpSocketHandlers;
  readonly #layer: UdpLayer;
  #closed = false;

  constructor(layer: UdpLayer, address: Address | null, port: number, broadcast: boolean, handlers: UdpSocketHandlers) {
    this.#layer = layer;
    this.address = address;
    this.port = port;
    this.broadcast = broadcast;
    this.handlers = handlers;
  }

  /**
   * Sends a datagram. `bytes` are read before this returns, unless it is called from within the stack (a handler): then they must stay as they are until
   * that call has ended. Returns 0, or why not (`NO_ROUTE`, `TOO_BIG` … of ip/protocol.ts).
   */
  send(bytes: Uint8Array, to: Address | string, port: number): number {
    return this.#closed ? NOT_BOUND : this.#layer.send(this, bytes, to, port);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#layer.unbind(this);
  }
}

/** What `send` returns after `close`. */
export const NOT_BOUND = -1;
