import type { Clock } from "@nfs4/timecounter";
import type { CongestionAlgorithm, CongestionTunables, CongestionWindow } from "./congestion.ts";
import type { RateSample } from "./delivery-rate.ts";
import { HyStart } from "./hystart.ts";
import { WindowControl } from "./window-control.ts";

/** RFC 9438 §4.1, §4.6 and §5: β and C (segments per s³), and what a mark instead of a loss leaves (RFC 8511 §3). */
const BETA = 0.7;
const BETA_ECN = 0.85;
const C = 0.4;
/** §4.3: what makes Reno with this β as fast as Reno. */
const RENO_ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** §4.2: the window grows by no more than half in a round trip. */
const MOST_GROWTH = 1.5;
/** RFC 9406 §4.2: segments by which one acknowledgment can open the window in slow start; without bound where data is paced. */
const SLOW_START_LIMIT = 8;

/** Where the cubic stands: W_max, W_est and cwnd_prior in segments, t_epoch in µs of uptime, K in seconds. */
interface Curve {
  windowMax: number;
  prior: number;
  estimate: number;
  /** −1: congestion avoidance has not begun since the last reduction. */
  epoch: number;
  k: number;
  /** The curve leads back to a W_max that a congestion event left; else it begins at its plateau. */
  reduced: boolean;
  /** Bytes of growth that are not yet a whole byte of window. */
  fraction: number;
  /** When the window was last the limit: the curve stands still while it is not (§5.8). −1: it is. */
  unlimitedSince: number;
}

/** CUBIC (RFC 9438) with HyStart++ (RFC 9406). */
class CubicControl extends WindowControl {
  /** Made when it is first needed, as is the one that `undo` restores: most connections never leave slow start. */
  #curve: Curve | null = null;
  #priorCurve: Curve | null = null;
  /** For the initial slow start only (RFC 9406 §4.3), from the first growth on. */
  #hystart: HyStart | null = null;
  #initial = true;

  get name(): string {
    return "cubic";
  }

  override get phase(): string {
    return this.inSlowStart && this.#hystart?.conservative ? "conservative-slow-start" : super.phase;
  }

  override sampled(sample: RateSample): void {
    if (this.#hystart !== null && sample.rttUs >= 0 && this.inSlowStart) this.#hystart.sample(sample.rttUs);
  }

  protected grow(bytes: number, limited: boolean): void {
    const { connection } = this;
    if (this.inSlowStart) {
      if (this.#hystart?.acknowledged(connection.sndUna, connection.sndMax)) this.#leaveSlowStart();
      else if (limited) this.#slowStart(bytes);
      return;
    }
    const now = this.clock.coarse();
    this.#curve ??= freshCurve();
    const curve = this.#curve;
    if (!limited) {
      if (curve.unlimitedSince < 0) curve.unlimitedSince = now;
      return;
    }
    if (curve.unlimitedSince >= 0) {
      if (curve.epoch >= 0) curve.epoch += now - curve.unlimitedSince;
      curve.unlimitedSince = -1;
    }
    if (curve.epoch < 0) this.#begin(curve, now);
    this.#avoid(curve, bytes, now);
  }

  #leaveSlowStart(): void {
    this.#endHyStart();
    this.connection.ssthresh = this.connection.cwnd;
  }

  #slowStart(bytes: number): void {
    const { connection } = this;
    if (this.#initial) this.#hystart ??= new HyStart();
    // RFC 3465 §2.3: after a timeout one segment per acknowledgment, for what it covers may have been lost.
    const limit = connection.afterTimeout ? 1 : this.pacingRate() > 0 ? Number.POSITIVE_INFINITY : SLOW_START_LIMIT;
    const growth = Math.min(bytes, limit * connection.maxSegment) / (this.#hystart?.divisor ?? 1);
    connection.cwnd += Math.floor(growth);
  }

  /** A stage of congestion avoidance begins (§4.2, §4.8, §4.10). */
  #begin(curve: Curve, now: number): void {
    const window = this.connection.cwnd / this.connection.maxSegment;
    this.#endHyStart();
    curve.epoch = now;
    curve.estimate = window;
    if (curve.reduced && curve.windowMax > window) {
      curve.k = Math.cbrt((curve.windowMax - window) / C);
    } else {
      curve.k = 0;
      curve.windowMax = window;
    }
  }

  #avoid(curve: Curve, bytes: number, now: number): void {
    const { connection } = this;
    const mss = connection.maxSegment;
    const segments = bytes / mss;
    const window = connection.cwnd / mss;
    const elapsed = (now - curve.epoch) / 1e6;
    curve.estimate += ((curve.estimate < curve.prior ? RENO_ALPHA : 1) * segments) / window;
    let growth = 0;
    if (cubic(curve, elapsed) < curve.estimate) {
      // §4.3: Reno would be faster.
      growth = Math.max(0, curve.estimate - window);
    } else {
      // §4.4, §4.5.
      const target = cubic(curve, elapsed + connection.rtt.srtt / 1e6);
      growth = ((Math.min(Math.max(target, window), MOST_GROWTH * window) - window) * segments) / window;
    }
    curve.fraction += growth * mss;
    const whole = Math.floor(curve.fraction);
    curve.fraction -= whole;
    connection.cwnd += whole;
  }

