/** What the server has promised to all clients together, and what of it can be looked at after each crash. */
import { FileModel } from "./file-model.ts";
import type { ServerHost } from "./server-host.ts";

export interface Counts {
  /** Writes that were sent again because the verifier had changed. */
  rewritten: number;
  /** Non-idempotent requests that succeeded within one life of the server. */
  once: number;
  /** Locks that were granted, and refused. */
  granted: number;
  denied: number;
  increments: number;
  boardsRead: number;
}

export class Promises {
  readonly counts: Counts = { rewritten: 0, once: 0, granted: 0, denied: 0, increments: 0, boardsRead: 0 };
  readonly #host: ServerHost;
  readonly #files: Map<string, FileModel> = new Map();
  /** Names with what is known of them; those about which a request is under way are missing. */
  readonly #names: Map<string, boolean> = new Map();

  constructor(host: ServerHost) {
    this.#host = host;
    host.onCrash = () => this.check();
  }

  get life(): number {
    return this.#host.life;
  }

  get syncsHaveFailed(): boolean {
    return this.#host.disk.failedSyncs > 0;
  }

  file(path: string): FileModel {
    let model = this.#files.get(path);
    if (!model) {
      model = new FileModel(path);
      this.#files.set(path, model);
    }
    return model;
  }

  /** Something that may change the name is about to be asked for. */
  nameInDoubt(path: string): void {
    this.#names.delete(path);
  }

  nameIs(path: string, there: boolean): void {
    this.#names.set(path, there);
  }

  /** Throws if the disk does not have what was acknowledged. */
  check(): void {
    for (const model of this.#files.values()) {
      const node = this.#host.node(model.path);
      const mistake = model.mistake(node?.kind === "file" ? node.content : undefined);
      if (mistake) throw new Error(mistake);
    }
    for (const [path, there] of this.#names) {
      if ((this.#host.node(path) !== undefined) !== there)
        throw new Error(
          `${path} ${there ? "is gone, though its making" : "is there, though its removal"} was acknowledged`,
        );
    }
  }
}
