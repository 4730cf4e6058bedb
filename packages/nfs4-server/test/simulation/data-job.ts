/** Writes to a file of the client's own, in all ways, and commits; what is read in the end is what was written. */
import type { SeededRandom } from "@nfs4/timecounter";
import { DATA_SYNC, FILE_SYNC, UNSTABLE } from "../harness/compound.ts";
import type { Reply } from "../harness/reply.ts";
import type { FileModel } from "./file-model.ts";
import type { Promises } from "./promises.ts";
import type { Held, SimulatedClient } from "./simulated-client.ts";
import { WrittenFile } from "./written-file.ts";

const LONGEST = 1500;
const LARGEST = 6000;

export class DataJob {
  readonly #client: SimulatedClient;
  readonly #file: WrittenFile;
  readonly #random: SeededRandom;

  constructor(client: SimulatedClient, promises: Promises, path: string) {
    this.#client = client;
    this.#file = new WrittenFile(client, promises, path);
    this.#random = client.random.fork();
  }

  async run(): Promise<void> {
    const random = this.#random;
    const held = await openOwn(this.#client, this.#file.model);
    for (let writes = random.between(1, 4); writes > 0; writes--) {
      const bytes = random.fill(new Uint8Array(random.between(1, LONGEST)));
      const stable = random.pick([UNSTABLE, UNSTABLE, DATA_SYNC, FILE_SYNC] as const);
      await this.#file.write(held, random.below(LARGEST), bytes, stable);
      if (random.chance(0.2)) await this.#file.resize(held, random.below(LARGEST));
      if (random.chance(0.2)) await this.#client.sleep(random.below(1_000_000));
    }
    if (random.chance(0.6)) await this.#file.commit(held, random);
    await this.#client.close(held);
  }

  /** Everything is committed, and reads as it was written. */
  async finish(): Promise<void> {
    const { model } = this.#file;
    if (!model.exists) return;
    const held = await openOwn(this.#client, model);
    await this.#file.commit(held, this.#random);
    const content = await readAll(this.#client, held);
    if (content.length !== model.intended.length || content.some((byte, at) => byte !== model.intended[at]))
      throw new Error(`${model.path} does not read as it was written`);
    await this.#client.close(held);
  }
}

/** Opens a file for reading and writing, and makes it if need be. */
export async function openOwn(client: SimulatedClient, model: FileModel): Promise<Held> {
  const held = await client.open(model.path, { create: "unchecked", attributes: { mode: 0o644 } });
  if (!("opened" in held)) throw new Error(`OPEN of ${model.path}: ${(held as Reply).summary}`);
  model.exists = true;
  return held;
}

export async function readAll(client: SimulatedClient, held: Held): Promise<Uint8Array> {
  const reply = await client.do(
    () => client.mount.compound().putfh(held.opened.handle).read(held.opened.stateid, 0, 65_536).send(),
    { held, renews: true, idempotent: true },
  );
  return reply.get("READ").data;
}
