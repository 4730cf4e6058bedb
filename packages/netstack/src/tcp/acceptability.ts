import { challengeAllowed, challengesOf } from "./challenge.ts";
import { FIN } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { noteDuplicateText } from "./duplicates.ts";
import type { TcpSegment } from "./segment.ts";
import { seqLe, seqLt, seqMin } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { offeredWindow } from "./window.ts";

/** Timestamps are trusted for 24 days of silence (RFC 7323 §5.5). */
const TS_VALID_US = 24 * 86_400e6;

/**
 * RFC 5961 §5 (MAY-12): an acknowledgment must be of what was sent, and not older than the largest window that the peer ever offered. Data that comes
 * with another is forged, or as old as makes no difference.
 */
export function ackAcceptable(tcb: Tcb, ack: number): boolean {
  return seqLe(ack, tcb.sndMax) && !seqLt(ack, (tcb.sndUna - tcb.maxSndWnd) >>> 0);
}

/** PAWS (RFC 7323 §5.3 R1) and the rule that timestamps stay on once agreed (§3.2). */
export function checkTimestamps(tcb: Tcb, segment: TcpSegment): boolean {
  if (!tcb.timestamps) return true;
  const { options } = segment;
  const { statistics, tunables } = tcb.context;
  if (!options.hasTimestamps) {
    if (tunables.tolerateMissingTs.value) return true;
    statistics.tsMissing++;
    return false;
  }
  if (!seqLt(options.tsVal, tcb.tsRecent)) return true;
  if (tcb.lastReceived - tcb.tsRecentAge > TS_VALID_US) return true;
  statistics.pawsDrop++;
  tcb.context.odd(segment, "TCP timestamp older than the last (PAWS)");
  statistics.rcvDupPack++;
  statistics.rcvDupByte += segment.length;
  acknowledgeNow(tcb, segment);
  return false;
}

/** RFC 9293 §3.10.7.4 step 1, for all but resets and SYNs. What is acceptable is trimmed to what is new and within the window. */
export function checkSequence(tcb: Tcb, segment: TcpSegment): boolean {
  const window = offeredWindow(tcb);
  const edge = (tcb.rcvNxt + window) >>> 0;
  const segmentLength = segment.sequenceLength;
  const { seq } = segment;
  if (!acceptable(tcb.rcvNxt, window, seq, segmentLength)) {
    // A full window still lets acknowledgments and URG in (RFC 9293 §3.10.7.4, MUST-66).
    if (!(window === 0 && seq === tcb.rcvNxt)) {
      rejectUnacceptable(tcb, segment);
      return false;
    }
    tcb.context.statistics.rcvWinProbe++;
    acknowledgeNow(tcb, segment);
  }
  const { options } = segment;
  // RFC 7323 §4.3 (2), (3); not from a segment that RFC 5961 §5 will refuse.
  if (tcb.timestamps && options.hasTimestamps && seqLe(seq, tcb.lastAckSent) && ackAcceptable(tcb, segment.ack)) {
    tcb.tsRecent = options.tsVal;
    tcb.tsRecentAge = tcb.lastReceived;
  }
  if (seqLt(seq, tcb.rcvNxt)) trimFront(tcb, segment);
  const over = (segment.seq + segment.sequenceLength - edge) | 0;
  if (over > 0 && segment.sequenceLength > 0) trimEnd(tcb, segment, over);
  return true;
}

/**
 * The table of RFC 9293 §3.10.7.4, but that a segment without data may begin where the window ends, as for FreeBSD and Linux: a peer that has filled the window
 * acknowledges from there, and when all of it was lost, in both directions, neither side could otherwise ever tell the other what came of its retransmissions.
 */
function acceptable(rcvNxt: number, window: number, seq: number, length: number): boolean {
  if (window === 0) return length === 0 && seq === rcvNxt;
  const offset = (seq - rcvNxt) | 0;
  if (offset >= 0 && offset < window) return true;
  if (length === 0) return offset === window;
  const last = (seq + length - 1 - rcvNxt) | 0;
  return last >= 0 && last < window;
}

function rejectUnacceptable(tcb: Tcb, segment: TcpSegment): void {
  const { statistics } = tcb.context;
  if (seqLt(segment.seq, tcb.rcvNxt)) {
    statistics.rcvDupPack++;
    statistics.rcvDupByte += segment.length;
    noteDuplicateText(tcb, segment.seq, seqMin((segment.seq + segment.length) >>> 0, tcb.rcvNxt));
  } else {
    statistics.rcvPackAfterWin++;
    statistics.rcvByteAfterWin += segment.length;
    tcb.context.odd(segment, "TCP segment beyond the window");
  }
  acknowledgeNow(tcb, segment);
}

/** An acknowledgment that nothing new earned: at the end of the batch, and bounded where no data could be meant (acknowledgment wars, RFC 5961 §7). */
function acknowledgeNow(tcb: Tcb, segment: TcpSegment): void {
  if (segment.length === 0 && (segment.flags & FIN) === 0 && !challengeAllowed(tcb.context, challengesOf(tcb))) return;
  tcb.ackNow = true;
  requestOutput(tcb);
}

function trimFront(tcb: Tcb, segment: TcpSegment): void {
  const { statistics } = tcb.context;
  const old = (tcb.rcvNxt - segment.seq) >>> 0;
  const bytes = Math.min(old, segment.length);
  statistics.rcvPartDupPack++;
  statistics.rcvPartDupByte += bytes;
  noteDuplicateText(tcb, segment.seq, (segment.seq + bytes) >>> 0);
  segment.payloadOffset += bytes;
  segment.length -= bytes;
  segment.seq = (segment.seq + old) >>> 0;
  // It counts from the sequence number; once it is behind, it is negative.
  segment.urgentPointer -= old;
  tcb.ackNow = true;
  requestOutput(tcb);
}

function trimEnd(tcb: Tcb, segment: TcpSegment, over: number): void {
  const { statistics } = tcb.context;
  let bytes = over;
  if ((segment.flags & FIN) !== 0) {
    segment.flags &= ~FIN;
    bytes--;
  }
  bytes = Math.min(bytes, segment.length);
  segment.length -= bytes;
  statistics.rcvPackAfterWin++;
  statistics.rcvByteAfterWin += bytes;
  tcb.ackNow = true;
  requestOutput(tcb);
}
