import { FIN, SYN, TIMER_PERSIST, TIMER_PROBE, TIMER_REXMT, TIMER_USER } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { stopTimer, timerRuns } from "./deadlines.ts";
import { finishSample } from "./delivery-rate.ts";
import { FRTO_OFF, frtoProgress } from "./frto.ts";
import { acknowledgedNews, detectLosses, duplicateAck, lossRepairedByProbe } from "./loss.ts";
import { noteSackBlocks } from "./sack-input.ts";
import type { TcpSegment } from "./segment.ts";
import { startRexmt } from "./send-data.ts";
import { sendHistoryOf } from "./send-history.ts";
import { endOfData, finPending, flightSize, releaseSent } from "./send-space.ts";
import { tuneSendBuffer } from "./send-tuning.ts";
import { recordAcknowledged } from "./sent.ts";
import { seqGe, seqGt, seqLe, seqLt } from "./seq.ts";
import { armProbe, probeRepaired } from "./tail-loss-probe.ts";
import type { Tcb } from "./tcb.ts";
import { adaptRtt, detectByEifel } from "./undo.ts";
import { startUserTimer } from "./user-timeout.ts";

/** As `processAck`, for a segment of an established connection that acknowledges something new and nothing else is to be said of. */
export function processPredictedAck(tcb: Tcb, segment: TcpSegment): void {
  const { rateSample } = tcb.context;
  rateSample.begin(tcb, segment);
  const bytes = advance(tcb, segment);
  restartTimers(tcb);
  requestOutput(tcb);
  finishSample(tcb, rateSample);
  release(tcb, bytes);
}

/** The segment's acknowledgment, which lies within SND.UNA … SND.MAX or before (RFC 9293 §3.10.7.4 step 5, ESTABLISHED). */
export function processAck(tcb: Tcb, segment: TcpSegment): void {
  const { rateSample } = tcb.context;
  rateSample.begin(tcb, segment);
  tcb.persistTries = 0;
  const advanced = seqGt(segment.ack, tcb.sndUna);
  const bytes = advanced ? advance(tcb, segment) : 0;
  const news = tcb.sackPermitted && segment.options.sackCount > 0 ? noteSackBlocks(tcb, segment) : 0;
  const duplicate = !advanced && isDuplicate(tcb, segment, news);
  // With SACK, what acknowledges may tell of a gap as well.
  if (duplicate || (advanced && news > 0 && !tcb.inRecovery)) duplicateAck(tcb);
  if (advanced) detectByEifel(tcb, segment);
  if (tcb.frto !== FRTO_OFF) frtoProgress(tcb, advanced, news, duplicate);
  if (probeRepaired(tcb, segment, !advanced)) lossRepairedByProbe(tcb);
  if (tcb.sackPermitted) detectLosses(tcb, advanced);
  if (advanced) restartTimers(tcb);
  if (advanced || duplicate || news > 0) requestOutput(tcb);
  finishSample(tcb, rateSample);
  updateWindow(tcb, segment);
  release(tcb, bytes);
}

function isDuplicate(tcb: Tcb, segment: TcpSegment, news: number): boolean {
  // The answers to window probes tell of no loss.
  if (!timerRuns(tcb, TIMER_REXMT)) return false;
  if (segment.ack !== tcb.sndUna || flightSize(tcb) === 0) return false;
  if (tcb.sackPermitted) return news > 0;
  return segment.length === 0 && (segment.flags & (SYN | FIN)) === 0 && scaledWindow(tcb, segment) === tcb.sndWnd;
}

/** SEG.ACK is beyond SND.UNA: times the round trip and moves SND.UNA. Returns how many bytes of the send buffer nobody needs any more. */
function advance(tcb: Tcb, segment: TcpSegment): number {
  const { statistics, clock } = tcb.context;
  const { ack } = segment;
  const acked = (ack - tcb.sndUna) >>> 0;
  const fin = finPending(tcb) && seqGt(ack, endOfData(tcb));
  const bytes = fin ? acked - 1 : acked;
  statistics.rcvAckPack++;
  statistics.rcvAckByte += bytes;
  measure(tcb, segment);
  tcb.rexmtTries = 0;
  sendHistoryOf(tcb).noProgressSince = clock.coarse();
  tcb.sndUna = ack;
  recordAcknowledged(tcb, ack);
  if (fin) tcb.finAcked = true;
  // Whatever was wrong with the way, it is no more.
  if (tcb.softError !== "") tcb.softError = "";
  acknowledgedNews(tcb, acked);
  return bytes;
}

/** SND.UNA has moved: what remains in flight has its time from now on. */
function restartTimers(tcb: Tcb): void {
  if (tcb.sndUna === tcb.sndMax) {
    stopTimer(tcb, TIMER_REXMT);
    stopTimer(tcb, TIMER_USER);
    stopTimer(tcb, TIMER_PROBE);
  } else if (!timerRuns(tcb, TIMER_PERSIST)) {
    startRexmt(tcb);
    armProbe(tcb);
    startUserTimer(tcb);
  }
}

/** Takes acknowledged bytes off the send buffer. Last of all, for it runs code of others. */
function release(tcb: Tcb, bytes: number): void {
  if (bytes === 0) return;
  tuneSendBuffer(tcb);
  releaseSent(tcb, bytes);
}

/** RFC 6298 §3, RFC 7323 §4: the segment that was timed, or, when it had to be sent twice, the timestamp echoed. */
export function measure(tcb: Tcb, segment: TcpSegment): void {
  const { context } = tcb;
  const { options } = segment;
  let us = -1;
  let perRtt = 1;
  if (tcb.timedAt >= 0) {
    if (!seqGe(segment.ack, tcb.timedSeq)) return;
    us = context.clock.coarse() - tcb.timedAt;
    tcb.timedAt = -1;
  } else if (tcb.timestamps && options.hasTimestamps && options.tsEcr !== 0) {
    const ms = (context.timestamp(tcb.tsOffset) - options.tsEcr) | 0;
    if (ms < 0 || ms > 600_000) return;
    us = Math.max(ms * 1000, 500);
    perRtt = Math.ceil(flightSize(tcb) / (2 * tcb.maxSegment));
  } else {
    return;
  }
  if (!adaptRtt(tcb, segment.ack, us)) tcb.rtt.sample(us, perRtt, context.tunables);
  tcb.rexmtShift = 0;
  context.statistics.rttUpdated++;
  context.histograms.rtt.add(us);
}

/** SEG.WND, of any segment but a SYN (RFC 7323 §2.3): at most 2^30. */
export function scaledWindow(tcb: Tcb, segment: TcpSegment): number {
  return segment.window << tcb.sndShift;
}

/** SND.WND from a segment that is newer than the one that last set it. */
export function updateWindow(tcb: Tcb, segment: TcpSegment): void {
  const { seq, ack } = segment;
  const newer = seqLt(tcb.sndWl1, seq) || (tcb.sndWl1 === seq && seqLe(tcb.sndWl2, ack));
  if (!newer) return;
  const window = scaledWindow(tcb, segment);
  tcb.sndWl1 = seq;
  tcb.sndWl2 = ack;
  if (window === tcb.sndWnd) return;
  if (window > tcb.sndWnd && segment.length === 0 && tcb.sndWl2 === ack) tcb.context.statistics.rcvWinUpd++;
  tcb.sndWnd = window;
  if (window > tcb.maxSndWnd) tcb.maxSndWnd = window;
  requestOutput(tcb);
}
