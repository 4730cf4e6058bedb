import {
  ACK,
  CLOSED,
  DUP_THRESH,
  ESTABLISHED,
  FIN,
  LISTEN,
  SYN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
  TIMER_PERSIST,
  TIMER_PROBE,
  TIMER_REORDER,
  TIMER_REXMT,
} from "./constants.ts";
import { stopTimer, timerRuns } from "./deadlines.ts";
import { noteAppLimited } from "./delivery-rate.ts";
import { ecnSynFlags } from "./ecn.ts";
import { isOpeningFast } from "./fast-open-state.ts";
import { FRTO_OFF, FRTO_SECOND } from "./frto.ts";
import { usesRack } from "./loss.ts";
import { CAUSE_MTU, CAUSE_PROBE, CAUSE_WINDOW, sendAllAgain } from "./loss-events.ts";
import { updateMaxSegment } from "./mss.ts";
import { pacingBudget } from "./pacing.ts";
import { type PathSearch, probePayload, probeSent } from "./path-search.ts";
import { startPersist } from "./persist.ts";
import { resendLast, resendLost, resendUnsure } from "./recovery-output.ts";
import { noteSent, segmentPayload, sendData, startRexmt, superSegmentPayload } from "./send-data.ts";
import { endOfData, finPending, flightSize, hasUnsent } from "./send-space.ts";
import { recordSent } from "./sent.ts";
import { seqGt } from "./seq.ts";
import { LossProbe } from "./tail-loss-probe.ts";
import type { Tcb } from "./tcb.ts";
import { transmit } from "./transmit.ts";
import { windowUpdateDue } from "./window.ts";

/**
 * Sends whatever the connection may send now: SYN, retransmissions, new data, FIN, or else an acknowledgment that is due. Called once per batch for each
 * connection that something happened to, so that one segment answers for all of it (MUST-59).
 */
export function output(tcb: Tcb): void {
  const { state } = tcb;
  if (state === CLOSED || state === LISTEN || state === TIME_WAIT) return;
  if (isOpeningFast(tcb)) {
    if (!answerFastOpen(tcb)) return;
  } else if (state === SYN_SENT || state === SYN_RECEIVED) {
    if (tcb.synDue) sendSyn(tcb);
    else if (tcb.ackNow && state === SYN_RECEIVED) sendAck(tcb);
    return;
  }
  if (tcb.mtuChanged) adoptMtu(tcb);
  restartAfterIdle(tcb);
  sendAll(tcb);
  if (tcb.mtuChanged) {
    adoptMtu(tcb);
    sendAll(tcb);
  }
  const flight = flightSize(tcb);
  tcb.cwndLimited = tcb.cwnd < tcb.ssthresh ? 2 * flight >= tcb.cwnd : flight + tcb.maxSegment > tcb.cwnd;
  noteAppLimited(tcb);
  watchWindow(tcb);
  acknowledge(tcb);
}

/** What data has not carried: an acknowledgment that is due, or a window that has opened. */
function acknowledge(tcb: Tcb): void {
  if (tcb.dupAcksOwed > 0) {
    // A peer without SACK counts them (RFC 5681 §4.2); with SACK one tells everything.
    const count = tcb.sackPermitted ? 1 : tcb.dupAcksOwed;
    tcb.dupAcksOwed = 0;
    for (let i = 0; i < count; i++) sendAck(tcb);
  } else if (tcb.ackNow) {
    sendAck(tcb);
  } else if (windowUpdateDue(tcb)) {
    tcb.context.statistics.sndWinUp++;
    sendAck(tcb);
  }
}

/** A pure acknowledgment, now. */
export function sendAck(tcb: Tcb): void {
  tcb.context.statistics.sndAcks++;
  if (transmit(tcb, tcb.sndMax, ACK, 0, 0, 0) < 0) tcb.ackNow = false;
}

/**
 * Room in the congestion window, bytes: what has left the network counts no more, in spite of SND.UNA. That is what is SACKed or lost (RFC 6675 §5
 * step C), or, without SACK, a segment for each of the first two duplicate ACKs (RFC 3042).
 */
function congestionRoom(tcb: Tcb): number {
  const pipe = tcb.sent === null ? 0 : tcb.sent.pipe;
  const left = tcb.sackPermitted || tcb.inRecovery ? 0 : Math.min(tcb.dupAcks, DUP_THRESH - 1) * tcb.maxSegment;
  return tcb.cwnd - pipe + left;
}

/** What is lost, then what is new, as far as the windows go. */
function sendAll(tcb: Tcb): void {
  if (tcb.sent === null || tcb.sent.lostBytes === 0) tcb.retransmitHead = false;
  while (sendNext(tcb) > 0);
}

