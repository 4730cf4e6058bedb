/**
 * The upper 32 bits of sequence numbers in one direction (RFC 5925 §6.2). A number is taken as the one nearest to the highest that was seen, for no
 * window reaches so far as 2^31: simpler than the RFC's pseudocode, and right where that is not (RFC 9187).
 */
export class SequenceExtension {
  #highest: number;
  #extension = 0;

  /** `initial`: the initial sequence number, whose extension is 0. */
  constructor(initial: number) {
    this.#highest = initial;
  }

  /** The extension of a segment that begins at `seq`. */
  of(seq: number): number {
    const ahead = (seq - this.#highest) | 0;
    if (ahead >= 0) return (this.#extension + (seq < this.#highest ? 1 : 0)) >>> 0;
    return (this.#extension - (seq > this.#highest ? 1 : 0)) >>> 0;
  }

  /** A segment that is genuine. */
  note(seq: number): void {
    if (((seq - this.#highest) | 0) <= 0) return;
    this.#extension = this.of(seq);
    this.#highest = seq;
  }
}
