import { FILE_SYNC4, UNSTABLE4 } from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import type { Mount } from "../mount.ts";
import { Compound } from "../protocol/compound.ts";
import type { OpenFile } from "../state/open-file.ts";

/** Bytes that the server may still lose, at most: then it is asked to make them stable. */
const MOST_UNSTABLE = 32 << 20;
/** READs or WRITEs of one call under way at once. */
const WINDOW = 8;

/** What was written and is not known to be on stable storage. */
interface Unstable {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly verifier: string;
}

/**
 * Bulk data of one open file: many READs or WRITEs at once, and what the server has not promised to keep is sent again if it restarts before it does
 * (RFC 8881 §18.32.3, §18.3).
 */
export class Transfer {
  readonly #mount: Mount;
  readonly #file: OpenFile;
  #unstable: Unstable[] = [];
  #unstableBytes = 0;
  #commit: Promise<void> | null = null;

  constructor(mount: Mount, file: OpenFile) {
    this.#mount = mount;
    this.#file = file;
  }

  /** Reads into `into`, fewer bytes only at the end of the file. */
  async read(into: Uint8Array, position: number, options: RunOptions): Promise<number> {
    const pieces: Promise<Piece>[] = [];
    const { maxRead } = this.#mount.traits;
    let total = 0;
    let next = 0;
    for (;;) {
      while (pieces.length < WINDOW && next < into.length) {
        const piece = into.subarray(next, next + maxRead);
        pieces.push(this.#readPiece(piece, position + next, options));
        next += piece.length;
      }
      const first = pieces.shift();
      if (first === undefined) return total;
      const { bytes, wanted } = await settled(first, pieces);
      total += bytes;
      if (bytes < wanted) {
        // The file ends here.
        await Promise.allSettled(pieces);
        return total;
      }
    }
  }

  /** One READ after another until the piece is full, or the file ends. */
  async #readPiece(piece: Uint8Array, position: number, options: RunOptions): Promise<Piece> {
    let bytes = 0;
    while (bytes < piece.length) {
      const { count, eof } = await this.#readOnce(piece.subarray(bytes), position + bytes, options);
      bytes += count;
      if (eof || count === 0) break;
    }
    return { bytes, wanted: piece.length };
  }

  async #readOnce(
    into: Uint8Array,
    offset: number,
    options: RunOptions,
  ): Promise<{ readonly count: number; readonly eof: boolean }> {
    const file = this.#file;
    const compound = new Compound("read").putFh(() => file.handle);
    const step = compound.op("READ", () => ({ stateid: file.ioStateid, offset, count: into.length }));
    let count = 0;
    let eof = true;
    compound.whileLent = () => {
      if (!step.succeeded) return;
      const { data } = step.body;
      count = Math.min(data.length, into.length);
      into.set(data.length > count ? data.subarray(0, count) : data);
      eof = step.body.eof;
    };
    await this.#mount.client.run(compound, { ...options, file });
    return { count, eof };
  }

  /** Writes all of `data`. `synchronous`: it is on stable storage when this resolves. */
  async write(data: Uint8Array, position: number, synchronous: boolean, options: RunOptions): Promise<void> {
    const { maxWrite } = this.#mount.traits;
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < data.length; at += maxWrite) {
      if (pieces.length >= WINDOW) await settled(pieces.shift()!, pieces);
      pieces.push(this.#writePiece(data.subarray(at, at + maxWrite), position + at, synchronous, options));
    }
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) await settled(piece, pieces);
    if (this.#unstableBytes > MOST_UNSTABLE) await this.commit(options);
  }

  async #writePiece(piece: Uint8Array, position: number, synchronous: boolean, options: RunOptions): Promise<void> {
    let at = 0;
    while (at < piece.length) {
      const part = piece.subarray(at);
      const { count, unstable } = await this.#writeOnce(part, position + at, synchronous, options);
      if (unstable !== null) this.#remember(part.slice(0, count), position + at, unstable);
      at += count;
    }
  }

  /** `unstable`: the server's write verifier, if it has not promised to keep the bytes. */
  async #writeOnce(
    data: Uint8Array,
    offset: number,
    synchronous: boolean,
    options: RunOptions,
  ): Promise<{ readonly count: number; readonly unstable: string | null }> {
    const file = this.#file;
    const compound = new Compound("write").putFh(() => file.handle);
    const stable = synchronous ? FILE_SYNC4 : UNSTABLE4;
    const step = compound.op("WRITE", () => ({ stateid: file.ioStateid, offset, stable, data }));
    await this.#mount.client.run(compound, { ...options, file });
    const { count, committed, writeverf } = step.body;
    return { count, unstable: committed === UNSTABLE4 ? hex(writeverf) : null };
  }

  #remember(bytes: Uint8Array, position: number, verifier: string): void {
    this.#unstable.push({ position, bytes, verifier });
    this.#unstableBytes += bytes.length;
  }

  /** Whether there is anything that a commit would make stable. */
  get isStable(): boolean {
    return this.#unstable.length === 0;
  }

  /** Resolves when everything written so far is on stable storage. */
  async commit(options: RunOptions): Promise<void> {
    while (this.#commit !== null) await this.#commit;
    if (this.isStable) return;
    this.#commit = this.#commitAll(options).finally(() => {
      this.#commit = null;
    });
    await this.#commit;
  }

  async #commitAll(options: RunOptions): Promise<void> {
    while (this.#unstable.length > 0) {
      const written = this.#unstable;
      const file = this.#file;
      const compound = new Compound("commit").putFh(() => file.handle);
      const step = compound.op("COMMIT", { offset: 0, count: 0 });
      await this.#mount.client.run(compound, { ...options, file });
      const verifier = hex(step.body.writeverf);
      this.#unstable = this.#unstable.slice(written.length);
      for (const { bytes } of written) this.#unstableBytes -= bytes.length;
      // The server has restarted since, and may have lost these.
      const lost = written.filter((one) => one.verifier !== verifier);
      for (const { bytes, position } of lost) await this.#writePiece(bytes, position, false, options);
    }
  }
}

interface Piece {
  readonly bytes: number;
  readonly wanted: number;
}

/** The first of several promises; if it fails, the others are not left to fail unheard. */
async function settled<T>(first: Promise<T>, others: readonly Promise<unknown>[]): Promise<T> {
  try {
    return await first;
  } catch (error) {
    for (const other of others) other.catch(() => undefined);
    throw error;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