function sendNext(tcb: Tcb): number {
  const room = congestionRoom(tcb);
  const lost = tcb.sent !== null && tcb.sent.lostBytes > 0;
  const budget = lost || hasUnsent(tcb) ? pacingBudget(tcb) : Number.POSITIVE_INFINITY;
  if (budget === 0) return 0;
  if (lost) {
    if (tcb.frto !== FRTO_SECOND) return resendLost(tcb, room);
    // Something new instead (RFC 5682 §2.1 step 2b): where that is not possible, F-RTO must not hold up the rest.
    const fresh = sendNew(tcb, room, true);
    if (fresh > 0 || tcb.sent!.pipe > 0) return fresh;
    tcb.frto = FRTO_OFF;
    return resendLost(tcb, room);
  }
  const sent = sendNew(tcb, room, false, budget);
  if (sent > 0 || !tcb.inRecovery || !tcb.sackPermitted || usesRack(tcb)) return sent;
  return room < tcb.maxSegment ? 0 : resendUnsure(tcb);
}

function sendSyn(tcb: Tcb): void {
  const answering = tcb.state !== SYN_SENT;
  const flags = (answering ? SYN | ACK : SYN) | ecnSynFlags(tcb, answering);
  tcb.context.statistics.sndCtrl++;
  const { fastOpen } = tcb;
  const mayCarryData = flags === SYN && fastOpen !== null && fastOpen.cookie !== null;
  const data = mayCarryData ? Math.min(fastOpen.synDataLimit, tcb.sendBuffer.queued) : 0;
  const payload = transmit(tcb, tcb.iss, flags, 0, data, 0);
  if (payload < 0) {
    if (!timerRuns(tcb, TIMER_REXMT)) startRexmt(tcb);
    return;
  }
  tcb.bytesSent += payload;
  tcb.synDue = false;
  noteSent(tcb, tcb.iss, 1 + payload);
}

/**
 * The server's side of Fast Open before the handshake is complete: sends the SYN,ACK when that is due. True: data may go as well, which it may not
 * once the SYN,ACK had to go again (RFC 7413 §4.2.2: neither data nor the option, for compatibility).
 */
function answerFastOpen(tcb: Tcb): boolean {
  if (tcb.synDue) {
    tcb.context.statistics.sndCtrl++;
    if (transmit(tcb, tcb.iss, SYN | ACK, 0, 0, 0) >= 0) tcb.synDue = false;
    if (!timerRuns(tcb, TIMER_REXMT)) startRexmt(tcb);
  }
  if (tcb.rexmtTries === 0 && !tcb.synDue) return true;
  if (tcb.ackNow) sendAck(tcb);
  return false;
}

/**
 * Sends one segment, or super-segment, of new data, with at most `room` bytes. Returns how much of sequence space went; 0 when nothing may go (Nagle,
 * silly windows: RFC 9293 §3.8.6.2.1, §3.7.4). `short`: even a short one. `budget`: what pacing allows; a whole segment goes even so.
 */
function sendNew(tcb: Tcb, room: number, short: boolean, budget = Number.POSITIVE_INFINITY): number {
  const seq = tcb.sndMax;
  const unsent = (endOfData(tcb) - seq) | 0;
  if (unsent < 0) return 0; // the FIN has gone as well
  const most = Math.min(room, tcb.sndWnd - ((seq - tcb.sndUna) | 0));
  if (most < 0) return 0; // the window has shrunk (SHLD-15)
  const full = segmentPayload(tcb);
  if (tcb.pathSearch !== null && !short) {
    const probe = probePayload(tcb, tcb.pathSearch, full, unsent, most);
    if (probe !== 0) return probe < 0 ? 0 : sendPathProbe(tcb, tcb.pathSearch, seq, probe);
  }
  let length = Math.min(unsent, most);
  let segmentSize = 0;
  // A device may repeat CWR in every segment: the one that carries it goes by itself (RFC 3168 §6.1.2).
  if (length > full && tcb.ecn?.reduced === true) length = full;
  if (length > full) {
    const limit = Math.min(superSegmentPayload(tcb, full), Math.max(full, budget));
    if (length > limit) length = limit - (limit % full);
    else if (!(tcb.noDelay && length === unsent)) length -= length % full;
    if (length > full) segmentSize = full;
  }
  const reachesEnd = length === unsent;
  const fin = reachesEnd && finPending(tcb);
  if (length === 0 && !fin) return 0;
  if (length < full && !fin && !short && !mayBeShort(tcb, length, reachesEnd)) return 0;
  return sendData(tcb, seq, length, segmentSize);
}

/** New data in a segment longer than others, to see whether it gets through (RFC 4821 §7.5). */
function sendPathProbe(tcb: Tcb, search: PathSearch, seq: number, length: number): number {
  const sent = sendData(tcb, seq, length, 0);
  // A packet takes only so many slices.
  if (sent > tcb.maxSegment) probeSent(tcb, search, seq, (seq + sent) >>> 0);
  return sent;
}

