/** What congestion control reads and writes of a connection. Bytes, and µs of uptime. */
export interface CongestionWindow {
  cwnd: number;
  ssthresh: number;
  /** Bytes acknowledged and not yet turned into window (RFC 3465). */
  bytesAcked: number;
  readonly maxSegment: number;
  /** True between a retransmission timeout and the acknowledgment of what was in flight then. */
  readonly afterTimeout: boolean;
}

/** A congestion control algorithm: how the window answers to what happens. It keeps what it needs in the object that `attach` gives. */
export interface CongestionControl {
  /** Data was acknowledged outside of loss recovery, while the window was the limit. */
  acknowledged(connection: CongestionWindow, bytes: number): void;
  /** Loss recovery begins, with `flight` bytes outstanding: sets `ssthresh` (and the window that follows recovery). */
  lossDetected(connection: CongestionWindow, flight: number): void;
  /** The retransmission timer expired for the first time for this data. */
  timeout(connection: CongestionWindow, flight: number): void;
  /** Nothing was sent for an RTO. */
  restartAfterIdle(connection: CongestionWindow): void;
}

export interface CongestionAlgorithm {
  readonly name: string;
  attach(connection: CongestionWindow): CongestionControl;
}

/** RFC 6928: 10 segments, but no more than max(2 segments, 14600 bytes). `segments`: net.inet.tcp.initcwnd_segments. */
export function initialWindow(maxSegment: number, segments: number): number {
  return Math.min(segments * maxSegment, Math.max(2 * maxSegment, 1460 * segments));
}
