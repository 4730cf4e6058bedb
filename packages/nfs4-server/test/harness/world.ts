/** A server in virtual time with its network, storage and file system, and the clients of a test. Checked for leaks at the end. */
import { type Listener, MemoryNetwork, type MemoryNetworkOptions } from "@nfs4/bytestream";
import { RpcEnvironment, type RpcProgram } from "@nfs4/rpc";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { expect } from "vitest";
import type { ExportOptions } from "../../src/exports/export.ts";
import { MemoryFileSystem } from "../../src/filesystem/memory/memory-file-system.ts";
import type { FileSystem } from "../../src/filesystem/types.ts";
import { createServer, type NfsServer, type ServerOptions } from "../../src/server.ts";
import { MemoryStorage } from "../../src/storage/memory-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { Client40 } from "./client40.ts";
import { Client41 } from "./client41.ts";
import { Delays } from "./delays.ts";
import { Wire } from "./wire.ts";

export interface WorldOptions extends Partial<Omit<ServerOptions, "exports" | "clock" | "random">> {
  readonly seed?: number;
  /** Default: `files` at "/", nobody squashed. */
  readonly exports?: (world: World) => readonly ExportOptions[];
  /** The file system answers later: see `World.delays`. */
  readonly delayed?: boolean;
  readonly network?: MemoryNetworkOptions;
  /** Of the file system in memory, in bytes. */
  readonly capacity?: number;
}

export const SERVER_ADDRESS = "10.0.0.1";
const NFS_PORT = 2049;

export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly storage: Storage;
  readonly files: MemoryFileSystem;
  /** With `delayed`: how much later the file system answers. */
  readonly delays: Delays;
  /** What the default export serves: `files`, with or without delays. */
  readonly served: FileSystem<object, never>;
  readonly environment: RpcEnvironment;
  readonly #options: WorldOptions;
  readonly #wires: Set<Wire> = new Set();
  #server: NfsServer | null = null;
  #nextXid = 1000;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed ?? 1);
    this.network = new MemoryNetwork(this.clock, { poison: true, ...options.network });
    this.storage = options.storage ?? new MemoryStorage();
    this.files = new MemoryFileSystem({
      now: () => this.clock.wall(),
      root: { mode: 0o777 },
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
    });
    this.delays = new Delays(this.clock, this.random.fork());
    this.served = (options.delayed ? this.delays.around(this.files) : this.files) as FileSystem<object, never>;
    this.environment = new RpcEnvironment({ clock: this.clock, random: this.random.fork(), poison: true });
  }

  static async create(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.start();
    return world;
  }

  get server(): NfsServer {
    if (!this.#server) throw new Error("the server is down");
    return this.#server;
  }

  get services(): NfsServer["services"] {
    return this.server.services;
  }

  /** Lets time run until the promise has settled. */
  run<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runToSettle(promise);
  }

  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void> {
    return this.clock.runFor(seconds * 1e6);
  }

  takeXid(): number {
    return this.#nextXid++;
  }

  async start(): Promise<void> {
    const { seed: _, exports, delayed: __, network: ___, capacity: ____, ...server } = this.#options;
    const made = createServer({
      connector: this.network.connector(SERVER_ADDRESS),
      ...server,
      storage: this.storage,
      clock: this.clock,
      random: this.random.fork(),
      exports: exports?.(this) ?? [{ path: "/", fileSystem: this.served, squash: "none" }],
      poison: true,
    });
    this.#server = await this.run(made);
    this.#server.listen(this.network.listen({ address: SERVER_ADDRESS, port: NFS_PORT }) as Listener);
  }

  /** The server ends in order; its clients lose their connections. */
  async stop(): Promise<void> {
    const server = this.server;
    this.#server = null;
    for (const wire of this.#wires) wire.abort();
    this.#wires.clear();
    await this.run(server.close({ graceMs: 0 }));
  }

  /** Another server on the same storage and file system, as after a crash or an upgrade. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async wire(address = "10.0.0.2", programs: Iterable<RpcProgram> = []): Promise<Wire> {
    const stream = await this.run(
      this.network.connector(address).connect({ address: SERVER_ADDRESS, port: NFS_PORT }, {}),
    );
    const wire = new Wire(this, stream, address, this.environment, programs);
    this.#wires.add(wire);
    return wire;
  }

  /** A 4.0 client that has confirmed its id. */
  async client40(name = "alpha"): Promise<Client40> {
    const client = new Client40(await this.wire(), name);
    await client.introduce();
    return client;
  }

  /** A 4.1 (or 4.2) client with a session that has said RECLAIM_COMPLETE. */
  async client41(name = "alpha", minor: 1 | 2 = 1): Promise<Client41> {
    const client = new Client41(await this.wire(), name, minor);
    await client.introduce();
    return client;
  }

  /** A client of any minor version that is ready to work. */
  mount(minor: number, name = "alpha"): Promise<Client40 | Client41> {
    return minor === 0 ? this.client40(name) : this.client41(name, minor as 1 | 2);
  }

  /** Everybody leaves; nothing may stay behind. */
  async finish(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    await this.run(Promise.all([...this.#wires].map((wire) => wire.rpc.close())));
    expect(server.services.queue.busyKeys, "keys of the queue still busy").toBe(0);
    expect(server.services.readBuffers.outstanding, "read buffers outstanding").toBe(0);
    this.#server = null;
    await this.run(server.close());
    await this.pass(1);
    const { environment } = server.rpc;
    expect(environment.buffers.outstanding, "record buffers outstanding").toBe(0);
    expect(environment.writers.outstanding, "reply writers outstanding").toBe(0);
    expect(environment.all.memory.used, "memory of records").toBe(0);
    expect(server.services.states.stateCount, "states").toBe(0);
    expect(server.services.states.openFileCount, "files with state").toBe(0);
    expect(this.delays.openFiles, "open files").toBe(0);
    expect(server.counters.faults, "exceptions that were nobody's answer").toBe(0);
  }
}
