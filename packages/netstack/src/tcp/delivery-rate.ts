import { rackDelivered } from "./rack.ts";
import type { TcpSegment } from "./segment.ts";
import { type SendHistory, sendHistoryOf } from "./send-history.ts";
import { flightSize } from "./send-space.ts";
import { seqGt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { APP_LIMITED, DELIVERED, RETRANSMITTED, type TransmitLog } from "./transmit-log.ts";

/**
 * What one acknowledgment has told of the path, for congestion control: how much it delivered, and the rate at which the network has lately delivered
 * (draft-ietf-ccwg-bbr §4.1, "delivery rate samples"). Bytes, µs, bytes a second. One object serves all connections: it holds during the call.
 */
export class RateSample {
  /** Newly acknowledged, newly SACKed, and taken for lost since the sample before. What had been SACKed before it was acknowledged counts as SACKed alone. */
  ackedBytes = 0;
  sackedBytes = 0;
  lostBytes = 0;
  /** In the network before and after it. */
  inFlightBefore = 0;
  inFlight = 0;
  /** Round-trip time of the data sent last that it acknowledges, of what was sent but once; −1: none. */
  rttUs = -1;
  /** The rate, and the bytes and the time it was taken over; 0: no sample. */
  deliveryRate = 0;
  deliveredBytes = 0;
  intervalUs = 0;
  /** The data that the rate is about was sent while the application was the limit: the network may do better. */
  appLimited = false;
  /** Of the newest data acknowledged: the connection's `delivered` and `lost` when it was sent, and what was in flight then, itself included. */
  priorDelivered = 0;
  priorLost = 0;
  priorInFlight = 0;
  /** False: nothing was newly delivered. */
  hasData = false;
  priorTime = 0;
  sendElapsedUs = 0;
  ackElapsedUs = 0;
  newestSentAt = 0;
  newestEnd = 0;
  /** The acknowledgment's TSecr, −1 without timestamps; the D-SACK that it carries. */
  tsEcr = -1;
  hasDsack = false;
  dsackStart = 0;
  dsackEnd = 0;
  /** For RACK: of what it acknowledges, what was sent last. */
  rackSentAt = 0;
  rackEnd = 0;

  /** An acknowledgment came. */
  begin(tcb: Tcb, segment: TcpSegment): void {
    const { options } = segment;
    this.tsEcr = tcb.timestamps && options.hasTimestamps && options.tsEcr !== 0 ? options.tsEcr : -1;
    this.hasDsack = false;
    this.rackSentAt = Number.NEGATIVE_INFINITY;
    this.ackedBytes = 0;
    this.sackedBytes = 0;
    this.inFlightBefore = tcb.sent === null ? 0 : tcb.sent.pipe;
    this.rttUs = -1;
    this.hasData = false;
    this.newestSentAt = Number.NEGATIVE_INFINITY;
  }
}

/** A run of the log is delivered, acknowledged or SACKed: counts it, once, and takes its data if it is the newest (UpdateRateSample). */
export function runDelivered(tcb: Tcb, log: TransmitLog, index: number, now: number, sample: RateSample): void {
  const flags = log.flags[index]!;
  if ((flags & DELIVERED) !== 0) return;
  const sentAt = log.sentAt[index]!;
  const end = log.ends[index]!;
  rackDelivered(tcb, log, index, now, sample);
  const history = sendHistoryOf(tcb);
  history.delivered += log.lengthOf(index);
  history.deliveredAt = now;
  if (sentAt < sample.newestSentAt || (sentAt === sample.newestSentAt && !seqGt(end, sample.newestEnd))) return;
  sample.hasData = true;
  sample.newestSentAt = sentAt;
  sample.newestEnd = end;
  // Karn (RFC 6298 §3).
  sample.rttUs = (flags & RETRANSMITTED) !== 0 ? -1 : now - sentAt;
  sample.priorDelivered = log.delivered[index]!;
  sample.priorLost = log.lost[index]!;
  sample.priorInFlight = log.inFlight[index]!;
  sample.priorTime = log.deliveredAt[index]!;
  sample.appLimited = (flags & APP_LIMITED) !== 0;
  sample.sendElapsedUs = sentAt - log.firstSentAt[index]!;
  sample.ackElapsedUs = now - sample.priorTime;
}

/** All that the acknowledgment says is taken in: works out the rate, and tells congestion control. */
export function finishSample(tcb: Tcb, sample: RateSample): void {
  if (tcb.sendHistory === null) return;
  generate(tcb, tcb.sendHistory, sample);
  tcb.congestion.sampled(sample);
}

/** GenerateRateSample. */
function generate(tcb: Tcb, history: SendHistory, sample: RateSample): void {
  sample.lostBytes = history.lost - history.lostSampled;
  history.lostSampled = history.lost;
  sample.inFlight = tcb.sent === null ? 0 : tcb.sent.pipe;
  if (history.appLimitedUntil !== 0 && history.delivered > history.appLimitedUntil) history.appLimitedUntil = 0;
  sample.deliveryRate = 0;
  sample.deliveredBytes = 0;
  sample.intervalUs = 0;
  if (!sample.hasData) return;
  history.firstSentAt = Math.max(history.firstSentAt, sample.newestSentAt);
  // Acknowledgments can come bunched up, and sending can be in bursts: the slower of the two is nearer to the truth.
  const interval = Math.max(sample.sendElapsedUs, sample.ackElapsedUs);
  // Faster than a round trip it cannot be: then something was sent again and the acknowledgment was for the first.
  if (interval <= 0 || interval < tcb.rtt.minimum) return;
  sample.deliveredBytes = history.delivered - sample.priorDelivered;
  sample.intervalUs = interval;
  sample.deliveryRate = (sample.deliveredBytes * 1e6) / interval;
  history.deliveryRate = sample.deliveryRate;
  history.deliveryRateAppLimited = sample.appLimited;
}

/** Nothing is left to send though the window has room: samples of what is sent until the flight of now is delivered are the application's limit. */
export function noteAppLimited(tcb: Tcb): void {
  const { sendHistory: history, sent: log } = tcb;
  if (history === null) return;
  const pipe = log === null ? 0 : log.pipe;
  if (pipe >= tcb.cwnd || (log !== null && log.lostBytes > 0)) return;
  if (tcb.sendBuffer.queued - flightSize(tcb) >= tcb.maxSegment) return;
  history.appLimitedUntil = Math.max(1, history.delivered + pipe);
}
