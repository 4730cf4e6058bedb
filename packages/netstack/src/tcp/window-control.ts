import type { Clock } from "@nfs4/timecounter";
import { type CongestionControl, type CongestionTunables, type CongestionWindow, initialWindow } from "./congestion.ts";
import type { RateSample } from "./delivery-rate.ts";
import { WindowValidation } from "./window-validation.ts";

/** What a reduction took, for `undo`, and what `recovered` must know of it. Bytes. */
interface Reduction {
  /** The window and the threshold before. */
  window: number;
  threshold: number;
  /** While recovery deals with the loss of a window that was not validated: what was in use of it, and the bytes sent again before; else 0. */
  used: number;
  retransmitted: number;
}

/** What algorithms share that answer to congestion by a smaller window and to nothing else: memory for `undo`, idle times, pacing. */
export abstract class WindowControl implements CongestionControl {
  abstract get name(): string;
  protected readonly connection: CongestionWindow;
  protected readonly tunables: CongestionTunables;
  protected readonly clock: Clock;
  /** Made when the window has grown beyond the initial one: most connections never get there. */
  #validation: WindowValidation | null = null;
  /** The last reduction, once there was one. */
  #reduction: Reduction | null = null;

  constructor(connection: CongestionWindow, tunables: CongestionTunables, clock: Clock) {
    this.connection = connection;
    this.tunables = tunables;
    this.clock = clock;
  }

  get ownsWindow(): boolean {
    return false;
  }

  get phase(): string {
    const phase = this.inSlowStart ? "slow-start" : "congestion-avoidance";
    return this.#validation?.nonValidated ? `${phase}, not validated` : phase;
  }

  protected get inSlowStart(): boolean {
    return this.connection.cwnd < this.connection.ssthresh;
  }

  /** `bytes` were acknowledged, outside of recovery: what that makes of the window. */
  protected abstract grow(bytes: number, limited: boolean): void;

  /** The window is reduced, with `flight` bytes outstanding: sets `ssthresh`. `ecn`: by a mark, not by a loss. */
  protected abstract reduce(flight: number, ecn: boolean): void;

  acknowledged(bytes: number, limited: boolean): void {
    if (this.tunables.newCwv && this.connection.cwnd > this.#initialWindow) {
      const now = this.clock.coarse();
      this.#validation ??= new WindowValidation(this.connection);
      this.#validation.acknowledged(limited, now);
      this.#expire(this.#validation, now);
    }
    this.grow(bytes, limited);
  }

  lossDetected(flight: number): void {
    const reduction = this.#remember();
    const { connection } = this;
    const validation = this.#validation;
    if (this.tunables.newCwv && validation?.nonValidated) {
      // RFC 7661 §4.4.1.
      reduction.used = Math.max(validation.pipeAck, flight);
      reduction.retransmitted = connection.retransmittedBytes;
      this.reduce(reduction.used, false);
      connection.ssthresh = Math.max(Math.floor(reduction.used / 2), connection.maxSegment);
    } else {
      this.reduce(flight, false);
    }
    validation?.reset();
  }

  recovered(): void {
    this.#validation?.reset();
    const reduction = this.#reduction;
    if (reduction === null || reduction.used === 0) return;
    // RFC 7661 §4.4.1: the path could bear less than was sent by what had to be sent again, at least.
    const { connection } = this;
    const again = connection.retransmittedBytes - reduction.retransmitted;
    connection.ssthresh = Math.max(Math.floor((reduction.used - again) / 2), connection.maxSegment);
    connection.cwnd = Math.min(connection.cwnd, connection.ssthresh);
    reduction.used = 0;
  }

  timeout(flight: number): void {
    this.#remember();
    this.reduce(flight, false);
    this.#validation?.reset();
  }

  congestionExperienced(flight: number): void {
    this.#remember();
    const validation = this.#validation;
    this.reduce(validation?.nonValidated ? Math.max(validation.pipeAck, flight) : flight, true);
    validation?.reset();
    this.connection.cwnd = Math.min(this.connection.cwnd, this.connection.ssthresh);
  }

  undo(): void {
    const { connection } = this;
    const reduction = this.#reduction;
    // Another algorithm may have been in charge then.
    if (reduction === null) return;
    connection.cwnd = Math.max(connection.cwnd, reduction.window);
    connection.ssthresh = Math.max(connection.ssthresh, reduction.threshold);
    reduction.used = 0;
  }

  restartAfterIdle(idleUs: number): void {
    const { connection } = this;
    if (this.tunables.newCwv) {
      if (this.#validation === null) return;
      const now = this.clock.coarse();
      this.#validation.idle(idleUs, now);
      this.#expire(this.#validation, now);
    } else {
      // RFC 5681 §4.1.
      connection.cwnd = Math.min(connection.cwnd, this.#initialWindow);
    }
  }

  sampled(_sample: RateSample): void {}

  /** A window that was not validated lately is not let go at once (RFC 7661 §4.4.2). */
  pacingRate(): number {
    const { tunables, connection } = this;
    const { srtt } = connection.rtt;
    if (srtt === 0 || !(tunables.pacing || this.#validation?.nonValidated)) return 0;
    const ratio = connection.cwnd < connection.ssthresh / 2 ? tunables.slowStartPacing : tunables.avoidancePacing;
    return (connection.cwnd * ratio * 1e4) / srtt;
  }

  /** RFC 7661 §4.4.3: half of a window that has not been in use for five minutes, and of that for the next five. */
  #expire(validation: WindowValidation, now: number): void {
    const { connection } = this;
    for (let i = validation.periodsPassed(now); i > 0 && connection.cwnd > this.#initialWindow; i--) {
      connection.ssthresh = Math.max(connection.ssthresh, Math.floor((3 * connection.cwnd) / 4));
      connection.cwnd = Math.max(Math.floor(connection.cwnd / 2), this.#initialWindow);
    }
  }

  get #initialWindow(): number {
    return initialWindow(this.connection.maxSegment, this.tunables.initialSegments);
  }

  #remember(): Reduction {
    const { cwnd, ssthresh } = this.connection;
    this.#reduction ??= { window: 0, threshold: 0, used: 0, retransmitted: 0 };
    const reduction = this.#reduction;
    reduction.window = cwnd;
    reduction.threshold = ssthresh;
    reduction.used = 0;
    return reduction;
  }
}
