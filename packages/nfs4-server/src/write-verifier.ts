/**
 * The verifier of WRITE and COMMIT (RFC 8881 §18.3.3): as long as it stays the same, what was written UNSTABLE is still there. It changes with every
 * boot, and when the file system fails to bring data to stable storage.
 */
export class WriteVerifier {
  readonly bytes: Uint8Array = new Uint8Array(8);
  readonly #view: DataView = new DataView(this.bytes.buffer);

  constructor(epoch: number, random: number) {
    this.#view.setUint32(0, epoch);
    this.#view.setUint32(4, random);
  }

  /** Data may have been lost: every client must write again what it has not seen committed. */
  change(): void {
    this.#view.setUint32(4, (this.#view.getUint32(4) + 1) >>> 0);
  }
}
