import type { CongestionWindow } from "./congestion.ts";
import type { RateSample } from "./delivery-rate.ts";

const NONE = Number.POSITIVE_INFINITY;

/** draft-ietf-ccwg-bbr §2: BBRLossThresh, BBRBeta, BBRHeadroom, BBRMinPipeCwnd, and the lengths of filters. */
export const LOSS_THRESH = 0.02;
export const BETA = 0.7;
export const HEADROOM = 0.15;
const MIN_PIPE_SEGMENTS = 4;
const FULL_BW_GROWTH = 1.25;
const FULL_BW_ROUNDS = 3;
const EXTRA_ACKED_ROUNDS = 10;
export const PROBE_RTT_INTERVAL_US = 5e6;
const MIN_RTT_FILTER_US = 10e6;

/**
 * BBR's model of the path (draft-ietf-ccwg-bbr §5.3 to §5.5): the bandwidth and the round-trip time that filters keep, the bounds that losses have drawn, and
 * rounds, each as long as it takes to deliver what was in flight when it began. Bytes, bytes a second, µs.
 */
export class BbrModel {
  readonly #connection: CongestionWindow;
  /** The greatest bandwidth of this cycle of probing and of the one before (BBR.max_bw). */
  readonly #cycles: [number, number] = [0, 0];
  /** Bounds of the short term, while losses come, and of the long term: what the path has proved to bear. +∞: none. */
  bwLow: number = NONE;
  inFlightLow: number = NONE;
  inFlightHigh: number = NONE;
  #bwLatest = 0;
  inFlightLatest = 0;

  roundStart = false;
  rounds = 0;
  roundsSinceProbe = 0;
  #nextRound = 0;
  /** Rounds for losses, which begin when the ones before have been dealt with. */
  lossRoundStart = false;
  #lossRound = 0;
  lossInRound = false;
  /** Acknowledgments of this round that told of losses. */
  lossEvents = 0;

  minRtt: number = NONE;
  #minRttAt = 0;
  #probeRttMin = NONE;
  #probeRttMinAt = 0;
  probeRttExpired = false;

  /** Whether bandwidth has stopped growing: lately, and ever. */
  fullBwNow = false;
  fullBwReached = false;
  #fullBw = 0;
  #fullBwRounds = 0;

  /** How much more than the bandwidth is acknowledged at once, at most lately. */
  #extra: [number, number] = [0, 0];
  #extraRound = 0;
  #extraSince = 0;
  #extraDelivered = 0;

  constructor(connection: CongestionWindow, now: number) {
    this.#connection = connection;
    this.#minRttAt = now;
    this.#probeRttMinAt = now;
    this.#extraSince = now;
    this.#nextRound = connection.delivered;
    if (connection.rtt.samples > 0) this.minRtt = connection.rtt.minimum;
  }

