import { createServer, type Server, type Socket } from "node:net";
import type { ByteStream, Listener, SocketAddress } from "../types.ts";
import { NodeByteStream, type NodeStreamOptions, socketAddress } from "./node-stream.ts";

export interface NodeListenerOptions extends NodeStreamOptions {
  /** Default: every address. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Connections that wait for `accept()`; more are reset. Default 128. */
  readonly backlog?: number;
}

/** Listens on a kernel socket. Rejects with Node's error (EADDRINUSE, EACCES …). */
export async function nodeListener(options: NodeListenerOptions): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  const backlog = options.backlog ?? 128;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port ?? 0, backlog }, resolve);
  });
  return new NodeListener(server, backlog, options);
}

class NodeListener implements Listener {
  readonly localAddress: SocketAddress;
  readonly #server: Server;
  #waiting: ByteStream[] = [];
  #handler: ((stream: ByteStream) => void) | null = null;

  constructor(server: Server, backlog: number, options: NodeStreamOptions) {
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("not a TCP socket");
    this.localAddress = socketAddress(address.address, address.port);
    // Running out of descriptors concerns the connection that could not be accepted; those that are live on.
    server.on("error", () => {});
    server.on("connection", (socket: Socket) => {
      const stream = new NodeByteStream(socket, options);
      if (this.#handler !== null) this.#handler(stream);
      else if (this.#waiting.length < backlog) this.#waiting.push(stream);
      else stream.abort();
    });
  }

  accept(handler: (stream: ByteStream) => void): void {
    this.#handler = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of waiting) handler(stream);
  }

  /** Connections that nobody has accepted are reset. */
  async close(): Promise<void> {
    this.#server.close();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of waiting) stream.abort();
  }
}
