import {
  ACK,
  CLOSED,
  ESTABLISHED,
  FIN,
  LISTEN,
  SYN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
  TIMER_PERSIST,
  TIMER_REXMT,
} from "./constants.ts";
import { stopTimer, timerRuns } from "./deadlines.ts";
import { noteAppLimited } from "./delivery-rate.ts";
import { updateMaxSegment } from "./mss.ts";
import { startPersist } from "./persist.ts";
import { recoveryOutput, retransmitFirst } from "./recovery-output.ts";
import { DUP_THRESH } from "./scoreboard.ts";
import { noteSent, segmentPayload, sendData, startRexmt, superSegmentPayload } from "./send-data.ts";
import { endOfData, finPending, flightSize, hasUnsent } from "./send-space.ts";
import { recordSent } from "./sent.ts";
import { seqGt, seqLt } from "./seq.ts";
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
  if (state === SYN_SENT || state === SYN_RECEIVED) {
    if (tcb.sndNxt === tcb.iss) sendSyn(tcb);
    else if (tcb.ackNow && state === SYN_RECEIVED) sendAck(tcb);
    return;
  }
  if (tcb.mtuChanged) adoptMtu(tcb);
  if (tcb.inRecovery && tcb.sackPermitted) {
    recoveryOutput(tcb, sendNewSegment);
  } else {
    if (tcb.retransmitHead) retransmitFirst(tcb);
    restartAfterIdle(tcb);
    sendAll(tcb);
  }
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
 * How far from SND.UNA SND.NXT may move: the peer's window, and the congestion window with what has left the network in spite of SND.UNA: what is
 * SACKed (RFC 6675 §5 step 3), or, without SACK, a segment for each of the first two duplicate ACKs (RFC 3042).
 */
function window(tcb: Tcb): number {
  const { scoreboard } = tcb;
  let arrived = 0;
  if (scoreboard !== null && !scoreboard.isEmpty) arrived = scoreboard.sackedBefore(tcb.sndNxt);
  else if (!tcb.inRecovery && !tcb.sackPermitted) arrived = Math.min(tcb.dupAcks, DUP_THRESH - 1) * tcb.maxSegment;
  return Math.min(tcb.sndWnd, tcb.cwnd + arrived);
}

/** Everything from SND.NXT on that may go. */
function sendAll(tcb: Tcb): void {
  do {
    skipSacked(tcb);
  } while (sendNext(tcb, window(tcb), Number.POSITIVE_INFINITY) > 0);
}

/** Old data that goes again after a timeout leaves out what has been SACKed since. */
function skipSacked(tcb: Tcb): void {
  const { scoreboard } = tcb;
  if (scoreboard === null || scoreboard.isEmpty || !seqLt(tcb.sndNxt, tcb.sndMax)) return;
  while (scoreboard.isSacked(tcb.sndNxt)) tcb.sndNxt = scoreboard.nextHole(tcb.sndNxt);
}

function sendSyn(tcb: Tcb): void {
  const flags = tcb.state === SYN_SENT ? SYN : SYN | ACK;
  tcb.context.statistics.sndCtrl++;
  if (transmit(tcb, tcb.iss, flags, 0, 0, 0) < 0) {
    if (!timerRuns(tcb, TIMER_REXMT)) startRexmt(tcb);
    return;
  }
  noteSent(tcb, tcb.iss, 1);
  tcb.sndNxt = (tcb.iss + 1) >>> 0;
}

/** For recovery (RFC 6675 NextSeg rule 2): new data, at most `most` bytes, as far as the peer's window goes. */
function sendNewSegment(tcb: Tcb, most: number): number {
  if (seqLt(tcb.sndNxt, tcb.sndMax)) tcb.sndNxt = tcb.sndMax;
  return sendNext(tcb, tcb.sndWnd, most);
}

/**
 * Sends one segment, or super-segment, at SND.NXT, within `window` bytes from SND.UNA and of at most `most` bytes. Returns how much of sequence
 * space went; 0 when nothing may go (Nagle, silly windows: RFC 9293 §3.8.6.2.1, §3.7.4).
 */
function sendNext(tcb: Tcb, window: number, most: number): number {
  const { scoreboard } = tcb;
  const again = seqLt(tcb.sndNxt, tcb.sndMax);
  const seq = tcb.sndNxt;
  const end = endOfData(tcb);
  const unsent = (end - seq) | 0;
  if (unsent < 0) return 0; // the FIN has gone as well
  const room = window - ((seq - tcb.sndUna) | 0);
  if (room < 0) return 0; // the window has shrunk (SHLD-15)
  const full = segmentPayload(tcb);
  const gap = again && scoreboard !== null && !scoreboard.isEmpty ? (scoreboard.holeEnd(seq, end) - seq) | 0 : unsent;
  let length = Math.min(gap, room);
  // Old data goes in whole segments too, or as much as is missing.
  if (again && length < full && length < gap && seq !== tcb.sndUna) return 0;
  let segmentSize = 0;
  if (length > full) {
    const limit = Math.min(
      superSegmentPayload(tcb, full),
      most === Number.POSITIVE_INFINITY ? most : Math.max(full, most),
    );
    if (length > limit) length = limit - (limit % full);
    else if (!(tcb.noDelay && length === unsent)) length -= length % full;
    if (length > full) segmentSize = full;
  }
  const reachesEnd = length === unsent;
  const fin = reachesEnd && finPending(tcb);
  if (length === 0 && !fin) return 0;
  if (length < full && !again && !fin && !mayBeShort(tcb, length, reachesEnd)) return 0;
  const sent = sendData(tcb, seq, length, segmentSize);
  tcb.sndNxt = (seq + sent) >>> 0;
  return sent;
}

/** Nagle (SHLD-7) and the sender's side of silly window avoidance (MUST-38). */
function mayBeShort(tcb: Tcb, length: number, reachesEnd: boolean): boolean {
  if (reachesEnd && (tcb.noDelay || tcb.sndNxt === tcb.sndUna)) return true;
  return length >= tcb.maxSndWnd / 2 && tcb.maxSndWnd > 0 && length > 0;
}

/** With data to send, nothing in flight and no window for it, only probes can find out when it opens (MUST-36). */
function watchWindow(tcb: Tcb): void {
  if (tcb.state < ESTABLISHED) return;
  const stuck = tcb.sndUna === tcb.sndMax && hasUnsent(tcb);
  if (stuck && !timerRuns(tcb, TIMER_REXMT)) {
    if (!timerRuns(tcb, TIMER_PERSIST)) startPersist(tcb);
  } else if (tcb.sndWnd === 0 && seqGt(tcb.sndMax, tcb.sndUna)) {
    // The peer has taken back window that was in use: no timeout may count against that data (SHLD-17), probes find out.
    stopTimer(tcb, TIMER_REXMT);
    tcb.rexmtShift = 0;
    tcb.sndNxt = tcb.sndUna;
    if (!timerRuns(tcb, TIMER_PERSIST)) startPersist(tcb);
  }
}

function restartAfterIdle(tcb: Tcb): void {
  if (tcb.sndUna !== tcb.sndMax || !hasUnsent(tcb)) return;
  const idle = tcb.context.clock.coarse() - tcb.lastSent;
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
  tcb.sndNxt = tcb.sndUna;
  tcb.timing = false;
  stopTimer(tcb, TIMER_REXMT);
}

/**
 * A window probe: one byte beyond the window, or what little the window allows (RFC 9293 §3.8.6.1). SND.NXT stays, so that the byte goes again
 * with the rest.
 */
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
}
