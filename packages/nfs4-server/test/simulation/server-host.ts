/** The server, its state and its exported files on a simulated disk: boots, crashes, and boots again. */
import type { Clock, SeededRandom } from "@nfs4/timecounter";
import { createServer, type NfsServer } from "../../src/server.ts";
import { NodeStorage } from "../../src/storage/node-storage.ts";
import { DiskCalls } from "../disk/disk-calls.ts";
import type { DiskDirectory, DiskNode } from "../disk/disk-directory.ts";
import { DiskFileSystem } from "../disk/disk-file-system.ts";
import { SimulatedDisk } from "../disk/simulated-disk.ts";
import type { SimulatedNetwork } from "./network.ts";

export const LEASE_SECONDS = 10;

export interface ServerHostOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
}

export class ServerHost {
  readonly disk: SimulatedDisk;
  /** What it exports. */
  readonly files: DiskDirectory;
  /** Looks at the disk after a crash: throws if a promise is broken. */
  onCrash: () => void = () => {};
  crashes = 0;
  /** Of the servers that have ended. */
  replays = 0;
  faults = 0;
  readonly #options: ServerHostOptions;
  /** Rejects with what no server may come to. */
  readonly failure: Promise<never>;
  #fail!: (error: Error) => void;
  #server: NfsServer | null = null;

  constructor(options: ServerHostOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.disk = new SimulatedDisk({ random: random.fork(), clock });
    this.files = this.disk.install("files");
    this.disk.onCrash = () => this.#crashed();
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
  }

  /** Changes with every start: what was asked of one life may have been done, and the next does not remember. */
  get life(): number {
    return this.disk.boots;
  }

  get server(): NfsServer | null {
    return this.#server;
  }

  async boot(): Promise<void> {
    const { clock, random, network } = this.#options;
    const machine = this.disk.boot();
    const fileSystem = new DiskFileSystem(machine, this.files, () => clock.wall());
    const server = await createServer({
      clock,
      random: random.fork(),
      storage: new NodeStorage("/", new DiskCalls(machine)),
      exports: [{ path: "/", fileSystem, squash: "none" }],
      leaseSeconds: LEASE_SECONDS,
      courtesySeconds: 3 * LEASE_SECONDS,
    });
    if (server.damagedJournalLines > 0) throw new Error("a crash looks like damage of the journal");
    this.#server = server;
    server.listen(network.serverUp());
  }

  /** The power goes, and comes back after a while. */
  crash(): void {
    this.disk.cut();
  }

  node(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.files;
    for (const name of path.split("/").filter((part) => part !== ""))
      node = node?.kind === "directory" ? node.names.get(name) : undefined;
    return node;
  }

  #crashed(): void {
    const { clock, random, network } = this.#options;
    this.crashes++;
    network.serverDown();
    if (this.#server) {
      this.replays += this.#server.counters.replays;
      this.faults += this.#server.counters.faults;
      void this.#server.close({ graceMs: 0 });
    }
    this.#server = null;
    try {
      this.onCrash();
    } catch (error) {
      this.#fail(error as Error);
    }
    // A server that cannot write down its start does not start, and is tried again.
    const boot = (): void =>
      void this.boot().catch((error: NodeJS.ErrnoException) => {
        if (error.code === "EIO") this.crash();
        else this.#fail(error);
      });
    clock.callout(boot).scheduleAfter(random.between(100_000, 3_000_000));
  }

  /** No more crashes: the server ends in order, and the power goes after it. */
  async shutDown(): Promise<void> {
    const server = this.#server;
    this.disk.onCrash = () => {};
    await server?.close({ graceMs: 0 });
    if (server) {
      this.replays += server.counters.replays;
      this.faults += server.counters.faults;
    }
    this.#server = null;
    this.disk.cut();
  }
}
