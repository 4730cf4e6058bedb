import { type Bitmap, NFS4ERR_FHEXPIRED, NFS4ERR_STALE } from "@nfs4/protocol";
import type { NfsClient } from "./client.ts";
import { Compound } from "./protocol/compound.ts";

/** What the server says of the exported file system. */
export interface ExportTraits {
  readonly supported: Bitmap;
  /** Bytes in a READ or WRITE. */
  readonly maxRead: number;
  readonly maxWrite: number;
}

/** An export that a client works in: the directory that all paths begin at. */
export class Mount {
  readonly client: NfsClient;
  /** The export's path, for messages. */
  readonly path: readonly string[];
  readonly traits: ExportTraits;
  #root: Uint8Array;

  constructor(client: NfsClient, path: readonly string[], root: Uint8Array, traits: ExportTraits) {
    this.client = client;
    this.path = path;
    this.traits = traits;
    this.#root = root;
  }

  get root(): Uint8Array {
    return this.#root;
  }

  /** Makes the directory of these names, from the export's root, the current filehandle. */
  enter(compound: Compound, names: readonly string[]): Compound {
    return compound.putFh(() => this.#root).lookup(...names);
  }

  /** Whether a COMPOUND failed because the root's filehandle is no good any more; then it has another, and the COMPOUND may go again. */
  async refreshRoot(compound: Compound): Promise<boolean> {
    const { failed } = compound;
    const isStale = failed?.status === NFS4ERR_STALE || failed?.status === NFS4ERR_FHEXPIRED;
    if (failed?.name !== "PUTFH" || !isStale) return false;
    const again = new Compound("root").putRoot().lookup(...this.path);
    const handle = again.getFh();
    await this.client.attempt(again);
    if (!handle.succeeded || Buffer.compare(handle.body.object, this.#root) === 0) return false;
    this.#root = handle.body.object;
    return true;
  }
}
