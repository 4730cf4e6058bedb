import { endianness } from "node:os";

const LITTLE = endianness() === "LE";
const NAME = 19;

/**
 * Walks what `getdents` has put into a buffer, without an object per entry: `next()` moves to the following entry and fills in the members.
 * The names "." and ".." are among the entries.
 */
export class DirentReader {
  /** To continue behind this entry: what `getdents` takes as cookie (d_off, exact). */
  cookieHigh = 0;
  cookieLow = 0;
  inoHigh = 0;
  inoLow = 0;
  /** DT.…; DT.UNKNOWN where the file system does not say. */
  type = 0;
  /** The name is buffer[nameStart … nameEnd - 1]. */
  nameStart = 0;
  nameEnd = 0;
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  readonly #length: number;
  #at = 0;

  /** @param length What `getdents` returned. The buffer is borrowed. */
  constructor(buffer: Uint8Array, length: number) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    this.#length = length;
  }

  /** False at the end. */
  next(): boolean {
    const at = this.#at;
    if (at >= this.#length) return false;
    const view = this.#view;
    const first = LITTLE ? 0 : 4;
    const second = 4 - first;
    this.inoLow = view.getUint32(at + first, LITTLE);
    this.inoHigh = view.getUint32(at + second, LITTLE);
    this.cookieLow = view.getUint32(at + 8 + first, LITTLE);
    this.cookieHigh = view.getUint32(at + 8 + second, LITTLE);
    this.#at = at + view.getUint16(at + 16, LITTLE);
    this.type = this.#buffer[at + 18]!;
    this.nameStart = at + NAME;
    let end = this.nameStart;
    while (this.#buffer[end] !== 0) end++;
    this.nameEnd = end;
    return true;
  }

  /** A view of the name's bytes, borrowed as the buffer is. */
  name(): Uint8Array {
    return this.#buffer.subarray(this.nameStart, this.nameEnd);
  }
}
