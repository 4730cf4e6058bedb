/** What happens to the server and the links while clients work, drawn from the seed. */
import { type Clock, type SeededRandom, sleepOn } from "@nfs4/timecounter";
import type { LastingWire } from "./lasting-wire.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { ServerHost } from "./server-host.ts";

export interface ChaosOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly host: ServerHost;
  readonly network: SimulatedNetwork;
  readonly wires: readonly LastingWire[];
}

/** Goes on until it is stopped, and then mends everything. */
export class Chaos {
  partitions = 0;
  readonly #options: ChaosOptions;
  readonly #sleep: (us: number) => Promise<void>;
  #stopped = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#sleep = sleepOn(options.clock);
  }

  stop(): void {
    this.#stopped = true;
    const { host, network, wires } = this.#options;
    host.disk.syncFailures = 0;
    host.disk.crashAt = Number.POSITIVE_INFINITY;
    for (const client of wires.keys()) network.partition(client, false);
  }

  async run(): Promise<void> {
    const { host, random } = this.#options;
    host.disk.syncFailures = random.pick([0, 0, 0.05, 0.2]);
    const calm = random.pick([1_000_000, 4_000_000, 12_000_000]);
    for (;;) {
      await this.#sleep(random.between(10_000, calm));
      if (this.#stopped) return;
      switch (random.below(8)) {
        case 0:
          host.crash();
          break;
        case 1:
          // In the midst of what is being written then.
          host.disk.crashAt = host.disk.operations + random.between(1, 12);
          break;
        case 2:
          await this.#part();
          break;
        default:
          await this.#tear();
      }
    }
  }

  /** A connection breaks in the midst of a call, if it can be had: then nobody knows whether it was executed. */
  async #tear(): Promise<void> {
    const { random, wires } = this.#options;
    const wire = random.pick(wires);
    for (let tries = 0; tries < 100 && !wire.waiting; tries++) await this.#sleep(20_000);
    await this.#sleep(random.below(20_000));
    wire.abort();
  }

  async #part(): Promise<void> {
    const { random, network, wires } = this.#options;
    const client = random.below(wires.length);
    this.partitions++;
    network.partition(client, true);
    await this.#sleep(random.pick([500_000, 3_000_000, 12_000_000, 25_000_000]));
    network.partition(client, false);
  }
}