  #endHyStart(): void {
    this.#hystart = null;
    this.#initial = false;
  }

  protected reduce(flight: number, ecn: boolean): void {
    const { connection } = this;
    this.#curve ??= freshCurve();
    const curve = this.#curve;
    const window = connection.cwnd / connection.maxSegment;
    this.#priorCurve ??= freshCurve();
    Object.assign(this.#priorCurve, curve);
    // §4.7, fast convergence: a flow that comes to less than last time makes room for others.
    curve.windowMax = window < curve.windowMax ? (window * (1 + BETA)) / 2 : window;
    curve.prior = window;
    curve.epoch = -1;
    curve.reduced = true;
    curve.fraction = 0;
    curve.unlimitedSince = -1;
    this.#endHyStart();
    const left = ecn && this.tunables.alternativeBackoff ? BETA_ECN : BETA;
    connection.ssthresh = Math.max(Math.floor(flight * left), 2 * connection.maxSegment);
  }

  override timeout(flight: number): void {
    super.timeout(flight);
    // §4.8: slow start comes first; the curve begins at its plateau.
    if (this.#curve !== null) this.#curve.reduced = false;
  }

  override undo(): void {
    super.undo();
    if (this.#curve !== null) Object.assign(this.#curve, this.#priorCurve);
  }

  override restartAfterIdle(idleUs: number): void {
    super.restartAfterIdle(idleUs);
    const curve = this.#curve;
    if (curve === null || curve.epoch < 0 || curve.unlimitedSince >= 0) return;
    // The time without data is none of the curve's (§5.8). When the window has shrunk it begins anew, towards the same W_max.
    if (this.inSlowStart) curve.epoch = -1;
    else curve.epoch += idleUs;
  }
}

function freshCurve(): Curve {
  return { windowMax: 0, prior: 0, estimate: 0, epoch: -1, k: 0, reduced: false, fraction: 0, unlimitedSince: -1 };
}

/** W_cubic(t), t in seconds (§4.2). */
function cubic(curve: Curve, t: number): number {
  return C * (t - curve.k) ** 3 + curve.windowMax;
}

export class Cubic implements CongestionAlgorithm {
  readonly name: string = "cubic";
  readonly #tunables: CongestionTunables;
  readonly #clock: Clock;

  constructor(tunables: CongestionTunables, clock: Clock) {
    this.#tunables = tunables;
    this.#clock = clock;
  }

  attach(connection: CongestionWindow): CubicControl {
    return new CubicControl(connection, this.#tunables, this.#clock);
  }
}
