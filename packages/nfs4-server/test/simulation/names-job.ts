/**
 * Makes, renames and removes names that nobody else touches: within one life of the server each succeeds, however often it was sent, for it ran once (RFC 8881
 * §2.10.6.1, RFC 7530 §9.1.7). A server that came between may have done it without anybody knowing.
 */
import type { SeededRandom } from "@nfs4/timecounter";
import type { Compound } from "../harness/compound.ts";
import type { Promises } from "./promises.ts";
import type { SimulatedClient } from "./simulated-client.ts";

export class NamesJob {
  readonly #client: SimulatedClient;
  readonly #promises: Promises;
  readonly #directory: string;
  readonly #random: SeededRandom;
  #next = 0;
  /** Names that are there. */
  #files: string[] = [];

  constructor(client: SimulatedClient, promises: Promises, directory: string) {
    this.#client = client;
    this.#promises = promises;
    this.#directory = directory;
    this.#random = client.random.fork();
  }

  async run(): Promise<void> {
    const random = this.#random;
    const name = `n${this.#next++}`;
    switch (random.below(3)) {
      case 0:
        await this.#once([name], "NFS4ERR_EXIST", (compound) => compound.mkdir(name));
        this.#there(name, true);
        await this.#once([name], "NFS4ERR_NOENT", (compound) => compound.remove(name));
        this.#there(name, false);
        break;
      case 1:
        await this.#makeFile(name);
        break;
      default:
        await this.#renameOrRemove(name);
    }
  }

  async #makeFile(name: string): Promise<void> {
    const path = `${this.#directory}/${name}`;
    const { diskErrors } = this.#client;
    const { life } = this.#promises;
    this.#promises.nameInDoubt(path);
    const made = await this.#client.open(path, { create: "guarded", attributes: { mode: 0o644 } });
    if ("opened" in made) {
      await this.#client.close(made);
    } else {
      // The journal may have failed when the file was there already.
      const excused = life !== this.#promises.life || diskErrors !== this.#client.diskErrors;
      if (made.status !== "NFS4ERR_EXIST" || !excused) throw new Error(`OPEN ran more than once: ${made.summary}`);
    }
    this.#there(name, true);
    this.#files.push(name);
  }

  async #renameOrRemove(fresh: string): Promise<void> {
    const name = this.#files.shift();
    if (name === undefined) return;
    const target = this.#random.pick([null, fresh, ...this.#files]);
    if (target === null) {
      await this.#once([name], "NFS4ERR_NOENT", (compound) => compound.remove(name));
      this.#there(name, false);
      return;
    }
    await this.#once([name, target], "NFS4ERR_NOENT", (compound) => compound.savefh().rename(name, target));
    this.#there(name, false);
    this.#there(target, true);
    if (target === fresh) this.#files.push(fresh);
  }

  /** `repeated`: what it would be answered if it had been done before. */
  async #once(names: readonly string[], repeated: string, add: (compound: Compound) => Compound): Promise<void> {
    for (const name of names) this.#promises.nameInDoubt(`${this.#directory}/${name}`);
    const { life } = this.#promises;
    const { status, summary } = await this.#client.do(() => add(this.#client.mount.at(this.#directory)).send());
    const sameLife = life === this.#promises.life;
    if (status === "NFS4_OK") {
      if (sameLife) this.#promises.counts.once++;
    } else if (status !== repeated || sameLife) {
      throw new Error(`a request has not run once: ${summary}`);
    }
  }

  #there(name: string, there: boolean): void {
    this.#promises.nameIs(`${this.#directory}/${name}`, there);
  }
}
