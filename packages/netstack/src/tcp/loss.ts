import { DUP_THRESH, TIMER_PROBE, TIMER_REORDER } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { stopTimer } from "./deadlines.ts";
import { windowReduced } from "./ecn.ts";
import { FRTO_OFF, startFrto } from "./frto.ts";
import { incidentsOf } from "./incidents.ts";
import {
  CAUSE_DUPACK,
  CAUSE_MTU,
  CAUSE_RACK,
  CAUSE_TIMEOUT,
  noteLost,
  type RetransmissionCause,
} from "./loss-events.ts";
import { probeAloneLost, searchAcknowledged, searchTimeout } from "./path-search.ts";
import { reduceRate } from "./prr.ts";
import { rackDetectLoss, rackMarkLossesOnTimeout, rackRecovered } from "./rack.ts";
import { Recovery } from "./recovery.ts";
import { startRexmt } from "./send-data.ts";
import { flightSize } from "./send-space.ts";
import { seqGe, seqGt, seqLe, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { LOST, RETRANSMITTED, SACKED, type TransmitLog } from "./transmit-log.ts";
import { expireUndo, openUndo, settleUndo } from "./undo.ts";

/** Whether RACK finds what is lost; else, with SACK, RFC 6675, and without it duplicate acknowledgments are counted. */
export function usesRack(tcb: Tcb): boolean {
  return tcb.sackPermitted && tcb.context.tunables.rack.value;
}

/** `bytes` were newly acknowledged and SND.UNA stands at its new place: recovery goes on or ends, or the congestion window opens. */
export function acknowledgedNews(tcb: Tcb, bytes: number): void {
  endDuplicateAcks(tcb);
  if (tcb.pathSearch !== null) searchAcknowledged(tcb, tcb.pathSearch);
  if (tcb.inRecovery) {
    if (seqGe(tcb.sndUna, tcb.recover)) leaveRecovery(tcb);
    else if (!tcb.sackPermitted) partialAck(tcb, bytes);
    return;
  }
  tcb.dupAcks = 0;
  tcb.congestion.acknowledged(bytes, tcb.cwndLimited);
  expireUndo(tcb);
  if (tcb.afterTimeout && seqGe(tcb.sndUna, tcb.recover)) {
    tcb.afterTimeout = false;
    tcb.frto = FRTO_OFF;
    rackRecovered(tcb);
    settleUndo(tcb);
  }
  // Kept close behind SND.UNA, for sequence numbers wrap.
  if (seqGt(tcb.sndUna, tcb.recover)) tcb.recover = (tcb.sndUna - 1) >>> 0;
}

function endDuplicateAcks(tcb: Tcb): void {
  const { incidents } = tcb;
  if (incidents === null || incidents.duplicateAckRun === 0) return;
  tcb.context.histograms.duplicateAckRun.add(incidents.duplicateAckRun);
  incidents.duplicateAckRun = 0;
}

/** A duplicate acknowledgment, by RFC 5681 §2 or, with SACK, RFC 6675 §2. */
export function duplicateAck(tcb: Tcb): void {
  const incidents = incidentsOf(tcb);
  incidents.duplicateAcks++;
  incidents.duplicateAckRun++;
  tcb.context.statistics.rcvDupAck++;
  if (tcb.inRecovery) {
    // RFC 6582 §3.2 step 3: a segment has left the network.
    if (!tcb.sackPermitted) tcb.cwnd += tcb.maxSegment;
    return;
  }
  tcb.dupAcks++;
  if (tcb.sackPermitted || tcb.dupAcks < DUP_THRESH) return;
  // A duplicate acknowledgment may come from what was sent twice: so RFC 6582 §3.2 step 2 asks for one number more than RFC 6675 §5.1.
  if (seqLe(tcb.sndUna, tcb.recover)) return;
  enterRecovery(tcb, CAUSE_DUPACK);
}

/** With SACK, when all that an acknowledgment says is taken in: finds losses, and sets the window. `advanced`: SND.UNA has moved. */
export function detectLosses(tcb: Tcb, advanced: boolean): void {
  const rack = usesRack(tcb);
  const found = rack ? rackDetectLoss(tcb) : detectLossBySack(tcb);
  const wasInRecovery = tcb.inRecovery;
  if (found > 0) lossFound(tcb, rack ? CAUSE_RACK : CAUSE_DUPACK);
  if (!tcb.inRecovery || tcb.congestion.ownsWindow || !tcb.context.tunables.prr.value) return;
  reduceRate(tcb, tcb.context.rateSample, wasInRecovery && advanced);
}

/** The reordering timer has expired (RFC 8985 §6.2 step 5). */
export function reorderingTimeout(tcb: Tcb): void {
  if (rackDetectLoss(tcb) > 0) lossFound(tcb, CAUSE_RACK);
}

/** A loss probe has repaired what nothing else told of: the window answers as to any loss (RFC 8985 §7.4.2). */
export function lossRepairedByProbe(tcb: Tcb): void {
  tcb.context.statistics.tlpRepaired++;
  if (tcb.inRecovery || seqLt(tcb.sndUna, tcb.recover)) return;
  tcb.congestion.lossDetected(Math.min(Math.max(flightSize(tcb), tcb.maxSegment), tcb.cwnd));
  if (!tcb.congestion.ownsWindow) tcb.cwnd = tcb.ssthresh;
  tcb.congestion.recovered();
}

function lossFound(tcb: Tcb, cause: RetransmissionCause): void {
  tcb.retransmissionCause = cause;
  requestOutput(tcb);
  if (tcb.pathSearch !== null && probeAloneLost(tcb, tcb.pathSearch)) {
    tcb.retransmissionCause = CAUSE_MTU;
    tcb.retransmitHead = true;
    return;
  }
  // Not for losses of a window that recovery or a timeout deals with (RFC 6675 §5.1).
  if (!tcb.inRecovery && seqGe(tcb.sndUna, tcb.recover)) enterRecovery(tcb, cause);
}

function enterRecovery(tcb: Tcb, cause: RetransmissionCause): void {
  const { statistics, tunables, clock } = tcb.context;
  // What limited transmit sent beyond the window does not count (RFC 5681 §3.2 step 2).
  const flight = Math.min(flightSize(tcb), tcb.cwnd);
  openUndo(tcb, false);
  tcb.congestion.lossDetected(flight);
  windowReduced(tcb);
  tcb.recover = tcb.sndMax;
  tcb.recovery ??= new Recovery();
  tcb.recovery.begin(clock.coarse(), flight, tcb.sndUna);
  tcb.inRecovery = true;
  tcb.retransmissionCause = cause;
  tcb.retransmitHead = true;
  tcb.timedAt = -1;
  forgetProbe(tcb);
  if (tcb.sackPermitted) {
    statistics.sackRecoveryEpisode++;
    if (!tcb.congestion.ownsWindow && !tunables.prr.value) tcb.cwnd = tcb.ssthresh;
  } else {
    statistics.sndFastRexmit++;
    headIsLost(tcb);
    if (!tcb.congestion.ownsWindow) tcb.cwnd = tcb.ssthresh + DUP_THRESH * tcb.maxSegment;
  }
  startRexmt(tcb);
}

function leaveRecovery(tcb: Tcb): void {
  tcb.inRecovery = false;
  tcb.retransmitHead = false;
  tcb.dupAcks = 0;
  // RFC 6582 §3.2 step 3 (1) avoids a burst; with SACK the pipe has kept the window in use.
  if (!tcb.congestion.ownsWindow) {
    tcb.cwnd = tcb.sackPermitted
      ? tcb.ssthresh
      : Math.min(tcb.ssthresh, Math.max(flightSize(tcb), tcb.maxSegment) + tcb.maxSegment);
  }
  rackRecovered(tcb);
  settleUndo(tcb);
  tcb.congestion.recovered();
}

/** RFC 6582 §3.2 step 3: the next hole begins where this acknowledgment ends. */
function partialAck(tcb: Tcb, bytes: number): void {
  tcb.context.statistics.newRenoPartialAcks++;
  headIsLost(tcb);
  tcb.retransmitHead = true;
  if (tcb.congestion.ownsWindow) return;
  tcb.cwnd = Math.max(tcb.maxSegment, tcb.cwnd - bytes) + (bytes >= tcb.maxSegment ? tcb.maxSegment : 0);
}

/** The first segment in flight is lost, whatever is known of the others. */
function headIsLost(tcb: Tcb): void {
  const log = tcb.sent;
  if (log === null || (log.flags[log.first]! & (SACKED | LOST)) !== 0) return;
  const start = log.starts[log.first]!;
  noteLost(tcb, log, log.isolate(log.first, start, (start + tcb.maxSegment) >>> 0));
}

/** The retransmission timer expired: everything unacknowledged is taken for lost (RFC 5681 §3.1, RFC 6675 §5.1), or with RACK most of it. */
export function lossByTimeout(tcb: Tcb): void {
  startFrto(tcb);
  if (tcb.pathSearch !== null) searchTimeout(tcb, tcb.pathSearch);
  // RFC 4015 §3.1: not again before this recovery is complete.
  if (tcb.rexmtTries === 1) {
    openUndo(tcb, true);
    tcb.congestion.timeout(flightSize(tcb));
  }
  if (!tcb.congestion.ownsWindow) tcb.cwnd = tcb.maxSegment;
  tcb.inRecovery = false;
  tcb.dupAcks = 0;
  windowReduced(tcb);
  tcb.recover = tcb.sndMax;
  tcb.afterTimeout = true;
  tcb.timedAt = -1;
  tcb.retransmissionCause = CAUSE_TIMEOUT;
  tcb.retransmitHead = true;
  forgetProbe(tcb);
  stopTimer(tcb, TIMER_REORDER);
  const log = tcb.sent;
  if (log === null) return;
  // The peer may have dropped what it SACKed (RFC 2018 §8).
  log.forgetSacks();
  headIsLost(tcb);
  if (usesRack(tcb)) rackMarkLossesOnTimeout(tcb, log);
  else for (let i = log.first; i < log.end; i++) if ((log.flags[i]! & LOST) === 0) noteLost(tcb, log, i);
}

/** TLP_init (RFC 8985 §7.1). */
function forgetProbe(tcb: Tcb): void {
  if (tcb.probe !== null) tcb.probe.inFlight = false;
  stopTimer(tcb, TIMER_PROBE);
}

/**
 * RFC 6675 §4, IsLost: what was not SACKed is lost when DupThresh SACKed ranges, or more than (DupThresh − 1) × SMSS SACKed bytes, lie above it; and the
 * first segment after DupThresh duplicate acknowledgments (§5 step 1). What recovery has sent again is not judged a second time.
 */
function detectLossBySack(tcb: Tcb): number {
  const log = tcb.sent;
  if (log === null) return 0;
  const lostBefore = lostBelow(tcb, log);
  let lost = 0;
  for (let i = log.first; i < lostBefore; i++) {
    const flags = log.flags[i]!;
    if ((flags & (SACKED | LOST)) !== 0) continue;
    const judged = tcb.inRecovery ? log.sentAt[i]! >= tcb.recovery!.startedAt : seqLt(tcb.sndUna, tcb.recover);
    if (judged && (flags & RETRANSMITTED) !== 0) continue;
    lost += noteLost(tcb, log, i);
  }
  if (lost === 0 && tcb.dupAcks >= DUP_THRESH && !tcb.inRecovery && seqGe(tcb.sndUna, tcb.recover)) {
    const before = log.lostBytes;
    headIsLost(tcb);
    lost = log.lostBytes - before;
  }
  return lost;
}

/** Index of the highest SACKed run before which everything is lost that is not SACKed; the first one's if nothing is. */
function lostBelow(tcb: Tcb, log: TransmitLog): number {
  let bytes = 0;
  let ranges = 0;
  for (let i = log.highestSacked(); i >= log.first; i--) {
    if ((log.flags[i]! & SACKED) === 0) continue;
    ranges++;
    bytes += log.lengthOf(i);
    if (ranges >= DUP_THRESH || bytes > (DUP_THRESH - 1) * tcb.maxSegment) return i;
  }
  return log.first;
}
