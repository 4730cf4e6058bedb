import { endianness } from "node:os";

const LITTLE = endianness() === "LE";
const HEADER = 16;

/** Walks what `watchRead` has put into a buffer, without an object per event: `next()` moves to the following one and fills in the members. */
export class WatchReader {
  /** The number of the watch; −1 with IN.Q_OVERFLOW. */
  watch = 0;
  /** IN.…, with a bit more for directories. */
  mask = 0;
  /** True: it is about an entry of what is watched; false: about that itself. */
  named = false;
  readonly #view: DataView;
  readonly #length: number;
  #at = 0;

  /** @param length What `watchRead` returned. The buffer is borrowed. */
  constructor(buffer: Uint8Array, length: number) {
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    this.#length = length;
  }

  /** False at the end. */
  next(): boolean {
    const at = this.#at;
    if (at + HEADER > this.#length) return false;
    this.watch = this.#view.getInt32(at, LITTLE);
    this.mask = this.#view.getUint32(at + 4, LITTLE);
    const nameLength = this.#view.getUint32(at + 12, LITTLE);
    this.named = nameLength > 0;
    this.#at = at + HEADER + nameLength;
    return true;
  }
}
