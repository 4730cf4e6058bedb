import { connect, createServer, type Server, type Socket } from "node:net";
import type { ByteStream } from "@nfs4/bytestream";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { KERNEL, OURS, type TunStack } from "./tun-stack.ts";

export type Family = 4 | 6;
/** Who opens the connections. */
export type Opener = "ours" | "kernel";

/** The two ends of one connection between our stack and the kernel. */
export interface Ends {
  readonly ours: TcpConnection;
  readonly kernel: Socket;
}

/** Opens connections one way, over one family. */
export class World {
  readonly tun: TunStack;
  readonly family: Family;
  readonly opener: Opener;
  readonly #port: number;
  readonly #arrived: (ByteStream | Socket)[] = [];
  readonly #waiters: (() => void)[] = [];
  #server: Server | null = null;

  constructor(tun: TunStack, family: Family, opener: Opener, port: number) {
    this.tun = tun;
    this.family = family;
    this.opener = opener;
    this.#port = port;
  }

  async begin(): Promise<void> {
    const arrive = (stream: ByteStream | Socket): void => {
      this.#arrived.push(stream);
      this.#waiters.shift()?.();
    };
    if (this.opener === "kernel") {
      this.tun.stack.tcp.listen({ port: this.#port, backlog: 2000 }).accept(arrive);
      return;
    }
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, arrive);
    const server = this.#server;
    await new Promise<void>((resolve) => server.listen({ host: "::", port: this.#port, backlog: 2000 }, resolve));
  }

  end(): void {
    this.#server?.close();
    for (const listener of this.tun.stack.tcp.listeners()) if (listener.port === this.#port) void listener.close();
  }

  async open(): Promise<Ends> {
    if (this.opener === "ours") {
      const ours = await this.tun.stack.tcp.connect({ address: KERNEL[this.family], port: this.#port });
      return { ours, kernel: (await this.#next()) as Socket };
    }
    const kernel = connect({ host: OURS[this.family], port: this.#port, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      kernel.once("connect", resolve);
      kernel.once("error", reject);
    });
    return { ours: (await this.#next()) as TcpConnection, kernel };
  }

  async #next(): Promise<ByteStream | Socket> {
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    return this.#arrived.shift()!;
  }
}
