import {
  type CongestionAlgorithm,
  type CongestionControl,
  type CongestionWindow,
  initialWindow,
} from "./congestion.ts";

export interface NewRenoOptions {
  /** Segments of window per acknowledgment in slow start at most (RFC 3465's L; net.inet.tcp.abc_l_var). */
  readonly abcLimit: () => number;
  readonly initialSegments: () => number;
}

/** Reno's window (RFC 5681) with appropriate byte counting (RFC 3465). It keeps nothing of its own: one object serves all connections. */
export class NewReno implements CongestionAlgorithm, CongestionControl {
  readonly name: string = "newreno";
  readonly #options: NewRenoOptions;

  constructor(options: NewRenoOptions) {
    this.#options = options;
  }

  attach(): CongestionControl {
    return this;
  }

  acknowledged(connection: CongestionWindow, bytes: number): void {
    const mss = connection.maxSegment;
    if (connection.cwnd < connection.ssthresh) {
      // RFC 3465 §2.3: after a timeout one segment per acknowledgment, for what it covers may have been lost.
      const limit = connection.afterTimeout ? 1 : this.#options.abcLimit();
      connection.cwnd += Math.min(bytes, limit * mss);
      return;
    }
    connection.bytesAcked += bytes;
    if (connection.bytesAcked >= connection.cwnd) {
      connection.bytesAcked -= connection.cwnd;
      connection.cwnd += mss;
    }
  }

  lossDetected(connection: CongestionWindow, flight: number): void {
    // RFC 5681 equation 4.
    connection.ssthresh = Math.max(Math.floor(flight / 2), 2 * connection.maxSegment);
    connection.bytesAcked = 0;
  }

  timeout(connection: CongestionWindow, flight: number): void {
    this.lossDetected(connection, flight);
  }

  restartAfterIdle(connection: CongestionWindow): void {
    const window = initialWindow(connection.maxSegment, this.#options.initialSegments());
    connection.cwnd = Math.min(connection.cwnd, window);
    connection.bytesAcked = 0;
  }
}
