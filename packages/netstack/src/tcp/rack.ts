import { DUP_THRESH, TIMER_REORDER } from "./constants.ts";
import { startTimer, stopTimer } from "./deadlines.ts";
import type { RateSample } from "./delivery-rate.ts";
import { noteLost, noteReordering } from "./loss-events.ts";
import { seqGe, seqGt, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { LOST, RETRANSMITTED, SACKED, type TransmitLog } from "./transmit-log.ts";

/** The minimum of the round-trip time is that of the last five minutes, so that a path that became longer is noticed (§6.2 step 1). */
const MIN_RTT_WINDOW_US = 300e6;
/** Recoveries that the reordering window stays enlarged (§6.2 step 4). */
const PERSISTENCE = 16;

/** What RACK (RFC 8985 §5.3) knows of a connection, under its names. Made when data is first delivered. µs, and sequence numbers. */
export class Rack {
  /** RACK.segment, the one sent last of all that were delivered: when it was sent, and where it ends. */
  xmitTs: number = Number.NEGATIVE_INFINITY;
  endSeq = 0;
  /** Round-trip time of what was last delivered. */
  rtt = 0;
  minRtt: number = Number.POSITIVE_INFINITY;
  minRttAt = 0;
  /** The highest sequence number delivered, and since when. */
  fack = 0;
  fackAt = 0;
  reorderingSeen = false;
  /** Data that came out of order, and how far at most, in bytes and in µs. */
  reorderings = 0;
  reorderingBytes = 0;
  reorderingUs = 0;
  reoWndMult = 1;
  reoWndPersist: number = PERSISTENCE;
  /** D-SACKs until SND.UNA reaches `dsackRound` count as one. */
  inDsackRound = false;
  dsackRound = 0;
}

function sentAfter(time: number, seq: number, otherTime: number, otherSeq: number): boolean {
  return time > otherTime || (time === otherTime && seqGt(seq, otherSeq));
}

/** Steps 1 to 3 (§6.2) for a run that was delivered just now. Those of one acknowledgment come in the order of their sequence numbers. */
export function rackDelivered(tcb: Tcb, log: TransmitLog, index: number, now: number, sample: RateSample): void {
  let { rack } = tcb;
  if (rack === null) {
    rack = new Rack();
    if (tcb.rtt.samples > 0) rack.minRtt = tcb.rtt.minimum;
    rack.minRttAt = now;
    rack.fack = log.starts[log.first]!;
    tcb.rack = rack;
  }
  const sentAt = log.sentAt[index]!;
  const end = log.ends[index]!;
  const rtt = now - sentAt;
  const resent = (log.flags[index]! & RETRANSMITTED) !== 0;
  if (seqGt(end, rack.fack)) {
    rack.fack = end;
    rack.fackAt = now;
  } else if (!resent && seqLt(end, rack.fack)) {
    rack.reorderingSeen = true;
    noteReordering(tcb, rack, (rack.fack - log.starts[index]!) >>> 0, now - rack.fackAt);
  }
  if (resent) {
    // An acknowledgment of an earlier transmission says nothing of the last one.
    if (sample.tsEcr >= 0 && seqLt(sample.tsEcr, tcb.context.timestampAt(sentAt, tcb.tsOffset))) return;
    if (rtt < rack.minRtt) return;
  } else if (rtt <= rack.minRtt || now - rack.minRttAt > MIN_RTT_WINDOW_US) {
    rack.minRtt = Math.max(rtt, 1);
    rack.minRttAt = now;
  }
  if (sentAfter(sentAt, end, sample.rackSentAt, sample.rackEnd)) {
    sample.rackSentAt = sentAt;
    sample.rackEnd = end;
    rack.rtt = rtt;
  }
  if (sentAfter(sentAt, end, rack.xmitTs, rack.endSeq)) {
    rack.xmitTs = sentAt;
    rack.endSeq = end;
  }
}

/** Step 4, its part about D-SACK: the window grows with each round trip that something came twice. */
export function rackDuplicate(tcb: Tcb): void {
  const { rack } = tcb;
  if (rack === null) return;
  if (rack.inDsackRound && seqLt(tcb.sndUna, rack.dsackRound)) return;
  rack.inDsackRound = true;
  rack.dsackRound = tcb.sndMax;
  rack.reoWndMult++;
  rack.reoWndPersist = PERSISTENCE;
}

/** Step 4: a recovery has ended. */
export function rackRecovered(tcb: Tcb): void {
  const { rack } = tcb;
  if (rack !== null && --rack.reoWndPersist <= 0) rack.reoWndMult = 1;
}

/** RACK.reo_wnd (step 4), µs. */
function reorderingWindow(tcb: Tcb, rack: Rack, log: TransmitLog): number {
  if (!rack.reorderingSeen && (tcb.inRecovery || tcb.afterTimeout || manySacked(tcb, log))) return 0;
  return Math.min((rack.reoWndMult * rack.minRtt) / 4, tcb.rtt.srtt);
}

/** RACK.segs_sacked ≥ DupThresh, as far as runs tell: in bytes, or by the acknowledgments that told of them. */
export function manySacked(tcb: Tcb, log: TransmitLog): boolean {
  return tcb.dupAcks >= DUP_THRESH || log.sackedBytes > (DUP_THRESH - 1) * tcb.maxSegment;
}

/** Step 5, by an acknowledgment or the reordering timer: takes for lost what is. Returns how many bytes were. */
export function rackDetectLoss(tcb: Tcb): number {
  const { sent: log, rack } = tcb;
  if (log === null || rack === null) {
    stopTimer(tcb, TIMER_REORDER);
    return 0;
  }
  const now = tcb.context.clock.coarse();
  const patience = rack.rtt + reorderingWindow(tcb, rack, log);
  let lost = 0;
  let timeout = 0;
  for (let i = log.first; i < log.end; i++) {
    const flags = log.flags[i]!;
    if ((flags & (SACKED | LOST)) !== 0) continue;
    const sentAt = log.sentAt[i]!;
    if (sentAfter(rack.xmitTs, rack.endSeq, sentAt, log.ends[i]!)) {
      const remaining = sentAt + patience - now;
      if (remaining <= 0) lost += noteLost(tcb, log, i);
      else timeout = Math.max(timeout, remaining);
    } else if ((flags & RETRANSMITTED) === 0 && seqGe(log.starts[i]!, log.resentUpTo)) {
      // All that follows was sent later.
      break;
    }
  }
  if (timeout > 0) startTimer(tcb, TIMER_REORDER, timeout);
  else stopTimer(tcb, TIMER_REORDER);
  return lost;
}

/** §6.3: the retransmission timer expired. The first segment is lost; others only if they have been under way for longer than a round trip. */
export function rackMarkLossesOnTimeout(tcb: Tcb, log: TransmitLog): void {
  const { rack } = tcb;
  const now = tcb.context.clock.coarse();
  const patience = rack === null ? tcb.rtt.srtt : rack.rtt + reorderingWindow(tcb, rack, log);
  for (let i = log.first; i < log.end; i++) {
    if ((log.flags[i]! & (SACKED | LOST)) === 0 && log.sentAt[i]! + patience <= now) noteLost(tcb, log, i);
  }
}