/** Nagle (SHLD-7), TCP_NOPUSH, and the sender's side of silly window avoidance (MUST-38). */
function mayBeShort(tcb: Tcb, length: number, reachesEnd: boolean): boolean {
  if (reachesEnd && !tcb.corked && (tcb.noDelay || tcb.sndMax === tcb.sndUna)) return true;
  return length >= tcb.maxSndWnd / 2 && tcb.maxSndWnd > 0 && length > 0;
}

/** With data to send, nothing in flight and no window for it, only probes can find out when it opens (MUST-36). */
function watchWindow(tcb: Tcb): void {
  if (tcb.state < ESTABLISHED) return;
  // What is corked waits for its user, unless the window is too small for it anyway.
  const waits = tcb.corked && !tcb.finQueued && tcb.sendBuffer.queued <= tcb.sndWnd;
  const stuck = tcb.sndUna === tcb.sndMax && hasUnsent(tcb) && !waits;
  if (stuck && !timerRuns(tcb, TIMER_REXMT)) {
    if (!timerRuns(tcb, TIMER_PERSIST)) startPersist(tcb);
  } else if (tcb.sndWnd === 0 && seqGt(tcb.sndMax, tcb.sndUna)) {
    // The peer has taken back window that was in use: no timeout may count against that data (SHLD-17), probes find out.
    for (const timer of [TIMER_REXMT, TIMER_PROBE, TIMER_REORDER]) stopTimer(tcb, timer);
    tcb.rexmtShift = 0;
    sendAllAgain(tcb, CAUSE_WINDOW);
    if (!timerRuns(tcb, TIMER_PERSIST)) startPersist(tcb);
  }
}

function restartAfterIdle(tcb: Tcb): void {
  const { sendHistory } = tcb;
  if (sendHistory === null || tcb.sndUna !== tcb.sndMax || !hasUnsent(tcb)) return;
  // RFC 5681 §4.1.
  const idle = tcb.context.clock.coarse() - sendHistory.lastSent;
  if (idle > tcb.rtt.rto) tcb.congestion.restartAfterIdle(idle);
}

/** The path's MTU went down: what is in flight may not have got through; send it again in smaller pieces. */
function adoptMtu(tcb: Tcb): void {
  tcb.mtuChanged = false;
  const before = tcb.maxSegment;
  updateMaxSegment(tcb);
  if (tcb.maxSegment >= before) return;
  tcb.context.statistics.mtuLowered++;
  tcb.cwnd = Math.max(tcb.cwnd, tcb.maxSegment);
  if (tcb.sndMax === tcb.sndUna) return;
  sendAllAgain(tcb, CAUSE_MTU);
  tcb.timedAt = -1;
  // From now on, and also if the window lets nothing go.
  if (!timerRuns(tcb, TIMER_PERSIST)) startRexmt(tcb);
}

/** A window probe: one byte beyond the window, or what little the window allows (RFC 9293 §3.8.6.1). It goes again with the rest. */
export function sendProbe(tcb: Tcb): void {
  const end = endOfData(tcb);
  const unsent = (end - tcb.sndUna) | 0;
  const length = Math.min(unsent, Math.max(1, Math.min(tcb.sndWnd, segmentPayload(tcb))));
  tcb.context.statistics.sndProbe++;
  const fin = length === 0 && finPending(tcb);
  const payload = transmit(tcb, tcb.sndUna, fin ? ACK | FIN : ACK, 0, length, 0);
  if (payload < 0) return;
  const top = (tcb.sndUna + payload + (fin ? 1 : 0)) >>> 0;
  if (!seqGt(top, tcb.sndMax)) return;
  recordSent(tcb, tcb.sndMax, top, tcb.context.clock.coarse());
  tcb.sndMax = top;
  sendAllAgain(tcb, CAUSE_WINDOW);
}

/** The probe timeout expired: new data, or else the last segment once more, has the peer say what it has (TLP_send_probe, RFC 8985 §7.3). */
export function sendLossProbe(tcb: Tcb): void {
  if (tcb.sent === null) return;
  tcb.probe ??= new LossProbe();
  const { probe } = tcb;
  probe.inFlight = true;
  const repeated = sendNew(tcb, segmentPayload(tcb), true) === 0;
  if (repeated && resendLast(tcb, CAUSE_PROBE) === 0) probe.inFlight = false;
  if (!repeated) tcb.context.statistics.tlpNewData++;
  probe.repeated = repeated;
  probe.end = tcb.sndMax;
  probe.samples = tcb.rtt.samples;
  startRexmt(tcb);
}
