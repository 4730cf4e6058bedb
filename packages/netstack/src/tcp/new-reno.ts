import {
  type CongestionAlgorithm,
  type CongestionTunables,
  type CongestionWindow,
  WindowControl,
} from "./congestion.ts";

/** Reno's window (RFC 5681) with appropriate byte counting (RFC 3465). */
class NewRenoControl extends WindowControl {
  readonly name: string = "newreno";
  /** Bytes acknowledged and not yet turned into window (RFC 3465 §2.1). */
  #bytesAcked = 0;

  acknowledged(bytes: number, limited: boolean): void {
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

  protected reduce(flight: number): void {
    // RFC 5681 equation 4.
    const { connection } = this;
    connection.ssthresh = Math.max(Math.floor(flight / 2), 2 * connection.maxSegment);
    this.#bytesAcked = 0;
  }

  override recovered(): void {
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

  constructor(tunables: CongestionTunables) {
    this.#tunables = tunables;
  }

  attach(connection: CongestionWindow): NewRenoControl {
    return new NewRenoControl(connection, this.#tunables);
  }
}
