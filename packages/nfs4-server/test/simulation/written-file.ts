/** A file that is written as NFS clients write: UNSTABLE and COMMIT, and again what the server's verifier says may be lost (RFC 8881 §18.3, §18.32). */
import type { stateid4 } from "@nfs4/protocol";
import type { SeededRandom } from "@nfs4/timecounter";
import { hex } from "../harness/bytes.ts";
import { type Compound, FILE_SYNC, UNSTABLE } from "../harness/compound.ts";
import type { Reply } from "../harness/reply.ts";
import type { FileModel } from "./file-model.ts";
import type { Promises } from "./promises.ts";
import { type Held, type SimulatedClient, StateLost } from "./simulated-client.ts";

interface Uncommitted {
  readonly offset: number;
  readonly length: number;
  /** Null if nobody has said what came of the write. */
  readonly verifier: string | null;
  /** The server's lives that can have answered it: from the first that was asked to the one that ran when the answer came. */
  readonly asked: number;
  readonly answered: number;
}

export class WrittenFile {
  readonly model: FileModel;
  readonly #client: SimulatedClient;
  readonly #promises: Promises;
  #uncommitted: Uncommitted[] = [];
  /** Its size was to be set, and nobody has said whether it was. */
  #sizeInDoubt = false;

  constructor(client: SimulatedClient, promises: Promises, path: string) {
    this.#client = client;
    this.#promises = promises;
    this.model = promises.file(path);
  }

  async write(held: Held, offset: number, bytes: Uint8Array, stable: 0 | 1 | 2): Promise<void> {
    this.model.begin(offset, bytes);
    await this.#send(held, offset, bytes, stable);
  }

  async #send(held: Held, offset: number, bytes: Uint8Array, stable: 0 | 1 | 2): Promise<void> {
    const { length } = bytes;
    const asked = this.#promises.life;
    const reply = await this.#request(
      held,
      (compound, stateid) => compound.write(stateid, offset, bytes, stable),
      () => this.#uncommitted.push({ offset, length, verifier: null, asked, answered: asked }),
    );
    const { count, committed, writeverf } = reply.get("WRITE");
    if (count !== length) throw new Error(`a WRITE of ${length} bytes took ${count}`);
    if (committed < stable) throw new Error(`a WRITE was to be ${stable} and is ${committed} (RFC 8881 §18.32.3)`);
    const { life } = this.#promises;
    if (committed !== UNSTABLE) this.model.settled(offset, length);
    else this.#uncommitted.push({ offset, length, verifier: hex(writeverf), asked, answered: life });
  }

  /** SETATTR of the size, which is stable when it is answered. */
  async resize(held: Held, size: number): Promise<void> {
    const before = this.model.intended.length;
    this.model.beginResize(size);
    await this.#setSize(held, size, () => {
      this.#sizeInDoubt = true;
      // What was to be cut off may be there still, below what is written next.
      const asked = this.#promises.life;
      const length = Math.max(0, before - size);
      this.#uncommitted.push({ offset: size, length, verifier: null, asked, answered: asked });
    });
  }

  async #setSize(held: Held, size: number, lost: () => void): Promise<void> {
    (await this.#request(held, (compound, stateid) => compound.setattr({ size: BigInt(size) }, stateid), lost)).ok();
    this.model.resized(size);
  }

  /** `lost` is called if the open was lost before there was an answer. */
  async #request(
    held: Held,
    add: (compound: Compound, stateid: stateid4) => Compound,
    lost: () => void,
  ): Promise<Reply> {
    try {
      return await this.#client.do(
        () => add(this.#client.mount.compound().putfh(held.opened.handle), held.opened.stateid).send(),
        { held, renews: true },
      );
    } catch (error) {
      if (error instanceof StateLost) lost();
      throw error;
    }
  }

  /** COMMITs until everything is stable. */
  async commit(held: Held, random: SeededRandom): Promise<void> {
    if (this.#sizeInDoubt) await this.#setSize(held, this.model.intended.length, () => {});
    this.#sizeInDoubt = false;
    while (this.#uncommitted.length > 0) {
      const asked = this.#promises.life;
      const reply = await this.#client.do(
        () => this.#client.mount.compound().putfh(held.opened.handle).commit().send(),
        { held },
      );
      const verifier = hex(reply.get("COMMIT").writeverf);
      const written = this.#uncommitted;
      const inDoubt = written.filter((one) => one.verifier !== verifier);
      this.#checkVerifiers(written, verifier, asked);
      this.#uncommitted = [];
      if (inDoubt.length === 0) {
        this.model.settledAll();
        return;
      }
      this.#promises.counts.rewritten += inDoubt.length;
      await this.#writeAgain(held, inDoubt, random);
    }
  }

  #checkVerifiers(written: readonly Uncommitted[], verifier: string, asked: number): void {
    const { life, syncsHaveFailed } = this.#promises;
    for (const one of written) {
      if (one.answered < asked && one.verifier === verifier)
        throw new Error("the write verifier has survived a restart (RFC 8881 §18.3.3)");
      if (!syncsHaveFailed && one.asked === life && one.verifier !== null && one.verifier !== verifier)
        throw new Error("the write verifier has changed without a reason");
    }
  }

  /** As it is to be now: later writes may have gone over it. What cannot be sent stays in doubt. */
  async #writeAgain(held: Held, inDoubt: readonly Uncommitted[], random: SeededRandom): Promise<void> {
    for (const [index, { offset, length }] of inDoubt.entries()) {
      const bytes = this.model.intended.slice(offset, offset + length);
      if (bytes.length === 0) continue;
      try {
        await this.#send(held, offset, bytes, random.pick([UNSTABLE, FILE_SYNC]));
      } catch (error) {
        if (error instanceof StateLost) this.#uncommitted.push(...inDoubt.slice(index + 1));
        throw error;
      }
    }
  }
}
