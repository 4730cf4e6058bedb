import type { RateSample } from "./delivery-rate.ts";
import type { RttEstimate } from "./rtt.ts";

/** What congestion control reads and writes of a connection. Bytes, sequence numbers, and µs. */
export interface CongestionWindow {
  cwnd: number;
  ssthresh: number;
  readonly maxSegment: number;
  readonly sndUna: number;
  readonly sndMax: number;
  readonly rtt: RttEstimate;
  /** Bytes ever delivered, and ever taken for lost. */
  readonly delivered: number;
  readonly lost: number;
  /** Bytes sent again so far. */
  readonly retransmittedBytes: number;
  /** True between a retransmission timeout and the acknowledgment of what was in flight then. */
  readonly afterTimeout: boolean;
}

/**
 * Congestion control of one connection: how its window answers to what happens. The object is made by the algorithm's `attach` and holds whatever the
 * algorithm keeps between calls.
 */
export interface CongestionControl {
  readonly name: string;
  /** Where the algorithm stands, for people: "slow-start", "congestion-avoidance" and what else it has. */
  readonly phase: string;
  /** True: the window is the algorithm's own in loss recovery too. False: there it is moved to `ssthresh` by recovery. */
  readonly ownsWindow: boolean;
  /** `bytes` of data were acknowledged, outside of loss recovery. `limited`: the window was what held the sender back. */
  acknowledged(bytes: number, limited: boolean): void;
  /** Loss was found and recovery begins, with `flight` bytes outstanding: remembers the window for `undo` and sets `ssthresh`. */
  lossDetected(flight: number): void;
  /** Recovery has ended, for what was outstanding when it began is acknowledged. The window is set before this. */
  recovered(): void;
  /** The retransmission timer expired for the first time for this data: as `lossDetected`. The window is one segment after this. */
  timeout(flight: number): void;
  /** The peer echoes a CE mark (RFC 3168), once a window: as `lossDetected`, but nothing is lost, and the window is set as well. */
  congestionExperienced(flight: number): void;
  /** The last `lossDetected`, `timeout` or `congestionExperienced` was spurious: what it took is given back. */
  undo(): void;
  /** Data is sent after `idleUs` µs with nothing in flight, longer than an RTO. */
  restartAfterIdle(idleUs: number): void;
  /** An acknowledgment was taken in, within loss recovery or without: what it tells of the path, after everything else. The sample is lent. */
  sampled(sample: RateSample): void;
  /** Bytes a second at which data may leave; 0: as fast as the window allows. */
  pacingRate(): number;
}

/** A congestion control algorithm, under FreeBSD's name for its module (net.inet.tcp.cc.algorithm). */
export interface CongestionAlgorithm {
  readonly name: string;
  /** Takes charge of a connection, new or under way: goes on from the window that it has. */
  attach(connection: CongestionWindow): CongestionControl;
}

/** What the algorithms are tuned by. */
export interface CongestionTunables {
  /** Segments of window per acknowledgment in slow start at most (RFC 3465's L; net.inet.tcp.abc_l_var). */
  readonly abcLimit: number;
  readonly initialSegments: number;
  /** A mark takes less than a loss does (RFC 8511; net.inet.tcp.cc.abe). */
  readonly alternativeBackoff: boolean;
  /** RFC 7661 (net.inet.tcp.newcwv). */
  readonly newCwv: boolean;
  /** Whether algorithms that do not ask for it pace too, and at how many % of a window per round trip (net.inet.tcp.pacing.*). */
  readonly pacing: boolean;
  readonly slowStartPacing: number;
  readonly avoidancePacing: number;
}

/** RFC 6928: 10 segments, but no more than max(2 segments, 14600 bytes). `segments`: net.inet.tcp.initcwnd_segments. */
export function initialWindow(maxSegment: number, segments: number): number {
  return Math.min(segments * maxSegment, Math.max(2 * maxSegment, 1460 * segments));
}
