import type { CongestionWindow } from "./congestion.ts";
import { seqGe } from "./seq.ts";

/** RFC 7661 §4.2: the pipeACK sampling period is max(3 × RTT, 1 s), here in so many measurement periods (§4.5.1). */
const LEAST_PERIOD_US = 1e6;
const PERIODS = 4;
/** §4.4: the non-validated period. */
const NON_VALIDATED_PERIOD_US = 300e6;

/**
 * Whether a congestion window is one that the network has lately borne (RFC 7661, new CWV): pipeACK is what a round trip acknowledged at most, over the last second
 * or three round trips. A window of which not half was in use keeps its size for a while, but a loss takes it down to what was in use. A sender that the window
 * has held back all this time counts as validated too, for in slow start what a round trip acknowledges is half of the window it makes.
 */
export class WindowValidation {
  readonly #connection: CongestionWindow;
  /** Largest sample of each measurement period, the current one at `#current`. */
  readonly #maxima: number[] = new Array<number>(PERIODS).fill(0);
  #current = 0;
  #periodBegan = 0;
  /** No sample was had since the start, or since loss recovery: pipeACK is undefined. */
  #undefined = true;
  /** The sample under way: where it began and the sequence number that ends it. */
  #sampling = false;
  #sampleStart = 0;
  #sampleEnd = 0;
  /** The window was last not the limit. */
  #unlimitedAt = Number.NEGATIVE_INFINITY;
  /** When the non-validated phase began; −1: validated. */
  #since = -1;

  constructor(connection: CongestionWindow) {
    this.#connection = connection;
  }

  /** Bytes; +∞ while undefined. */
  get pipeAck(): number {
    return this.#undefined ? Number.POSITIVE_INFINITY : Math.max(...this.#maxima);
  }

  get nonValidated(): boolean {
    return this.#since >= 0;
  }

  /** Data was acknowledged, outside of recovery. `limited`: the window was the limit. */
  acknowledged(limited: boolean, now: number): void {
    const { sndUna, sndMax } = this.#connection;
    if (!limited) this.#unlimitedAt = now;
    this.#rotate(now);
    if (this.#sampling && seqGe(sndUna, this.#sampleEnd)) {
      const sample = (sndUna - this.#sampleStart) >>> 0;
      this.#undefined = false;
      if (sample > this.#maxima[this.#current]!) this.#maxima[this.#current] = sample;
      this.#sampling = false;
    }
    if (!this.#sampling) {
      this.#sampling = true;
      this.#sampleStart = sndUna;
      this.#sampleEnd = sndMax;
    }
    this.#judge(now);
  }

  /** Data goes out after `idleUs` without any in flight. */
  idle(idleUs: number, now: number): void {
    this.#unlimitedAt = now;
    this.#rotate(now);
    this.#judge(now - idleUs);
  }

  /** Loss recovery began or ended, or the timer expired: pipeACK is undefined until the next sample (§4.4.1). */
  reset(): void {
    this.#maxima.fill(0);
    this.#undefined = true;
    this.#sampling = false;
    this.#since = -1;
  }

  /** How many non-validated periods have passed since this was last asked (§4.5.2). */
  periodsPassed(now: number): number {
    if (this.#since < 0) return 0;
    const periods = Math.floor((now - this.#since) / NON_VALIDATED_PERIOD_US);
    this.#since += periods * NON_VALIDATED_PERIOD_US;
    return periods;
  }

  get #periodUs(): number {
    return Math.max(3 * this.#connection.rtt.srtt, LEAST_PERIOD_US);
  }

  #rotate(now: number): void {
    const length = this.#periodUs / PERIODS;
    const passed = Math.min(PERIODS, Math.floor((now - this.#periodBegan) / length));
    if (passed <= 0) return;
    for (let i = 0; i < passed; i++) {
      this.#current = (this.#current + 1) % PERIODS;
      this.#maxima[this.#current] = 0;
    }
    this.#periodBegan = now;
  }

  #judge(now: number): void {
    const unused = this.pipeAck < this.#connection.cwnd / 2 && now - this.#unlimitedAt < this.#periodUs;
    if (!unused) this.#since = -1;
    else if (this.#since < 0) this.#since = now;
  }
}
