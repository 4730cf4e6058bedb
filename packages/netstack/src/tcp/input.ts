import { ackAcceptable, checkSequence, checkTimestamps } from "./acceptability.ts";
import { measure, processAck, processPredictedAck, scaledWindow, updateWindow } from "./ack.ts";
import { challenge } from "./challenge.ts";
import {
  ACK,
  CLOSING,
  CWR,
  ECE,
  ESTABLISHED,
  FIN,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  RST,
  SYN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
  TIMER_REXMT,
  URG,
} from "./constants.ts";
import { requestOutput } from "./context.ts";
import { stopTimer } from "./deadlines.ts";
import { deliverWaiting } from "./delivery.ts";
import { CE, ECN_MASK, noteEcho, noteMarks } from "./ecn.ts";
import { abortConnection, endConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { establish } from "./establish.ts";
import { synAcknowledged } from "./fast-open.ts";
import { finAcknowledgedFirst } from "./linger.ts";
import { sendAck } from "./output.ts";
import type { TcpSegment } from "./segment.ts";
import { startRexmt } from "./send-data.ts";
import { flightSize } from "./send-space.ts";
import { seqGe, seqGt, seqLe, seqLt } from "./seq.ts";
import { setState } from "./state.ts";
import { synSentInput } from "./syn-sent.ts";
import type { Tcb } from "./tcb.ts";
import { acceptFin, acceptInOrder, acceptOutOfOrder, joinReassembled } from "./text.ts";
import { sendReset } from "./transmit.ts";
import { noteUrgent } from "./urgent.ts";
import { noteUserTimeout } from "./user-timeout.ts";
import { offeredWindow } from "./window.ts";

/** What the layer must do after a segment: nothing more, or put the connection into TIME-WAIT. */
export type InputVerdict = "done" | "time-wait";

/** A segment for a connection. */
export function connectionInput(tcb: Tcb, segment: TcpSegment): InputVerdict {
  tcb.segmentsReceived++;
  tcb.lastReceived = tcb.context.clock.coarse();
  tcb.keepProbes = 0;
  tcb.rcvTrafficClass = segment.packet.trafficClass;
  if (tcb.state === SYN_SENT) {
    if (!synSentInput(tcb, segment)) return "done";
    return laterSteps(tcb, segment);
  }
  if (fastPath(tcb, segment)) return "done";
  if (tcb.state === SYN_RECEIVED && (segment.flags & SYN) !== 0 && segment.seq === tcb.irs) {
    if (!repeatedSyn(tcb, segment)) return "done";
  }
  // Resets and SYNs have rules of their own for their sequence numbers (RFC 5961 §3, §4), and carry no timestamps that matter.
  if ((segment.flags & RST) !== 0) {
    processReset(tcb, segment);
    return "done";
  }
  if ((segment.flags & SYN) !== 0) {
    processSyn(tcb, segment);
    return "done";
  }
  if (!checkTimestamps(tcb, segment) || !checkSequence(tcb, segment)) return "done";
  if ((segment.flags & ACK) === 0) {
    tcb.context.statistics.rcvBadFlags++;
    return "done";
  }
  if (tcb.ecn !== null) noteMarks(tcb, tcb.ecn, segment);
  const verdict = checkAck(tcb, segment);
  if (verdict !== null) return verdict;
  if (segment.options.userTimeout !== 0) noteUserTimeout(tcb, segment);
  return laterSteps(tcb, segment);
}

/**
 * Header prediction: the segment that an established connection most likely gets next. It acknowledges something new, or brings the next bytes, or
 * both, and nothing is out of the ordinary. What it does is what the long way would have done.
 */
function fastPath(tcb: Tcb, segment: TcpSegment): boolean {
  const { options } = segment;
  if (
    tcb.state !== ESTABLISHED ||
    (segment.flags & (SYN | FIN | RST | URG | ACK | ECE | CWR)) !== ACK ||
    (tcb.ecn !== null && (segment.packet.trafficClass & ECN_MASK) === CE) ||
    segment.seq !== tcb.rcvNxt ||
    lossSuspected(tcb) ||
    tcb.finAhead ||
    options.sackCount !== 0 ||
    options.userTimeout !== 0 ||
    options.hasTimestamps !== tcb.timestamps ||
    (tcb.timestamps && seqLt(options.tsVal, tcb.tsRecent)) ||
    (tcb.reassembly !== null && !tcb.reassembly.isEmpty)
  ) {
    return false;
  }
  const { length } = segment;
  const progress = (segment.ack - tcb.sndUna) | 0;
  if (progress < 0 || seqGt(segment.ack, tcb.sndMax) || length > offeredWindow(tcb)) return false;
  if (progress === 0 && length === 0) return false;
  if (tcb.timestamps && seqLe(segment.seq, tcb.lastAckSent)) {
    tcb.tsRecent = options.tsVal;
    tcb.tsRecentAge = tcb.lastReceived;
  }
  const { statistics } = tcb.context;
  tcb.persistTries = 0;
  if (progress > 0) {
    if (length === 0) statistics.predAck++;
    processPredictedAck(tcb, segment);
    if (tcb.endedHow !== null) return true;
  }
  updateWindow(tcb, segment);
  if (length > 0) {
    statistics.predDat++;
    acceptInOrder(tcb, segment);
  }
  return true;
}

/** Whether acknowledgments may have something to say about losses. */
function lossSuspected(tcb: Tcb): boolean {
  const { sent } = tcb;
  const gaps = sent !== null && (sent.sackedRuns > 0 || sent.lostBytes > 0);
  return gaps || tcb.inRecovery || tcb.dupAcks !== 0 || tcb.afterTimeout || tcb.probe?.inFlight === true;
}

/**
 * The SYN of a simultaneous open once more (RFC 9293 §3.5, figure 7). With an ACK it is what completes the handshake; without, our SYN,ACK was lost, and
 * goes again.
 */
function repeatedSyn(tcb: Tcb, segment: TcpSegment): boolean {
  if ((segment.flags & ACK) === 0) {
    tcb.synDue = true;
    requestOutput(tcb);
    return false;
  }
  segment.flags &= ~SYN;
  segment.seq = tcb.rcvNxt;
  // A SYN's window is never scaled (RFC 7323 §2.2); what follows scales it.
  segment.window = Math.ceil(segment.window / 2 ** tcb.sndShift);
  return true;
}

/**
 * Steps 1 and 2 for a reset, by RFC 5961 §3: the exact sequence number ends the connection, another within the window is challenged. Exact is what our
 * last acknowledgment said, too: a peer that has forgotten the connection answers that one.
 */
function processReset(tcb: Tcb, segment: TcpSegment): void {
  const { statistics, tunables } = tcb.context;
  const { seq } = segment;
  const exact = seq === tcb.rcvNxt || seq === tcb.lastAckSent;
  if (!exact && !(tunables.insecureRst.value && inWindow(tcb, seq))) {
    statistics.badRst++;
    if (inWindow(tcb, seq)) challenge(tcb, segment, "TCP reset that is not exact");
    return;
  }
  statistics.resets++;
  if (tcb.state === CLOSING || tcb.state === LAST_ACK) {
    endConnection(
      tcb,
      tcb.finAcked && tcb.finReceived ? "closed" : "reset",
      new TcpError("ECONNRESET", "reset by peer"),
    );
    return;
  }
  const refused = tcb.state === SYN_RECEIVED && !tcb.passive;
  endConnection(
    tcb,
    "reset",
    new TcpError(refused ? "ECONNREFUSED" : "ECONNRESET", refused ? "refused" : "reset by peer"),
  );
}

/** Steps 1 and 4 for a SYN, by RFC 5961 §4: whatever its sequence number, the peer is asked whether it has really begun anew. */
function processSyn(tcb: Tcb, segment: TcpSegment): void {
  const { statistics, tunables } = tcb.context;
  statistics.synInWindow++;
  if (tunables.insecureSyn.value && inWindow(tcb, segment.seq)) {
    abortConnection(tcb, "reset", new TcpError("ECONNRESET", "SYN within the window"));
    return;
  }
  challenge(tcb, segment, "TCP SYN on a connection");
}

function inWindow(tcb: Tcb, seq: number): boolean {
  return seqGe(seq, tcb.rcvNxt) && seqLt(seq, tcb.rcvAdv);
}

/** Step 5. Null: go on with step 6. */
function checkAck(tcb: Tcb, segment: TcpSegment): InputVerdict | null {
  const { statistics } = tcb.context;
  const { ack } = segment;
  if (tcb.state === SYN_RECEIVED) {
    if (seqLe(ack, tcb.iss) || seqGt(ack, tcb.sndMax)) {
      statistics.rcvAckTooMuch++;
      sendReset(tcb.context, segment, tcb.signer);
      return "done";
    }
    handshakeComplete(tcb, segment);
    if (tcb.endedHow !== null) return "done";
  } else if (!ackAcceptable(tcb, ack)) {
    if (seqGt(ack, tcb.sndMax)) statistics.rcvAckTooMuch++;
    else statistics.ackOutOfWindow++;
    challenge(tcb, segment, "TCP acknowledgment out of range");
    return "done";
  }
  const flight = flightSize(tcb);
  processAck(tcb, segment);
  if (tcb.endedHow !== null) return "done";
  if (tcb.ecn !== null) noteEcho(tcb, tcb.ecn, segment, flight);
  return tcb.finAcked ? finAcknowledged(tcb) : null;
}

/** Our SYN is acknowledged in SYN-RECEIVED: the connection is established. */
function handshakeComplete(tcb: Tcb, segment: TcpSegment): void {
  tcb.sndWnd = scaledWindow(tcb, segment);
  tcb.sndWl1 = segment.seq;
  tcb.sndWl2 = segment.ack;
  tcb.maxSndWnd = Math.max(tcb.maxSndWnd, tcb.sndWnd);
  // The SYN is one number of sequence space, and none of the send buffer's.
  measure(tcb, segment);
  stopTimer(tcb, TIMER_REXMT);
  tcb.rexmtTries = 0;
  if (tcb.passive) {
    tcb.sndUna = (tcb.iss + 1) >>> 0;
    // Fast Open: data behind the SYN,ACK is on its way, or was held back.
    if (flightSize(tcb) > 0) startRexmt(tcb);
  } else synAcknowledged(tcb, segment.ack);
  requestOutput(tcb);
  if (tcb.endedHow === null) establish(tcb);
}

function finAcknowledged(tcb: Tcb): InputVerdict | null {
  switch (tcb.state) {
    case FIN_WAIT_1:
      setState(tcb, FIN_WAIT_2);
      finAcknowledgedFirst(tcb);
      return null;
    case CLOSING:
      return "time-wait";
    case LAST_ACK:
      endConnection(tcb, "closed");
      return "done";
    default:
      return null;
  }
}

/** Steps 6 to 8: URG, text, FIN. */
function laterSteps(tcb: Tcb, segment: TcpSegment): InputVerdict {
  const { state } = tcb;
  const receiving = state === ESTABLISHED || state === FIN_WAIT_1 || state === FIN_WAIT_2;
  if (!receiving) {
    // Behind the peer's FIN nothing can follow.
    if (segment.sequenceLength > 0) tcb.context.statistics.rcvAfterClose++;
    tcb.context.odd(segment, "TCP data behind the FIN");
    return "done";
  }
  if ((segment.flags & URG) !== 0) noteUrgent(tcb, segment);
  if (tcb.finAhead && seqGt((segment.seq + segment.length) >>> 0, tcb.finSeq)) {
    // Beyond the FIN there is nothing.
    tcb.context.statistics.rcvAfterClose++;
    tcb.context.odd(segment, "TCP data behind the FIN");
    return "done";
  }
  if (segment.length > 0) {
    if (segment.seq === tcb.rcvNxt) {
      acceptInOrder(tcb, segment);
      joinReassembled(tcb);
    } else {
      acceptOutOfOrder(tcb, segment);
    }
    if (tcb.endedHow !== null) return "done";
  }
  if ((segment.flags & FIN) !== 0) {
    tcb.finAhead = true;
    tcb.finSeq = (segment.seq + segment.length) >>> 0;
    if (tcb.finSeq !== tcb.rcvNxt) {
      tcb.ackNow = true;
      requestOutput(tcb);
    }
  }
  if (!tcb.finAhead || tcb.finSeq !== tcb.rcvNxt) return "done";
  const timeWait = acceptFin(tcb);
  deliverWaiting(tcb);
  return timeWait && tcb.endedHow === null ? "time-wait" : "done";
}

/** Both directions have ended: acknowledges the last FIN and leaves the rest to TIME-WAIT. */
export function finishIntoTimeWait(tcb: Tcb): void {
  sendAck(tcb);
  setState(tcb, TIME_WAIT);
  endConnection(tcb, "closed");
}
