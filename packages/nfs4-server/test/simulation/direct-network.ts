/** Streams in memory that lose nothing, but end when the server's host does. */
import { type ByteStream, type Connector, type Listener, MemoryNetwork } from "@nfs4/bytestream";
import type { Clock } from "@nfs4/timecounter";
import { NFS_PORT, type SimulatedNetwork } from "./network.ts";

const SERVER = "10.0.0.1";

export class DirectNetwork implements SimulatedNetwork {
  readonly #network: MemoryNetwork;
  readonly #accepted: Set<ByteStream> = new Set();
  #listener: Listener | null = null;

  constructor(clock: Clock) {
    this.#network = new MemoryNetwork(clock, { delayUs: 100 });
  }

  serverUp(): Listener {
    const listener = this.#network.listen({ address: SERVER, port: NFS_PORT });
    this.#listener = listener;
    return {
      localAddress: listener.localAddress,
      accept: (handler) =>
        listener.accept((stream) => {
          this.#accepted.add(stream);
          void stream.closed.then(() => this.#accepted.delete(stream));
          handler(stream);
        }),
      close: () => listener.close(),
    };
  }

  serverDown(): void {
    void this.#listener?.close();
    this.#listener = null;
    for (const stream of this.#accepted) stream.abort();
  }

  connector(client: number): Connector {
    return this.#network.connector(`10.0.1.${client}`);
  }

  addressFor(): string {
    return SERVER;
  }

  /** These streams cannot be parted. */
  partition(): void {}

  async close(): Promise<void> {
    this.serverDown();
  }
}
