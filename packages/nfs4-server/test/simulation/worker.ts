/** One client's life: what it does round after round, and the check at its end. */
import type { SeededRandom } from "@nfs4/timecounter";
import { type Board, BoardJob } from "./board-job.ts";
import { CounterJob, type SharedCounter } from "./counter-job.ts";
import { DataJob } from "./data-job.ts";
import { NamesJob } from "./names-job.ts";
import type { Promises } from "./promises.ts";
import { LEASE_SECONDS } from "./server-host.ts";
import { type SimulatedClient, StateLost } from "./simulated-client.ts";

export interface WorkerOptions {
  readonly client: SimulatedClient;
  readonly promises: Promises;
  readonly counter: SharedCounter;
  readonly boards: readonly Board[];
  readonly own: Board;
  readonly rounds: number;
}

export class Worker {
  readonly #client: SimulatedClient;
  readonly #random: SeededRandom;
  readonly #rounds: number;
  readonly #directory: string;
  readonly #data: readonly DataJob[];
  readonly #jobs: readonly (() => Promise<void>)[];
  #begun = false;

  constructor({ client, promises, counter, boards, own, rounds }: WorkerOptions) {
    this.#client = client;
    this.#random = client.random.fork();
    this.#rounds = rounds;
    this.#directory = `/${client.name}`;
    this.#data = ["a", "b"].map((name) => new DataJob(client, promises, `${this.#directory}/data-${name}`));
    const names = new NamesJob(client, promises, this.#directory);
    const count = new CounterJob(client, promises, counter);
    const board = new BoardJob(client, promises, own, boards);
    this.#jobs = [
      ...this.#data.map((job) => () => job.run()),
      () => names.run(),
      () => names.run(),
      () => count.run(),
      () => count.run(),
      () => board.publish(),
      () => board.read(),
    ];
  }

  /** Makes a directory before anything goes wrong. */
  async prepare(directory: string = this.#directory): Promise<void> {
    if (!this.#begun) await this.#client.begin();
    this.#begun = true;
    const make = () => this.#client.mount.at("/").mkdir(directory.slice(1), 0o777).send();
    (await this.#client.do(make)).ok();
  }

  async run(): Promise<void> {
    const random = this.#random;
    for (let round = 0; round < this.#rounds; round++) {
      await this.#untilLost(random.pick(this.#jobs));
      if (random.chance(0.05)) await this.#client.restart();
      // Now and then it is idle for so long that its lease runs out.
      const pause = random.chance(0.05) ? 2 * LEASE_SECONDS * 1e6 : random.below(1_500_000);
      await this.#client.sleep(pause);
    }
  }

  async finish(): Promise<void> {
    for (const job of this.#data) while (!(await this.#untilLost(() => job.finish())));
  }

  /** False if what it needed was lost on the way. */
  async #untilLost(job: () => Promise<void>): Promise<boolean> {
    try {
      await job();
      return true;
    } catch (error) {
      if (error instanceof StateLost) return false;
      throw error;
    }
  }
}
