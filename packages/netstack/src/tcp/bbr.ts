import type { Clock, RandomSource } from "@nfs4/timecounter";
import { BbrModel, BETA } from "./bbr-model.ts";
import {
  type CongestionAlgorithm,
  type CongestionControl,
  type CongestionTunables,
  type CongestionWindow,
  initialWindow,
} from "./congestion.ts";
import type { RateSample } from "./delivery-rate.ts";

const NONE = Number.POSITIVE_INFINITY;

/** draft-ietf-ccwg-bbr §2.4 and §5.1: gains, and how long the phases last. */
const PACING_MARGIN = 0.99;
const STARTUP_PACING_GAIN = 4 * Math.LN2;
const DRAIN_PACING_GAIN = 0.5;
const UP_PACING_GAIN = 1.25;
const DOWN_PACING_GAIN = 0.9;
const CWND_GAIN = 2;
const UP_CWND_GAIN = 2.25;
const STARTUP_LOSS_EVENTS = 6;
const PROBE_RTT_US = 200_000;
const PROBE_RTT_CWND_GAIN = 0.5;
const PROBE_WAIT_US = 2e6;
const PROBE_WAIT_RANDOM_US = 1e6;
const RENO_ROUNDS = 63;
const MOST_UP_ROUNDS = 30;

type Phase =
  | "startup"
  | "drain"
  | "probe-bw-down"
  | "probe-bw-cruise"
  | "probe-bw-refill"
  | "probe-bw-up"
  | "probe-rtt";
/** What acknowledgments of this phase of probing tell of. */
type AckPhase = "none" | "refilling" | "probe-starting" | "probe-feedback" | "probe-stopping";

/**
 * BBR version 3 as draft-ietf-ccwg-bbr describes it: data leaves at the bandwidth that the network was seen to deliver, with a window of twice that times the
 * shortest round-trip time, and now and then a little faster, to see whether there is more. Losses above 2 % bound it; single losses do not. Three things are less than there: losses are
 * judged by the newest data of each acknowledgment, not packet by packet; a recovery keeps no packet conservation of its own; and a CE mark (of RFC 3168, which the draft
 * leaves open) counts as losses above the threshold do.
 */
class BbrControl implements CongestionControl {
  readonly name: string = "bbr";
  readonly ownsWindow: boolean = true;
  readonly #connection: CongestionWindow;
  readonly #tunables: CongestionTunables;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #model: BbrModel;
  #phase: Phase = "startup";
  #pacingGain = STARTUP_PACING_GAIN;
  #cwndGain = CWND_GAIN;
  #pacingRate = 0;
  #priorCwnd = 0;
  #ackPhase: AckPhase = "none";
  /** When this phase of probing began, and how long to wait for the next. */
  #cycleStart = 0;
  #probeWait = 0;
  #probeSamples = false;
  #upRounds = 0;
  #upAcked = 0;
  #upDivisor = NONE;
  #probeRttDone = 0;
  #probeRttRound = false;
  #idleRestart = false;
  #congestion = false;

  constructor(connection: CongestionWindow, tunables: CongestionTunables, clock: Clock, random: RandomSource) {
    this.#connection = connection;
    this.#tunables = tunables;
    this.#clock = clock;
    this.#random = random;
    this.#model = new BbrModel(connection, clock.coarse());
    connection.ssthresh = 0x3fffffff;
    if (connection.rtt.samples > 0) this.#setInitialRate();
  }

  get phase(): string {
    return this.#phase;
  }

