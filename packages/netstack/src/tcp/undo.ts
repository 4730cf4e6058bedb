import { ECE } from "./constants.ts";
import { incidentsOf } from "./incidents.ts";
import type { TcpSegment } from "./segment.ts";
import { seqGe, seqGt, seqLe, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** Who found out that a recovery was for nothing. */
export const BY_EIFEL = 0;
export const BY_FRTO = 1;
export const BY_DSACK = 2;
export type SpuriousCause = 0 | 1 | 2;

/** G, the clock granularity of the retransmission timer. */
const GRANULARITY_US = 1000;

/** What is to be known of a recovery to take it back, if it turns out to have been for nothing. Times are those of the Timestamps option. */
export class Undo {
  /** A recovery is under way, or has ended so lately that word of it may still come. */
  isOpen = false;
  byTimeout = false;
  /** SND.UNA when it began; end of the highest that it has sent again; and how many of those bytes the peer has not called duplicates. */
  from = 0;
  upTo = 0;
  outstanding = 0;
  /** TSval of its first retransmission; −1: none yet, or no timestamps, or the first acknowledgment has come. */
  retransmitTs = -1;
  /** Once it has ended: it is settled when SND.UNA is beyond this. */
  limit = 0;
  hasEnded = false;
  /** A timeout: SRTT and RTTVAR before it, and SND.MAX. `isAdapting`: it was spurious, and what was sent since has not been timed yet. */
  srtt = 0;
  rttVar = 0;
  sndMax = 0;
  isAdapting = false;
}

/** Recovery begins, by a timeout or not; the window is reduced after this. */
export function openUndo(tcb: Tcb, byTimeout: boolean): void {
  tcb.undo ??= new Undo();
  const { undo } = tcb;
  undo.isOpen = true;
  undo.byTimeout = byTimeout;
  undo.from = tcb.sndUna;
  undo.upTo = tcb.sndUna;
  undo.outstanding = 0;
  undo.retransmitTs = -1;
  undo.hasEnded = false;
  undo.isAdapting = false;
  undo.srtt = tcb.rtt.srtt + 2 * GRANULARITY_US;
  undo.rttVar = tcb.rtt.rttVar;
  undo.sndMax = tcb.sndMax;
}

/** A round trip of `us` µs was measured by the acknowledgment `ack`. True: the estimate has begun anew with it (RFC 4015 §3.1 step 11). */
export function adaptRtt(tcb: Tcb, ack: number, us: number): boolean {
  const { undo } = tcb;
  if (undo === null || !undo.isAdapting || !seqGt(ack, undo.sndMax)) return false;
  undo.isAdapting = false;
  tcb.rtt.restart(us, undo.srtt, undo.rttVar, tcb.context.tunables);
  return true;
}

/** `seq … end)` was sent again. */
export function noteResentForUndo(tcb: Tcb, seq: number, bytes: number): void {
  const { undo, context } = tcb;
  if (undo === null || !undo.isOpen || undo.hasEnded) return;
  if (undo.outstanding === 0 && undo.upTo === undo.from && tcb.timestamps)
    undo.retransmitTs = context.timestamp(tcb.tsOffset);
  undo.outstanding += bytes;
  const end = (seq + bytes) >>> 0;
  if (seqGt(end, undo.upTo)) undo.upTo = end;
}

/** Recovery has ended: a D-SACK may tell for one more round trip that it was for nothing. */
export function settleUndo(tcb: Tcb): void {
  const { undo } = tcb;
  if (undo === null || undo.hasEnded) return;
  undo.hasEnded = true;
  undo.limit = tcb.sndMax;
}

/** SND.UNA has moved outside of recovery. */
export function expireUndo(tcb: Tcb): void {
  const { undo } = tcb;
  if (undo?.isOpen && undo.hasEnded && seqGt(tcb.sndUna, undo.limit)) undo.isOpen = false;
}

/**
 * The Eifel detection algorithm (RFC 3522 §3.2): the first acknowledgment that covers the retransmission answers, by its timestamp, to what was sent
 * before.
 */
export function detectByEifel(tcb: Tcb, segment: TcpSegment): void {
  const { undo } = tcb;
  if (undo === null || !undo.isOpen || undo.retransmitTs < 0 || !tcb.context.tunables.eifel.value) return;
  const { retransmitTs } = undo;
  const { tsEcr } = tcb.context.rateSample;
  undo.retransmitTs = -1;
  // RFC 4015 §3.1 step 9: not where the network tells of congestion in another way.
  if (tsEcr < 0 || !seqLt(tsEcr, retransmitTs) || (segment.flags & ECE) !== 0) return;
  takeBack(tcb, BY_EIFEL);
}

/** A D-SACK came: once all that recovery sent again is known to have come twice, nothing had been lost. */
export function detectByDsack(tcb: Tcb, start: number, end: number): void {
  const { undo } = tcb;
  if (undo === null || !undo.isOpen || undo.outstanding === 0) return;
  if (!seqGe(start, undo.from) || !seqLe(end, undo.upTo)) return;
  undo.outstanding -= Math.min(undo.outstanding, (end - start) >>> 0);
  if (undo.outstanding === 0) takeBack(tcb, BY_DSACK);
}

/** The Eifel response (RFC 4015): the window, the threshold and the retransmission timer are as if recovery had not been. */
export function takeBack(tcb: Tcb, by: SpuriousCause): void {
  const { statistics } = tcb.context;
  const undo = tcb.undo!;
  undo.isOpen = false;
  undo.retransmitTs = -1;
  statistics.sndRexmitBad++;
  if (undo.byTimeout) statistics.spuriousTimeouts++;
  else statistics.spuriousRecoveries++;
  if (by === BY_EIFEL) statistics.spuriousByEifel++;
  else if (by === BY_FRTO) statistics.spuriousByFrto++;
  else statistics.spuriousByDsack++;
  incidentsOf(tcb).spuriousRecoveries++;
  tcb.congestion.undo();
  if (undo.byTimeout) {
    tcb.rexmtShift = 0;
    undo.isAdapting = true;
  } else if (tcb.rack !== null) {
    // What was no loss was reordering.
    tcb.rack.reorderingSeen = true;
  }
  tcb.frto = 0;
  tcb.inRecovery = false;
  tcb.afterTimeout = false;
  tcb.retransmitHead = false;
  tcb.dupAcks = 0;
  tcb.recover = (tcb.sndUna - (tcb.sackPermitted ? 0 : 1)) >>> 0;
  tcb.sent?.forgetLosses();
}
