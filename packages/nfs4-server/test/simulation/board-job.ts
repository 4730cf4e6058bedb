/** Close-to-open: who opens a file after somebody has closed it reads what was written before, or later (RFC 8881 §10.3.1). */
import type { SeededRandom } from "@nfs4/timecounter";
import { FILE_SYNC, UNSTABLE } from "../harness/compound.ts";
import { openOwn, readAll } from "./data-job.ts";
import type { Promises } from "./promises.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import { WrittenFile } from "./written-file.ts";

const WORDS = 200;

/** A file that one client writes: each word of it is the number of the edition. */
export class Board {
  readonly path: string;
  /** Edition that the last CLOSE has published, and the last one that was begun. */
  published = 0;
  begun = 0;

  constructor(path: string) {
    this.path = path;
  }
}

export class BoardJob {
  readonly #client: SimulatedClient;
  readonly #promises: Promises;
  readonly #own: Board;
  readonly #file: WrittenFile;
  readonly #boards: readonly Board[];
  readonly #random: SeededRandom;

  constructor(client: SimulatedClient, promises: Promises, own: Board, boards: readonly Board[]) {
    this.#client = client;
    this.#promises = promises;
    this.#own = own;
    this.#boards = boards;
    this.#file = new WrittenFile(client, promises, own.path);
    this.#random = client.random.fork();
  }

  async publish(): Promise<void> {
    const held = await openOwn(this.#client, this.#file.model);
    const edition = ++this.#own.begun;
    const bytes = new Uint8Array(4 * WORDS);
    const view = new DataView(bytes.buffer);
    for (let word = 0; word < WORDS; word++) view.setUint32(4 * word, edition);
    const half = 4 * (WORDS >> 1);
    await this.#file.write(held, 0, bytes.subarray(0, half), this.#random.pick([UNSTABLE, FILE_SYNC]));
    await this.#file.write(held, half, bytes.subarray(half), UNSTABLE);
    await this.#file.commit(held, this.#random);
    await this.#client.close(held);
    this.#own.published = edition;
  }

  async read(): Promise<void> {
    const board = this.#random.pick(this.#boards);
    const { published } = board;
    if (published === 0) return;
    const held = await this.#client.open(board.path, { access: 1 });
    if (!("opened" in held)) throw new Error(`OPEN of ${board.path}: ${held.summary}`);
    const content = await readAll(this.#client, held);
    await this.#client.close(held);
    if (content.length !== 4 * WORDS) throw new Error(`${board.path} has ${content.length} bytes`);
    const view = new DataView(content.buffer, content.byteOffset);
    for (let word = 0; word < WORDS; word++) {
      const edition = view.getUint32(4 * word);
      if (edition < published || edition > board.begun)
        throw new Error(`${board.path} has edition ${edition} though ${published} was published before it was opened`);
    }
    this.#promises.counts.boardsRead++;
  }
}
