import { DUP_THRESH, Scoreboard } from "./scoreboard.ts";
import type { TcpSegment } from "./segment.ts";
import { startRexmt } from "./send-data.ts";
import { flightSize } from "./send-space.ts";
import { recordSacked } from "./sent.ts";
import { seqGe, seqGt, seqLe, seqLt, seqMax } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** Enters the segment's SACK blocks into the scoreboard. Returns how many bytes were news. */
export function noteSackBlocks(tcb: Tcb, segment: TcpSegment): number {
  const { options } = segment;
  const { statistics } = tcb.context;
  const limit = tcb.context.tunables.sackMaxholes.value;
  let news = 0;
  for (let i = 0; i < options.sackCount; i++) {
    const start = options.sackStart[i]!;
    const end = options.sackEnd[i]!;
    // Blocks below SND.UNA are duplicates (RFC 2883); those beyond SND.MAX are lies.
    if (!seqGt(end, start) || seqGt(end, tcb.sndMax)) {
      statistics.sackBadBlocks++;
      continue;
    }
    if (seqLe(end, segment.ack) || seqLe(end, tcb.sndUna)) continue;
    statistics.sackRcvBlocks++;
    tcb.scoreboard ??= new Scoreboard();
    const from = seqMax(start, tcb.sndUna);
    if (tcb.scoreboard.count >= limit && tcb.scoreboard.wouldAdd(from, end)) {
      statistics.sackSboverflow++;
      continue;
    }
    news += tcb.scoreboard.sack(from, end);
    recordSacked(tcb, from, end);
  }
  if (news > 0) tcb.scoreboard!.update(tcb.sndUna, tcb.maxSegment);
  return news;
}

/** A duplicate acknowledgment, by RFC 5681 §2 or, with SACK, RFC 6675 §2. */
export function duplicateAck(tcb: Tcb): void {
  tcb.duplicateAcks++;
  tcb.context.statistics.rcvDupAck++;
  if (tcb.inRecovery) {
    // RFC 6582 §3.2 step 3: a segment has left the network.
    if (!tcb.sackPermitted) tcb.cwnd += tcb.maxSegment;
    return;
  }
  tcb.dupAcks++;
  const board = tcb.sackPermitted ? tcb.scoreboard : null;
  if (tcb.dupAcks >= DUP_THRESH || (board !== null && seqGt(board.lostBelow, tcb.sndUna))) enterRecovery(tcb);
}

function enterRecovery(tcb: Tcb): void {
  // Not for losses of a window that recovery or a timeout has dealt with: RFC 6675 §5.1, and, since a duplicate acknowledgment that SACKs nothing
  // may come from what was sent twice, one number more in RFC 6582 §3.2 step 2.
  if (tcb.sackPermitted ? seqLt(tcb.sndUna, tcb.recover) : seqLe(tcb.sndUna, tcb.recover)) return;
  const { statistics } = tcb.context;
  // What limited transmit sent beyond the window does not count (RFC 5681 §3.2 step 2).
  tcb.congestion.lossDetected(Math.min(flightSize(tcb), tcb.cwnd));
  tcb.recover = tcb.sndMax;
  tcb.inRecovery = true;
  tcb.retransmitHead = true;
  tcb.timing = false;
  if (tcb.sackPermitted) {
    statistics.sackRecoveryEpisode++;
    tcb.cwnd = tcb.ssthresh;
    tcb.scoreboard ??= new Scoreboard();
    tcb.scoreboard.highRxt = tcb.sndUna;
    tcb.scoreboard.rescueRxt = tcb.sndUna;
  } else {
    statistics.sndFastRexmit++;
    tcb.cwnd = tcb.ssthresh + DUP_THRESH * tcb.maxSegment;
  }
  startRexmt(tcb);
}

/** `bytes` were newly acknowledged and SND.UNA stands at its new place: recovery goes on or ends, or the congestion window opens. */
export function acknowledgedNews(tcb: Tcb, bytes: number): void {
  if (tcb.inRecovery) {
    if (seqGe(tcb.sndUna, tcb.recover)) leaveRecovery(tcb);
    else if (!tcb.sackPermitted) partialAck(tcb, bytes);
    return;
  }
  tcb.dupAcks = 0;
  tcb.congestion.acknowledged(bytes, tcb.cwndLimited);
  if (tcb.afterTimeout && seqGe(tcb.sndUna, tcb.recover)) tcb.afterTimeout = false;
  // Kept close behind SND.UNA, for sequence numbers wrap.
  if (seqGt(tcb.sndUna, tcb.recover)) tcb.recover = (tcb.sndUna - 1) >>> 0;
}

function leaveRecovery(tcb: Tcb): void {
  tcb.inRecovery = false;
  tcb.retransmitHead = false;
  tcb.dupAcks = 0;
  // RFC 6582 §3.2 step 3 (1) avoids a burst; with SACK the pipe has kept the window in use.
  tcb.cwnd = tcb.sackPermitted
    ? tcb.ssthresh
    : Math.min(tcb.ssthresh, Math.max(flightSize(tcb), tcb.maxSegment) + tcb.maxSegment);
  tcb.congestion.recovered();
}

/** RFC 6582 §3.2 step 3: the next hole begins where this acknowledgment ends. */
function partialAck(tcb: Tcb, bytes: number): void {
  tcb.context.statistics.newRenoPartialAcks++;
  tcb.retransmitHead = true;
  tcb.cwnd = Math.max(tcb.maxSegment, tcb.cwnd - bytes) + (bytes >= tcb.maxSegment ? tcb.maxSegment : 0);
}

/** The retransmission timer expired: everything unacknowledged is taken for lost (RFC 5681 §3.1, RFC 6675 §5.1, RFC 2018 §8). */
export function lossByTimeout(tcb: Tcb): void {
  if (tcb.rexmtTries === 1) tcb.congestion.timeout(flightSize(tcb));
  tcb.cwnd = tcb.maxSegment;
  tcb.inRecovery = false;
  tcb.retransmitHead = false;
  tcb.dupAcks = 0;
  tcb.recover = tcb.sndMax;
  tcb.afterTimeout = true;
  tcb.timing = false;
  tcb.sndNxt = tcb.sndUna;
  // The peer may have dropped what it SACKed.
  tcb.scoreboard?.clear(tcb.sndUna);
  tcb.sent?.forgetSacks();
}
