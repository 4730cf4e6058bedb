import { CAUSE_RESCUE, noteRetransmission, type RetransmissionCause } from "./loss-events.ts";
import { segmentPayload, sendData, superSegmentPayload } from "./send-data.ts";
import { endOfData, finPending } from "./send-space.ts";
import { seqGt, seqMax, seqMin } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { RETRANSMITTED, SACKED } from "./transmit-log.ts";

/**
 * Sends again the lowest of what is lost, of which there must be something, as one segment or super-segment of at most `room` bytes; with
 * `retransmitHead` one segment whatever the windows say. Returns how much of sequence space went.
 */
export function resendLost(tcb: Tcb, room: number): number {
  const log = tcb.sent!;
  const index = log.firstLost();
  const seq = log.starts[index]!;
  const windowEnd = (tcb.sndUna + tcb.sndWnd) >>> 0;
  let end = log.lostEnd(index);
  // What was never sent follows in the same segment.
  if (end === tcb.sndMax) end = seqMax(end, seqMin(endOfData(tcb), windowEnd));
  const gap = Math.max(0, (seqMin(end, endOfData(tcb)) - seq) | 0);
  const full = segmentPayload(tcb);
  let length = Math.min(gap, full);
  if (tcb.retransmitHead) {
    tcb.retransmitHead = false;
  } else {
    const most = Math.min(room, (windowEnd - seq) | 0);
    // Whole segments, or as much as is missing.
    if (most < length || room <= 0) return 0;
    if (gap > full && most > full) length = wholeSegments(tcb, Math.min(gap, most), full);
  }
  return resend(tcb, seq, length, length > full ? full : 0, end, tcb.retransmissionCause);
}

function wholeSegments(tcb: Tcb, most: number, full: number): number {
  const length = Math.min(most, superSegmentPayload(tcb, full));
  return Math.max(full, length - (length % full));
}

/** Sends old data once more. `end`: where it ends, which may be behind a FIN. */
function resend(
  tcb: Tcb,
  seq: number,
  length: number,
  segmentSize: number,
  end: number,
  cause: RetransmissionCause,
): number {
  // Nothing but the FIN may be left.
  if (length === 0 && !(finPending(tcb) && seqGt(end, endOfData(tcb)))) return 0;
  const sent = sendData(tcb, seq, length, segmentSize);
  if (sent > 0) noteRetransmission(tcb, cause, seq, sent);
  return sent;
}

/** The highest segment in flight once more, as a loss probe (RFC 8985 §7.3) or rescue retransmission. */
export function resendLast(tcb: Tcb, cause: RetransmissionCause): number {
  const log = tcb.sent!;
  let last = log.end - 1;
  while (last > log.first && (log.flags[last]! & SACKED) !== 0) last--;
  const end = log.ends[last]!;
  const from = seqMax(log.starts[last]!, (end - segmentPayload(tcb)) >>> 0);
  const length = Math.max(0, (seqMin(end, endOfData(tcb)) - from) | 0);
  return resend(tcb, from, length, 0, end, cause);
}

/**
 * What RFC 6675 §4 NextSeg() has when nothing is lost and nothing new can be sent: rule 3, a hole below the highest SACK that recovery has not sent yet;
 * then rule 4, once a recovery and not before its first retransmission has got through, the last segment of which nothing tells whether it came.
 */
export function resendUnsure(tcb: Tcb): number {
  const log = tcb.sent;
  if (log === null) return 0;
  const recovery = tcb.recovery!;
  const top = log.highestSacked();
  for (let i = log.first; i < top; i++) {
    const flags = log.flags[i]!;
    if ((flags & SACKED) !== 0) continue;
    if ((flags & RETRANSMITTED) !== 0 && log.sentAt[i]! >= recovery.startedAt) continue;
    const seq = log.starts[i]!;
    const length = Math.min(log.lengthOf(i), segmentPayload(tcb));
    return resend(tcb, seq, length, 0, log.ends[i]!, tcb.retransmissionCause);
  }
  if (recovery.rescued || !seqGt(tcb.sndUna, recovery.rescueAfter)) return 0;
  recovery.rescued = true;
  resendLast(tcb, CAUSE_RESCUE);
  return 0;
}
