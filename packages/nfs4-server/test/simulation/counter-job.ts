/** Counts up in a file that all clients share, under a lock: no two may come to the same number, and none that was acknowledged is ever lost. */
import type { SeededRandom } from "@nfs4/timecounter";
import { text, utf8 } from "../harness/bytes.ts";
import { FILE_SYNC } from "../harness/compound.ts";
import { openOwn, readAll } from "./data-job.ts";
import type { FileModel } from "./file-model.ts";
import type { LockBelief } from "./lock-belief.ts";
import type { Promises } from "./promises.ts";
import type { Held, SimulatedClient } from "./simulated-client.ts";

/** What the clients have in common. */
export interface SharedCounter {
  readonly file: FileModel;
  readonly belief: LockBelief;
  /** The highest number that was acknowledged. */
  highest: number;
}

const DIGITS = 8;

export class CounterJob {
  readonly #client: SimulatedClient;
  readonly #promises: Promises;
  readonly #shared: SharedCounter;
  readonly #random: SeededRandom;

  constructor(client: SimulatedClient, promises: Promises, shared: SharedCounter) {
    this.#client = client;
    this.#promises = promises;
    this.#shared = shared;
    this.#random = client.random.fork();
  }

  async run(): Promise<void> {
    const held = await openOwn(this.#client, this.#shared.file);
    for (let rounds = this.#random.between(1, 3); rounds > 0; rounds--) {
      if (await this.#lock(held)) {
        await this.#increment(held);
        await this.#unlock(held);
      } else {
        await this.#client.sleep(this.#random.between(100_000, 1_500_000));
      }
    }
    await this.#client.close(held);
  }

  async #lock(held: Held): Promise<boolean> {
    // With each open a lock-owner of its own, as its open-owner.
    const lock = { owner: `${held.opened.owner}-locker` };
    const reply = await this.#client.do(() => this.#client.mount.tryLock(held.opened, lock), { held, renews: true });
    if (reply.status === "NFS4ERR_DENIED") {
      this.#promises.counts.denied++;
      return false;
    }
    reply.ok();
    held.lock = lock;
    this.#promises.counts.granted++;
    this.#shared.belief.granted(this.#client, held);
    return true;
  }

  async #increment(held: Held): Promise<void> {
    const { belief, file } = this.#shared;
    const before = Number(text(await readAll(this.#client, held)) || "0");
    if (!belief.holds(this.#client)) return;
    if (before < this.#shared.highest) throw new Error(`read ${before} after ${this.#shared.highest} was acknowledged`);
    if (this.#random.chance(0.5)) await this.#client.sleep(this.#random.below(2_000_000));
    const next = utf8(String(before + 1).padStart(DIGITS, "0"));
    file.begin(0, next);
    const reply = await this.#client.do(
      () => {
        const { handle, stateid } = held.opened;
        return this.#client.mount.compound().putfh(handle).write(stateid, 0, next, FILE_SYNC).send();
      },
      { held, renews: true },
    );
    reply.ok();
    if (!belief.holds(this.#client)) return;
    if (before + 1 <= this.#shared.highest) throw new Error(`two clients have counted to ${before + 1}`);
    this.#shared.highest = before + 1;
    file.settled(0, DIGITS);
    this.#promises.counts.increments++;
  }

  async #unlock(held: Held): Promise<void> {
    const { lock } = held;
    if (!lock) return;
    this.#shared.belief.released(this.#client);
    const reply = await this.#client.do(() => this.#client.mount.unlock(held.opened, lock), { held, renews: true });
    reply.ok();
    held.lock = null;
  }
}
