/**
 * The recovery journal in the hands of a server that lives, loses its power and comes back, with a model beside it: the set of clients that may reclaim
 * after each call. What the journal says after a crash must be one of these sets, and none from before the last call that was answered.
 */
import { SeededRandom } from "@nfs4/timecounter";
import type { Client } from "../../src/state/client.ts";
import { RecoveryJournal } from "../../src/state/recovery-journal.ts";
import { NodeStorage, type StorageCalls } from "../../src/storage/node-storage.ts";
import { clientOnRecord } from "./client-on-record.ts";
import { DiskCalls } from "./disk-calls.ts";
import type { Machine } from "./machine.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

export interface JournalLifeOptions {
  readonly seed: number;
  /** Operation of the disk at which the power goes first. Default: never. */
  readonly crashAt?: number;
  /** How the storage reaches the disk. Default: as it should. */
  readonly calls?: (machine: Machine) => StorageCalls;
}

const OWNERS = ["4.0:a", "4.0:b", "4.1:c", "4.1:d", "4.1:e"];
const STEPS = 25;

export class JournalLife {
  readonly disk: SimulatedDisk;
  /** Failed calls: the disk has said EIO. */
  failures = 0;
  readonly #random: SeededRandom;
  readonly #calls: (machine: Machine) => StorageCalls;
  /** The set of those who may reclaim, after each call of this boot. */
  #history: ReadonlySet<string>[] = [new Set()];
  /** The first of them that may come back: what followed was answered. */
  #answered = 0;
  #held: Map<string, Client> = new Map();

  constructor({ seed, crashAt, calls = (machine) => new DiskCalls(machine) }: JournalLifeOptions) {
    this.#random = new SeededRandom(seed);
    this.#calls = calls;
    this.disk = new SimulatedDisk({ random: this.#random.fork(), sector: 16 });
    this.disk.crashAt = crashAt ?? Number.POSITIVE_INFINITY;
    // Half of the lives are spent with a disk that fails now and then.
    this.disk.syncFailures = seed % 2 === 0 ? 0.1 : 0;
  }

  /** Lives through its boots; the power is cut at `crashAt`, soon after the next boot once more, and at the end. */
  async run(): Promise<void> {
    for (let boot = 0; boot < 4; boot++) {
      const machine = this.disk.boot();
      const cut = new Promise<void>((resolve) => {
        this.disk.onCrash = resolve;
      });
      await Promise.race([this.#live(machine), cut]);
      if (machine.alive) this.disk.cut();
      else this.disk.crashAt = this.disk.operations + this.#random.between(1, 20);
    }
  }

  async #live(machine: Machine): Promise<void> {
    const storage = new NodeStorage("/", this.#calls(machine));
    const journal = await RecoveryJournal.open(storage, { compactAbove: 4 });
    if (journal.damagedLines > 0) throw new Error("a crash looks like damage");
    this.#check(journal.reclaimers);
    let grace = journal.reclaimers.size > 0;
    if (!grace) this.#endGrace(journal);
    for (let step = 0; step < STEPS && machine.alive; step++) {
      const owner = this.#random.pick(grace ? [...journal.reclaimers] : OWNERS);
      switch (this.#random.below(6)) {
        case 0:
        case 1:
          await this.#remember(journal, owner);
          break;
        case 2:
          this.#forget(journal, owner);
          break;
        case 3:
          await this.#answer(journal.settle());
          break;
        case 4:
          await this.#reclaimComplete(journal, owner);
          break;
        default:
          if (grace && this.#random.chance(0.3)) {
            grace = false;
            this.#endGrace(journal);
          }
      }
    }
    await storage.close();
  }

  #check(recovered: ReadonlySet<string>): void {
    const allowed = this.#history.slice(this.#answered);
    if (!allowed.some((set) => sameSet(set, recovered))) {
      const text = allowed.map((set) => `{${[...set]}}`).join(" or ");
      throw new Error(`after boot ${this.disk.boots} {${[...recovered]}} may reclaim, and not ${text}`);
    }
    this.#history = [recovered];
    this.#answered = 0;
    this.#held = new Map();
  }

  #now(change: (set: Set<string>) => void): void {
    const set = new Set(this.#history.at(-1));
    change(set);
    this.#history.push(set);
  }

  /** A reply has waited for this. */
  async #answer(recorded: void | Promise<void>): Promise<void> {
    const history = this.#history;
    const last = history.length - 1;
    const answered = (): void => {
      if (history === this.#history) this.#answered = Math.max(this.#answered, last);
    };
    if (!recorded) return answered();
    const done = recorded.then(answered, () => {
      this.failures++;
    });
    if (this.#random.chance(0.6)) await done;
  }

  #remember(journal: RecoveryJournal, owner: string): Promise<void> {
    const client = this.#held.get(owner) ?? clientOnRecord(owner);
    this.#held.set(owner, client);
    this.#now((set) => set.add(owner));
    return this.#answer(journal.remember(client));
  }

  #forget(journal: RecoveryJournal, owner: string): void {
    const client = this.#held.get(owner);
    if (!client) return;
    this.#held.delete(owner);
    if (client.journaled) this.#now((set) => set.delete(owner));
    journal.forget(client);
  }

  async #reclaimComplete(journal: RecoveryJournal, owner: string): Promise<void> {
    const client = this.#held.get(owner);
    if (!client) return;
    client.reclaimComplete = true;
    this.#now((set) => set.add(owner));
    await this.#answer(journal.remember(client));
  }

  #endGrace(journal: RecoveryJournal): void {
    this.#now((set) => {
      set.clear();
      for (const [owner, client] of this.#held)
        if (client.journaled && (client.reclaimComplete || owner.startsWith("4.0"))) set.add(owner);
    });
    journal.graceEnded(this.#held.values());
  }
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}
