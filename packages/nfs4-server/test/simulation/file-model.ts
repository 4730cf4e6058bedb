/**
 * What one file may hold after a crash, byte by byte: what was acknowledged as stable, or what was asked for since and may have reached the disk. And what its
 * writer wants it to hold in the end.
 */
type Change =
  | { readonly number: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly number: number; readonly size: number };

export class FileModel {
  readonly path: string;
  intended: Uint8Array = new Uint8Array(0);
  /** The creation was acknowledged. */
  exists = false;
  #stable: Uint8Array = new Uint8Array(0);
  /** For each byte: no change up to this number matters any more. */
  #settledAt: Uint32Array = new Uint32Array(0);
  #changes: Change[] = [];
  /** Sizes that were set: what was written before lies no longer behind them. */
  #cuts: { readonly number: number; readonly size: number }[] = [];
  #number = 0;
  /** Less than what is stable while it is being cut. */
  #leastSize = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** A write is about to be sent. */
  begin(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end > this.intended.length) this.intended = resized(this.intended, end);
    this.intended.set(bytes, offset);
    this.#changes.push({ number: ++this.#number, offset, bytes: bytes.slice() });
  }

  /** The last write there was answered as stable. */
  settled(offset: number, length: number): void {
    const end = offset + length;
    if (end > this.#stable.length) this.#setStable(resized(this.#stable, end));
    this.#leastSize = this.#stable.length;
    this.#stable.set(this.intended.subarray(offset, end), offset);
    this.#settledAt.fill(this.#number, offset, end);
  }

  /** Everything that was asked for is stable. */
  settledAll(): void {
    this.#setStable(this.intended.slice());
    this.#settledAt.fill(this.#number);
    this.#leastSize = this.#stable.length;
    this.#changes = [];
    this.#cuts = [];
  }

  beginResize(size: number): void {
    this.#leastSize = Math.min(this.#leastSize, size);
    this.intended = resized(this.intended, size);
    this.#changes.push({ number: ++this.#number, size });
  }

  resized(size: number): void {
    this.#setStable(resized(this.#stable, size));
    this.#cuts.push({ number: this.#number, size });
    this.#leastSize = size;
  }

  /** Null, or what is wrong with what a crash has left. */
  mistake(found: Uint8Array | undefined): string | null {
    if (!found) return this.exists ? `${this.path} is not there` : null;
    if (found.length < this.#leastSize) return `${this.path} has ${found.length} of ${this.#leastSize} bytes`;
    const length = Math.min(found.length, this.#stable.length);
    for (let at = 0; at < length; at++) {
      const value = found[at] as number;
      if (value !== this.#stable[at] && !this.#mayBe(at, value))
        return `byte ${at} of ${this.path} is ${value}, not the ${this.#stable[at]} that was acknowledged as stable`;
    }
    return null;
  }

  #mayBe(at: number, value: number): boolean {
    const cuts = this.#cuts.filter(({ size }) => size <= at).map(({ number }) => number);
    const settledAt = Math.max(this.#settledAt[at] as number, ...cuts);
    return this.#changes.some((change) => {
      if (change.number <= settledAt) return false;
      if ("size" in change) return value === 0 && at >= change.size;
      // A size that came without its bytes leaves zeros.
      const within = at >= change.offset && at < change.offset + change.bytes.length;
      return within && (value === 0 || value === change.bytes[at - change.offset]);
    });
  }

  #setStable(bytes: Uint8Array): void {
    const settledAt = new Uint32Array(bytes.length);
    settledAt.set(this.#settledAt.subarray(0, bytes.length));
    this.#stable = bytes;
    this.#settledAt = settledAt;
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}
