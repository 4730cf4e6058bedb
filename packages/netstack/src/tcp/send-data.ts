import { ACK, ESTABLISHED, FIN, PSH, TCP_HEADER, TIMER_PERSIST, TIMER_REXMT } from "./constants.ts";
import { startTimer, stopTimer, timerRuns } from "./deadlines.ts";
import { noteAnswer } from "./delayed-ack.ts";
import { isOpeningFast } from "./fast-open-state.ts";
import { incidentsOf } from "./incidents.ts";
import { ipHeaderLength } from "./mss.ts";
import { notePaced } from "./pacing.ts";
import { endOfData, finPending } from "./send-space.ts";
import { recordSent } from "./sent.ts";
import { seqGt, seqLt } from "./seq.ts";
import { armProbe } from "./tail-loss-probe.ts";
import type { Tcb } from "./tcb.ts";
import { optionsLength, routeOf, transmit } from "./transmit.ts";
import { sendsUrgent } from "./urgent.ts";
import { startUserTimer } from "./user-timeout.ts";

/** Payload of a full segment with the options that it would carry now. */
export function segmentPayload(tcb: Tcb): number {
  return Math.max(1, tcb.sendMss - optionsLength(tcb));
}

/** The most that one super-segment may carry: a multiple of `payload`, or `payload` where the interface takes none. */
export function superSegmentPayload(tcb: Tcb, payload: number): number {
  const route = routeOf(tcb);
  // A device would repeat the urgent pointer in every segment, and cannot sign.
  if (route === null || sendsUrgent(tcb) || tcb.signer !== null || !tcb.context.tunables.tso.value) return payload;
  const { capabilities } = route.iface;
  const capability = tcb.family === 4 ? capabilities.segmentation4 : capabilities.segmentation6;
  const room = capability - ipHeaderLength(tcb.family) - TCP_HEADER - optionsLength(tcb);
  return Math.max(payload, room - (room % payload));
}

/**
 * Sends `length` bytes that begin at `seq`, and the FIN if they reach it; old data or new. Returns how much of sequence space went, 0 if IP would not
 * take it.
 */
export function sendData(tcb: Tcb, seq: number, length: number, segmentSize: number): number {
  const reachesEnd = (seq + length) >>> 0 === endOfData(tcb);
  let flags = ACK;
  if (length > 0 && reachesEnd && !tcb.corked) flags |= PSH;
  const fin = reachesEnd && finPending(tcb);
  if (fin) flags |= FIN;
  const distance = (seq - tcb.sndUna) >>> 0;
  const payload = transmit(tcb, seq, flags, distance, length, segmentSize);
  if (payload < 0) {
    if (!timerRuns(tcb, TIMER_REXMT) && !timerRuns(tcb, TIMER_PERSIST)) startRexmt(tcb);
    return 0;
  }
  const { statistics } = tcb.context;
  const sequenceLength = payload + (fin && payload === length ? 1 : 0);
  if (payload === 0) statistics.sndCtrl++;
  else if (seqLt(seq, tcb.sndMax)) {
    statistics.sndRexmitPack++;
    statistics.sndRexmitByte += payload;
  } else {
    statistics.sndPack++;
    statistics.sndByte += payload;
    tcb.bytesSent += payload;
    noteAnswer(tcb);
  }
  notePaced(tcb, payload);
  noteSent(tcb, seq, sequenceLength);
  return sequenceLength;
}

/** Keeps account of sequence space that has just been sent: what is being timed, SND.MAX, the timers. */
export function noteSent(tcb: Tcb, seq: number, length: number): void {
  const now = tcb.context.clock.coarse();
  const end = (seq + length) >>> 0;
  const fresh = seqGt(end, tcb.sndMax);
  if (seqLt(seq, tcb.sndMax)) {
    const incidents = incidentsOf(tcb);
    incidents.retransmits++;
    incidents.retransmittedBytes += length;
    // Karn: what was sent twice tells nothing (RFC 6298 §3, MUST-18).
    if (seqLt(seq, tcb.timedSeq)) tcb.timedAt = -1;
  } else if (tcb.timedAt < 0) {
    tcb.timedAt = now;
    tcb.timedSeq = end;
    tcb.context.statistics.segsTimed++;
  }
  // All but SYNs.
  if (tcb.state >= ESTABLISHED || isOpeningFast(tcb)) recordSent(tcb, seq, end, now);
  if (fresh) {
    if (tcb.sndMax === tcb.sndUna) startUserTimer(tcb);
    tcb.sndMax = end;
  }
  if (tcb.inRecovery) tcb.recovery!.sent += length;
  if (!timerRuns(tcb, TIMER_REXMT)) startRexmt(tcb);
  stopTimer(tcb, TIMER_PERSIST);
  tcb.persistShift = 0;
  if (fresh) armProbe(tcb);
}

export function startRexmt(tcb: Tcb): void {
  startTimer(tcb, TIMER_REXMT, tcb.rtt.backedOff(tcb.rexmtShift, tcb.context.tunables));
}
