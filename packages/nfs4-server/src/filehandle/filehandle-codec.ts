/**
 * Filehandles: version (1), kind (1), export (2), the file system's key (≤ 64), MAC (8).
 *
 * The MAC is under a key of the state directory: without it any client could name any inode of a disk by inventing bytes. A handle that was not
 * made here is BADHANDLE.
 */
import { SipHash } from "./siphash.ts";

const VERSION = 1;
const KIND_NODE = 0;
const HEADER = 4;
const MAC = 8;
export const MAX_KEY = 64;

export interface DecodedHandle {
  readonly exportId: number;
  /** Borrowed from the handle. */
  readonly key: Uint8Array;
}

export class FilehandleCodec {
  readonly #mac: SipHash;
  readonly #expected: Uint8Array = new Uint8Array(MAC);

  /** `secret`: 16 bytes, the same across restarts or every handle turns bad. */
  constructor(secret: Uint8Array) {
    this.#mac = new SipHash(secret);
  }

  /** A new handle for `key`. */
  encode(exportId: number, key: Uint8Array): Uint8Array {
    if (key.length > MAX_KEY)
      throw new RangeError(`a file system's key has at most ${MAX_KEY} bytes, not ${key.length}`);
    const handle = new Uint8Array(HEADER + key.length + MAC);
    handle[0] = VERSION;
    handle[1] = KIND_NODE;
    handle[2] = exportId >>> 8;
    handle[3] = exportId & 0xff;
    handle.set(key, HEADER);
    this.#mac.hash(handle, HEADER + key.length, handle, HEADER + key.length);
    return handle;
  }

  /** Null if the handle was not made under this secret. The comparison takes the same time wherever it differs. */
  decode(handle: Uint8Array): DecodedHandle | null {
    const signed = handle.length - MAC;
    if (signed < HEADER || signed > HEADER + MAX_KEY) return null;
    this.#mac.hash(handle, signed, this.#expected, 0);
    let difference = 0;
    for (let i = 0; i < MAC; i++) difference |= (this.#expected[i] ?? 0) ^ (handle[signed + i] ?? 0);
    if (difference !== 0 || handle[0] !== VERSION || handle[1] !== KIND_NODE) return null;
    return { exportId: ((handle[2] ?? 0) << 8) | (handle[3] ?? 0), key: handle.subarray(HEADER, signed) };
  }
}
