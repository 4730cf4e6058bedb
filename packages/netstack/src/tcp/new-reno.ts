import type { Clock } from "@nfs4/timecounter";
import type { CongestionAlgorithm, CongestionTunables, CongestionWindow } from "./congestion.ts";
import { WindowControl } from "./window-control.ts";

/** What a loss leaves of the window (RFC 5681), and what a mark does (RFC 8511 §3). */
const BETA = 0.5;
const BETA_ECN = 0.8;

/** Reno's window (RFC 5681) with appropriate byte counting (RFC 3465). */
class NewRenoControl extends WindowControl {
  /** Bytes acknowledged and not yet turned into window (RFC 3465 §2.1). */
  #bytesAcked = 0;

  get name(): string {
    return "newreno";
  }

  protected grow(bytes: number, limited: boolean): void {
    if (!limited) return;
    const { connection } = this;
    const mss = connection.maxSegment;
    if (this.inSlowStart) {
      // RFC 3465 §2.3: after a timeout one segment per acknowledgment, for what it covers may have been lost.
      const limit = connection.afterTimeout ? 1 : this.tunables.abcLimit;
      connection.cwnd += Math.min(bytes, limit * mss);
      return;
    }
    this.#bytesAcked += bytes;
    if (this.#bytesAcked >= connection.cwnd) {
      this.#bytesAcked -= connection.cwnd;
      connection.cwnd += mss;
    }
  }

  protected reduce(flight: number, ecn: boolean): void {
    // RFC 5681 equation 4.
    const { connection } = this;
    const left = ecn && this.tunables.alternativeBackoff ? BETA_ECN : BETA;
    connection.ssthresh = Math.max(Math.floor(flight * left), 2 * connection.maxSegment);
    this.#bytesAcked = 0;
  }

  override recovered(): void {
    super.recovered();
    this.#bytesAcked = 0;
  }

  override restartAfterIdle(idleUs: number): void {
    super.restartAfterIdle(idleUs);
    this.#bytesAcked = 0;
  }
}

export class NewReno implements CongestionAlgorithm {
  readonly name: string = "newreno";
  readonly #tunables: CongestionTunables;
  readonly #clock: Clock;

  constructor(tunables: CongestionTunables, clock: Clock) {
    this.#tunables = tunables;
    this.#clock = clock;
  }

  attach(connection: CongestionWindow): NewRenoControl {
    return new NewRenoControl(connection, this.#tunables, this.#clock);
  }
}