  pacingRate(): number {
    if (this.#pacingRate === 0 && this.#connection.rtt.samples > 0) this.#setInitialRate();
    return this.#pacingRate;
  }

  /** Everything is in `sampled`. */
  acknowledged(): void {}

  sampled(sample: RateSample): void {
    const now = this.#clock.coarse();
    const model = this.#model;
    model.update(sample, this.#isProbing, now);
    if (sample.hasData) {
      this.#checkStartupDone(sample);
      if (this.#phase === "drain" && sample.inFlight <= model.bdp(1)) this.#enterProbeBw(now);
      if (model.fullBwReached) this.#cyclePhase(sample, now);
      this.#checkProbeRtt(sample, now);
      this.#idleRestart = false;
    }
    model.advance(sample);
    this.#congestion = false;
    this.#setPacingRate(this.#pacingGain);
    this.#setWindow(sample);
  }

  // ——— What the core reports ———

  lossDetected(): void {
    this.#saveWindow();
  }

  recovered(): void {
    this.#restoreWindow();
  }

  timeout(): void {
    this.#saveWindow();
    this.#connection.cwnd = this.#connection.maxSegment;
  }

  congestionExperienced(): void {
    this.#model.lossInRound = true;
    this.#congestion = true;
  }

  undo(): void {
    this.#restoreWindow();
    this.#model.resetLowerBounds();
  }

  restartAfterIdle(): void {
    const now = this.#clock.coarse();
    this.#idleRestart = true;
    this.#model.restart(now);
    if (this.#isProbeBw) this.#setPacingRate(1);
    else if (this.#phase === "probe-rtt") this.#checkProbeRttDone(now);
  }

  // ——— Startup and drain (§5.3.1, §5.3.2) ———

  #checkStartupDone(sample: RateSample): void {
    if (this.#phase !== "startup") return;
    const model = this.#model;
    const lossy = model.lossEvents >= STARTUP_LOSS_EVENTS && model.isInFlightTooHigh(sample);
    if (model.lossRoundStart && (lossy || this.#congestion)) {
      model.fullBwReached = true;
      model.inFlightHigh = Math.max(model.bdp(this.#cwndGain), model.inFlightLatest);
    }
    if (!model.fullBwReached) return;
    this.#phase = "drain";
    this.#pacingGain = DRAIN_PACING_GAIN;
    this.#cwndGain = CWND_GAIN;
  }

  // ——— Probing for bandwidth (§5.3.3) ———

  get #isProbeBw(): boolean {
    return this.#phase.startsWith("probe-bw");
  }

  /** More than the estimate is in flight, or about to be, for it may be too low. */
  get #isProbing(): boolean {
    return this.#phase === "startup" || this.#phase === "probe-bw-refill" || this.#phase === "probe-bw-up";
  }

  #enterProbeBw(now: number): void {
    this.#cwndGain = CWND_GAIN;
    this.#startDown(now);
  }

  #startDown(now: number): void {
    const model = this.#model;
    model.resetCongestionSignals();
    this.#upDivisor = NONE;
    // Flows are not to probe in step.
    model.roundsSinceProbe = this.#random.uint32() & 1;
    this.#probeWait = PROBE_WAIT_US + (this.#random.uint32() / 2 ** 32) * PROBE_WAIT_RANDOM_US;
    this.#cycleStart = now;
    this.#ackPhase = "probe-stopping";
    model.startRound();
    this.#phase = "probe-bw-down";
    this.#pacingGain = DOWN_PACING_GAIN;
    this.#cwndGain = CWND_GAIN;
  }

  #startCruise(): void {
    this.#phase = "probe-bw-cruise";
    this.#pacingGain = 1;
  }

  #startRefill(): void {
    this.#model.resetLowerBounds();
    this.#upRounds = 0;
    this.#upAcked = 0;
    this.#ackPhase = "refilling";
    this.#model.startRound();
    this.#phase = "probe-bw-refill";
    this.#pacingGain = 1;
  }

  #startUp(sample: RateSample, now: number): void {
    const model = this.#model;
    this.#ackPhase = "probe-starting";
    model.startRound();
    model.resetFullBandwidth(sample.deliveryRate);
    this.#cycleStart = now;
    this.#phase = "probe-bw-up";
    this.#pacingGain = UP_PACING_GAIN;
    this.#cwndGain = UP_CWND_GAIN;
    this.#steepen();
  }

  /** BBRUpdateProbeBWCyclePhase. */
  #cyclePhase(sample: RateSample, now: number): void {
    const model = this.#model;
    this.#adaptUpperBound(sample, now);
    switch (this.#phase) {
      case "probe-bw-down":
        if (this.#timeToProbe(now)) this.#startRefill();
        else if (sample.inFlight <= Math.min(model.inFlightWithHeadroom, model.bdp(1, model.maxBandwidth))) {
          this.#startCruise();
        }
        break;
      case "probe-bw-cruise":
        if (this.#timeToProbe(now)) this.#startRefill();
        break;
      case "probe-bw-refill":
        if (model.roundStart) {
          this.#probeSamples = true;
          this.#startUp(sample, now);
        }
        break;
      case "probe-bw-up":
        // While the upper bound is in the way, that there is no more bandwidth tells nothing.
        if (this.#isWindowLimited(sample) && this.#connection.cwnd >= model.inFlightHigh) {
          model.resetFullBandwidth(sample.deliveryRate);
        } else if (model.fullBwNow) this.#startDown(now);
        break;
    }
  }

  /** After two to three seconds, or as many rounds as Reno would need to come back, if those are fewer. */
  #timeToProbe(now: number): boolean {
    if (now - this.#cycleStart > this.#probeWait) return true;
    const { cwnd, maxSegment } = this.#connection;
    const target = Math.min(this.#model.bdp(1), cwnd) / maxSegment;
    return this.#model.roundsSinceProbe >= Math.min(target, RENO_ROUNDS);
  }

  /** BBRAdaptLongTermModel. */
  #adaptUpperBound(sample: RateSample, now: number): void {
    const model = this.#model;
    if (model.roundStart) {
      if (this.#ackPhase === "probe-starting") this.#ackPhase = "probe-feedback";
      else if (this.#ackPhase === "probe-stopping") {
        // What was sent while probing is all acknowledged: losses from here on are not probing's, and this cycle's bandwidth is known.
        this.#probeSamples = false;
        this.#ackPhase = "none";
        if (this.#isProbeBw && !sample.appLimited) model.advanceBandwidthFilter();
      }
    }
    if (this.#congestion || model.isInFlightTooHigh(sample)) {
      if (this.#probeSamples) this.#inFlightTooHigh(sample, now);
      return;
    }
    if (model.inFlightHigh === NONE) return;
    if (sample.priorInFlight > model.inFlightHigh) model.inFlightHigh = sample.priorInFlight;
    if (this.#phase === "probe-bw-up") this.#raiseUpperBound(sample);
  }

  #inFlightTooHigh(sample: RateSample, now: number): void {
    const model = this.#model;
    this.#probeSamples = false;
    if (!sample.appLimited) {
      const target = Math.min(model.bdp(1), this.#connection.cwnd);
      model.inFlightHigh = Math.max(sample.priorInFlight, target * BETA);
    }
    if (this.#phase === "probe-bw-up") this.#startDown(now);
  }

  /** BBRProbeInflightLongtermUpward: by one segment in the first round, two in the next, four … */
  #raiseUpperBound(sample: RateSample): void {
    const model = this.#model;
    if (!this.#isWindowLimited(sample) || this.#connection.cwnd < model.inFlightHigh) return;
    this.#upAcked += sample.ackedBytes + sample.sackedBytes;
    model.inFlightHigh += this.#upAcked / this.#upDivisor;
    this.#upAcked = 0;
    if (model.roundStart) this.#steepen();
  }

  #steepen(): void {
    const { cwnd, maxSegment } = this.#connection;
    this.#upDivisor = Math.max(cwnd / (maxSegment * 2 ** this.#upRounds), 1);
    this.#upRounds = Math.min(this.#upRounds + 1, MOST_UP_ROUNDS);
  }

  #isWindowLimited(sample: RateSample): boolean {
    const { cwnd, maxSegment } = this.#connection;
    return sample.inFlightBefore + maxSegment > cwnd;
  }

  // ——— Probing for the round-trip time (§5.3.4) ———

  #checkProbeRtt(sample: RateSample, now: number): void {
    const model = this.#model;
    if (this.#phase !== "probe-rtt") {
      if (!model.probeRttExpired || this.#idleRestart) return;
      this.#saveWindow();
      this.#phase = "probe-rtt";
      this.#pacingGain = 1;
      this.#cwndGain = PROBE_RTT_CWND_GAIN;
      this.#probeRttDone = 0;
      this.#ackPhase = "probe-stopping";
      model.startRound();
      return;
    }
    if (this.#probeRttDone === 0) {
      if (sample.inFlight > this.#probeRttWindow) return;
      this.#probeRttDone = now + PROBE_RTT_US;
      this.#probeRttRound = false;
      model.startRound();
    } else {
      if (model.roundStart) this.#probeRttRound = true;
      if (this.#probeRttRound) this.#checkProbeRttDone(now);
    }
  }

  #checkProbeRttDone(now: number): void {
    if (this.#probeRttDone === 0 || now <= this.#probeRttDone) return;
    const model = this.#model;
    model.probedRtt(now);
    this.#restoreWindow();
    model.resetLowerBounds();
    if (model.fullBwReached) {
      this.#startDown(now);
      this.#startCruise();
    } else {
      this.#phase = "startup";
      this.#pacingGain = STARTUP_PACING_GAIN;
      this.#cwndGain = CWND_GAIN;
    }
  }

  get #probeRttWindow(): number {
    return Math.max(this.#model.bdp(PROBE_RTT_CWND_GAIN), this.#model.minPipe);
  }

  // ——— Control (§5.6) ———

  /** The initial window in a round trip, times the gain. */
  #setInitialRate(): void {
    const { rtt, cwnd } = this.#connection;
    this.#pacingRate = (STARTUP_PACING_GAIN * cwnd * 1e6) / rtt.srtt;
  }

  #setPacingRate(gain: number): void {
    const rate = gain * this.#model.bandwidth * PACING_MARGIN;
    if (rate > 0 && (this.#model.fullBwReached || rate > this.#pacingRate)) this.#pacingRate = rate;
  }

  #setWindow(sample: RateSample): void {
    const connection = this.#connection;
    const model = this.#model;
    const mss = connection.maxSegment;
    const acked = sample.ackedBytes + sample.sackedBytes;
    const most = this.#maxInFlight();
    let window = connection.cwnd;
    if (model.fullBwReached) window = Math.min(window + acked, most);
    else if (window < most || connection.delivered < this.#initialWindow) window += acked;
    window = Math.max(window, model.minPipe);
    if (this.#phase === "probe-rtt") window = Math.min(window, this.#probeRttWindow);
    connection.cwnd = Math.floor(Math.min(window, this.#modelBound()));
    if (connection.cwnd < mss) connection.cwnd = mss;
  }

  #maxInFlight(): number {
    const model = this.#model;
    const mss = this.#connection.maxSegment;
    if (model.minRtt === NONE || model.maxBandwidth === 0) return this.#initialWindow;
    // Three quanta of pacing are under way in hosts and on the link.
    const quanta = 3 * Math.max(2 * mss, Math.min(65_536, this.#pacingRate / 1000));
    const most = Math.max(model.bdp(this.#cwndGain) + model.extraAcked, quanta, model.minPipe);
    return this.#phase === "probe-bw-up" ? most + 2 * mss : most;
  }

  /** BBRBoundCwndForModel. */
  #modelBound(): number {
    const model = this.#model;
    let bound = NONE;
    if (this.#phase === "probe-bw-cruise" || this.#phase === "probe-rtt") bound = model.inFlightWithHeadroom;
    else if (this.#isProbeBw) bound = model.inFlightHigh;
    return Math.max(Math.min(bound, model.inFlightLow), model.minPipe);
  }

  get #initialWindow(): number {
    return initialWindow(this.#connection.maxSegment, this.#tunables.initialSegments);
  }

  #saveWindow(): void {
    const { cwnd } = this.#connection;
    this.#priorCwnd = this.#phase === "probe-rtt" ? Math.max(this.#priorCwnd, cwnd) : cwnd;
  }

  #restoreWindow(): void {
    this.#connection.cwnd = Math.max(this.#connection.cwnd, this.#priorCwnd);
  }
}

export class Bbr implements CongestionAlgorithm {
  readonly name: string = "bbr";
  readonly #tunables: CongestionTunables;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  constructor(tunables: CongestionTunables, clock: Clock, random: RandomSource) {
    this.#tunables = tunables;
    this.#clock = clock;
    this.#random = random;
  }

  attach(connection: CongestionWindow): BbrControl {
    return new BbrControl(connection, this.#tunables, this.#clock, this.#random);
  }
}