  get maxBandwidth(): number {
    return Math.max(this.#cycles[0], this.#cycles[1]);
  }

  /** What is sent by. */
  get bandwidth(): number {
    return Math.min(this.maxBandwidth, this.bwLow);
  }

  get minPipe(): number {
    return MIN_PIPE_SEGMENTS * this.#connection.maxSegment;
  }

  get extraAcked(): number {
    return Math.max(this.#extra[0], this.#extra[1]);
  }

  /** `gain` × bandwidth × round-trip time; 0 while nothing is known. */
  bdp(gain: number, bandwidth: number = this.bandwidth): number {
    return this.minRtt === NONE ? 0 : (gain * bandwidth * this.minRtt) / 1e6;
  }

  /** Room is left for others, and for their probing. */
  get inFlightWithHeadroom(): number {
    if (this.inFlightHigh === NONE) return NONE;
    const headroom = Math.max(this.#connection.maxSegment, HEADROOM * this.inFlightHigh);
    return Math.max(this.inFlightHigh - headroom, this.minPipe);
  }

  /** More than 2 % of what was in flight with the data newly acknowledged was lost (IsInflightTooHigh). */
  isInFlightTooHigh(sample: RateSample): boolean {
    return this.#connection.lost - sample.priorLost > sample.priorInFlight * LOSS_THRESH;
  }

  /** The first half of an acknowledgment; `probing`: more than the bandwidth is sent on purpose, so losses bound nothing in the short term. */
  update(sample: RateSample, probing: boolean, now: number): void {
    this.#updateRound(sample);
    if (sample.deliveryRate > 0) {
      this.#bwLatest = Math.max(this.#bwLatest, sample.deliveryRate);
      this.inFlightLatest = Math.max(this.inFlightLatest, sample.deliveredBytes);
      if (sample.deliveryRate >= this.maxBandwidth || !sample.appLimited) {
        this.#cycles[0] = Math.max(this.#cycles[0], sample.deliveryRate);
      }
    }
    if (sample.lostBytes > 0) {
      this.lossInRound = true;
      this.lossEvents++;
    }
    if (this.lossRoundStart && this.lossInRound && !probing) this.#lowerBounds();
    this.#updateExtraAcked(sample, now);
    this.#checkFullBandwidth(sample);
    this.#updateMinRtt(sample, now);
  }

  /** The second half, when the state machine has seen it. */
  advance(sample: RateSample): void {
    if (!this.lossRoundStart) return;
    this.lossInRound = false;
    this.lossEvents = 0;
    this.#bwLatest = sample.deliveryRate;
    this.inFlightLatest = sample.deliveredBytes;
  }

  startRound(): void {
    this.#nextRound = this.#connection.delivered;
  }

  /** A cycle of probing has ended. */
  advanceBandwidthFilter(): void {
    this.#cycles[1] = this.#cycles[0];
    this.#cycles[0] = 0;
  }

  resetCongestionSignals(): void {
    this.lossInRound = false;
    this.lossEvents = 0;
    this.#bwLatest = 0;
    this.inFlightLatest = 0;
  }

  resetLowerBounds(): void {
    this.bwLow = NONE;
    this.inFlightLow = NONE;
  }

  resetFullBandwidth(rate = 0): void {
    this.#fullBw = rate;
    this.#fullBwRounds = 0;
    this.fullBwNow = false;
  }

  /** PROBE_RTT has done what it is for. */
  probedRtt(now: number): void {
    this.#probeRttMinAt = now;
    this.probeRttExpired = false;
  }

  /** Sending goes on after an idle time, which is no time of aggregation. */
  restart(now: number): void {
    this.#extraSince = now;
    this.#extraDelivered = 0;
  }

  #updateRound(sample: RateSample): void {
    const { delivered } = this.#connection;
    this.roundStart = sample.hasData && sample.priorDelivered >= this.#nextRound;
    if (this.roundStart) {
      this.startRound();
      this.rounds++;
      this.roundsSinceProbe++;
    }
    this.lossRoundStart = sample.hasData && sample.priorDelivered >= this.#lossRound;
    if (this.lossRoundStart) this.#lossRound = delivered;
  }

  /** BBRAdaptLowerBoundsFromCongestion. */
  #lowerBounds(): void {
    if (this.bwLow === NONE) this.bwLow = this.maxBandwidth;
    if (this.inFlightLow === NONE) this.inFlightLow = this.#connection.cwnd;
    this.bwLow = Math.max(this.#bwLatest, BETA * this.bwLow);
    this.inFlightLow = Math.max(this.inFlightLatest, BETA * this.inFlightLow);
  }

  #updateExtraAcked(sample: RateSample, now: number): void {
    const acked = sample.ackedBytes + sample.sackedBytes;
    let expected = (this.bandwidth * (now - this.#extraSince)) / 1e6;
    if (this.#extraDelivered <= expected) {
      this.#extraDelivered = 0;
      this.#extraSince = now;
      expected = 0;
    }
    this.#extraDelivered += acked;
    const extra = Math.min(this.#extraDelivered - expected, this.#connection.cwnd);
    if (this.rounds - this.#extraRound >= (this.fullBwReached ? EXTRA_ACKED_ROUNDS / 2 : 1)) {
      this.#extra[1] = this.#extra[0];
      this.#extra[0] = 0;
      this.#extraRound = this.rounds;
    }
    if (extra > this.#extra[0]) this.#extra[0] = extra;
  }

  /** BBRCheckFullBWReached: three rounds without a quarter more. */
  #checkFullBandwidth(sample: RateSample): void {
    if (this.fullBwNow || !this.roundStart || sample.appLimited || sample.deliveryRate === 0) return;
    if (sample.deliveryRate >= this.#fullBw * FULL_BW_GROWTH) {
      this.resetFullBandwidth(sample.deliveryRate);
      return;
    }
    this.fullBwNow = ++this.#fullBwRounds >= FULL_BW_ROUNDS;
    if (this.fullBwNow) this.fullBwReached = true;
  }

  #updateMinRtt(sample: RateSample, now: number): void {
    this.probeRttExpired = now > this.#probeRttMinAt + PROBE_RTT_INTERVAL_US;
    if (sample.rttUs >= 0 && (sample.rttUs < this.#probeRttMin || this.probeRttExpired)) {
      this.#probeRttMin = sample.rttUs;
      this.#probeRttMinAt = now;
    }
    if (this.#probeRttMin < this.minRtt || now > this.#minRttAt + MIN_RTT_FILTER_US) {
      this.minRtt = this.#probeRttMin;
      this.#minRttAt = this.#probeRttMinAt;
    }
  }
}
