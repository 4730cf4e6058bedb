import { seqGe } from "./seq.ts";

/** RFC 9406 §4.3. */
const MIN_RTT_THRESH_US = 4000;
const MAX_RTT_THRESH_US = 16_000;
const MIN_RTT_DIVISOR = 8;
const N_RTT_SAMPLE = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

const NONE = Number.POSITIVE_INFINITY;

/**
 * HyStart++ (RFC 9406): leaves the initial slow start when round-trip times grow, before the bottleneck's queue overflows. A rise may be an accident, so
 * there is conservative slow start in between, with a quarter of the growth, from which a fall of the times leads back. Times are µs.
 */
export class HyStart {
  /** In conservative slow start. */
  conservative = false;
  /** Sequence number whose acknowledgment ends the round. */
  #windowEnd = 0;
  #started = false;
  #lastMin = NONE;
  #currentMin = NONE;
  #samples = 0;
  #cssBaseline = NONE;
  #cssRounds = 0;

  /** By how much less than in slow start the window grows. */
  get divisor(): number {
    return this.conservative ? CSS_GROWTH_DIVISOR : 1;
  }

  /** Takes a round-trip time. */
  sample(rttUs: number): void {
    this.#samples++;
    if (rttUs < this.#currentMin) this.#currentMin = rttUs;
    if (this.#samples < N_RTT_SAMPLE) return;
    if (this.conservative) {
      if (this.#currentMin < this.#cssBaseline) {
        this.#cssBaseline = NONE;
        this.conservative = false;
      }
      return;
    }
    if (this.#lastMin === NONE) return;
    const threshold = Math.max(MIN_RTT_THRESH_US, Math.min(this.#lastMin / MIN_RTT_DIVISOR, MAX_RTT_THRESH_US));
    if (this.#currentMin < this.#lastMin + threshold) return;
    this.#cssBaseline = this.#currentMin;
    this.conservative = true;
    this.#cssRounds = 0;
  }

  /** SND.UNA has moved. Returns true when conservative slow start has gone on for its rounds: congestion avoidance is next. */
  acknowledged(sndUna: number, sndMax: number): boolean {
    if (this.#started && !seqGe(sndUna, this.#windowEnd)) return false;
    if (this.#started) {
      this.#lastMin = this.#currentMin;
      if (this.conservative && ++this.#cssRounds >= CSS_ROUNDS) return true;
    }
    this.#started = true;
    this.#windowEnd = sndMax;
    this.#currentMin = NONE;
    this.#samples = 0;
    return false;
  }
}
