import { XdrWriter } from "@xdr-ts/xdr";

/** Opaque data of so many bytes goes out by reference; less is copied, for a slice of its own costs more. */
const GATHER_BYTES = 8192;
const CHUNK_BYTES = 4096;
/** A writer that has grown beyond this is not kept. */
const LARGEST_KEPT = 64 * 1024;
const REUSE = { reuse: true } as const;

/** Lends `XdrWriter`s, whose memory is then written again and again. */
export class WriterPool {
  readonly #keep: number;
  readonly #idle: XdrWriter[] = [];
  #outstanding = 0;

  /** @param keep how many idle writers to keep */
  constructor(keep = 256) {
    this.#keep = keep;
  }

  /** Writers lent and not returned. */
  get outstanding(): number {
    return this.#outstanding;
  }

  take(): XdrWriter {
    this.#outstanding++;
    return this.#idle.pop() ?? new XdrWriter({ chunkSize: CHUNK_BYTES, gatherThreshold: GATHER_BYTES });
  }

  /** Takes a writer back; nobody may use a view of its memory any more. */
  put(writer: XdrWriter, ownBytes: number): void {
    this.#outstanding--;
    if (ownBytes > LARGEST_KEPT || this.#idle.length >= this.#keep) return;
    writer.reset(REUSE);
    this.#idle.push(writer);
  }
}
