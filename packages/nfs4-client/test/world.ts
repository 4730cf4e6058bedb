/** A server in virtual time, with a network in memory, and clients of it. */
import { type ByteStream, ConnectError, type Connector, MemoryNetwork } from "@nfs4/bytestream";
import { createServer, MemoryFileSystem, MemoryStorage, type NfsServer } from "@nfs4/server";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { type ConnectOptions, connect, type NfsPromises } from "../src/index.ts";

const ADDRESS = "10.0.0.1";
const PORT = 2049;

interface Way {
  cut: boolean;
  streams: ByteStream[];
}

export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: SeededRandom = new SeededRandom(1);
  readonly network: MemoryNetwork;
  readonly storage: MemoryStorage = new MemoryStorage();
  readonly files: MemoryFileSystem = new MemoryFileSystem({ now: () => this.clock.wall(), root: { mode: 0o777 } });
  readonly #clients: NfsPromises[] = [];
  readonly #ways: Way[] = [];
  /** Of servers that are started from now on. */
  leaseSeconds = 90;
  #server: NfsServer | null = null;

  /** `delayUs`: one way. */
  constructor(delayUs: number) {
    this.network = new MemoryNetwork(this.clock, { poison: true, delayUs });
  }

  static async create({ delayUs = 0 }: { readonly delayUs?: number } = {}): Promise<World> {
    const world = new World(delayUs);
    await world.start();
    return world;
  }

  get server(): NfsServer {
    if (this.#server === null) throw new Error("the server does not run");
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await this.run(
      createServer({
        clock: this.clock,
        random: this.random.fork(),
        storage: this.storage,
        leaseSeconds: this.leaseSeconds,
        connector: this.network.connector(ADDRESS),
        exports: [{ path: "/", fileSystem: this.files, squash: "none" }],
        poison: true,
      }),
    );
    this.#server.listen(this.network.listen({ address: ADDRESS, port: PORT }));
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.#server = null;
    await this.run(server.close({ graceMs: 0 }));
  }

  /** Another server on the same storage and files, as after a crash: it knows only what its journal says. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets time run until the promise settles. */
  run<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runToSettle(promise, { limit: 24 * 3600e6 });
  }

  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void> {
    return this.clock.runFor(seconds * 1e6);
  }

  async connect(options: ConnectOptions = {}): Promise<NfsPromises> {
    const nfs = await this.run(
      connect(`nfs://${ADDRESS}/`, {
        clock: this.clock,
        random: this.random.fork(),
        connector: this.#wayOf(this.#clients.length),
        user: { uid: 1000, gid: 1000 },
        umask: 0o022,
        ...options,
      }),
    );
    this.#clients.push(nfs);
    return nfs;
  }

  /** No way between client `index` (in the order of their connecting) and the server, until it is mended. */
  cut(index: number): void {
    const way = this.#ways[index]!;
    way.cut = true;
    for (const stream of way.streams.splice(0)) stream.abort();
  }

  mend(index: number): void {
    this.#ways[index]!.cut = false;
  }

  #wayOf(index: number): Connector {
    const way: Way = { cut: false, streams: [] };
    this.#ways[index] = way;
    const connector = this.network.connector(`10.0.1.${index + 1}`);
    return {
      connect: async (to, options) => {
        if (way.cut) throw new ConnectError("EHOSTUNREACH", to);
        const stream = await connector.connect(to, options);
        way.streams.push(stream);
        return stream;
      },
    };
  }

  /** Everybody leaves. */
  async finish(): Promise<void> {
    for (const nfs of this.#clients) await this.run(nfs.close());
    await this.stop();
  }
}
