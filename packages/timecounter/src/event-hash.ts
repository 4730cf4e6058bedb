/** A running 64-bit hash over what happened when: two runs of the same seed must end with the same. Not for security. */
export class EventHash {
  #high = 0x6a09e667;
  #low = 0xbb67ae85;
  #count = 0;
  readonly #time = new Float64Array(1);
  readonly #timeWords: Uint32Array = new Uint32Array(this.#time.buffer);

  /** Events folded in so far. */
  get count(): number {
    return this.#count;
  }

  /** Folds in one event: when (µs of uptime), and whose. */
  fold(timeUs: number, owner: number, label: string): void {
    this.#count++;
    this.#time[0] = timeUs;
    this.#mix(this.#timeWords[0] as number);
    this.#mix(this.#timeWords[1] as number);
    this.#mix(owner);
    for (let i = 0; i < label.length; i++) this.#mix(label.charCodeAt(i));
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #mix(word: number): void {
    const low = Math.imul(this.#low ^ word, 0x9e3779b1);
    this.#high = Math.imul((this.#high << 13) | (this.#high >>> 19), 5) + (low ^ (low >>> 15));
    this.#low = low ^ this.#high;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
