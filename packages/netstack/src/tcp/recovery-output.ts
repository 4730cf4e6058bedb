import { segmentPayload, sendData } from "./send-data.ts";
import { endOfData, finPending } from "./send-space.ts";
import { seqGt, seqLt, seqMax, seqMin } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** Sends the first unacknowledged segment again. */
export function retransmitFirst(tcb: Tcb): number {
  tcb.retransmitHead = false;
  const limit = tcb.scoreboard === null ? tcb.sndMax : tcb.scoreboard.holeEnd(tcb.sndUna, tcb.sndMax);
  return resend(tcb, tcb.sndUna, limit);
}

/**
 * What SACK-based recovery sends now (RFC 6675 §5 step C): segments by NextSeg() while the pipe leaves room in the window. `sendNew` sends at most
 * so many bytes of new data and returns how many went.
 */
export function recoveryOutput(tcb: Tcb, sendNew: (tcb: Tcb, most: number) => number): void {
  const board = tcb.scoreboard!;
  const { statistics } = tcb.context;
  if (tcb.retransmitHead) {
    const sent = retransmitFirst(tcb);
    if (sent === 0) return;
    board.highRxt = seqMax(board.highRxt, (tcb.sndUna + sent) >>> 0);
    board.rescueRxt = (tcb.sndUna + sent) >>> 0;
    statistics.sackRexmits++;
    statistics.sackRexmitBytes += sent;
  }
  let pipe = board.pipe(tcb.sndUna, tcb.sndMax);
  while (tcb.cwnd - pipe >= tcb.maxSegment) {
    const hole = board.isEmpty ? tcb.sndMax : board.nextHole(seqMax(board.highRxt, tcb.sndUna));
    const known = !board.isEmpty && seqLt(hole, board.highestSacked);
    let sent = 0;
    if (known && seqLt(hole, board.lostBelow)) {
      sent = resendHole(tcb, hole); // rule 1
    } else {
      sent = sendNew(tcb, tcb.cwnd - pipe); // rule 2
      if (sent === 0 && known) sent = resendHole(tcb, hole); // rule 3
    }
    if (sent === 0) {
      rescue(tcb); // rule 4
      return;
    }
    pipe += sent;
  }
}

function resendHole(tcb: Tcb, hole: number): number {
  const board = tcb.scoreboard!;
  const sent = resend(tcb, hole, board.holeEnd(hole, tcb.sndMax));
  if (sent > 0) {
    board.highRxt = (hole + sent) >>> 0;
    tcb.context.statistics.sackRexmits++;
    tcb.context.statistics.sackRexmitBytes += sent;
  }
  return sent;
}

/** Once a recovery, and not before the first retransmission has got through: the last segment of which nothing tells whether it came. */
function rescue(tcb: Tcb): void {
  const board = tcb.scoreboard!;
  if (!seqGt(tcb.sndUna, board.rescueRxt)) return;
  board.rescueRxt = tcb.recover;
  const end = board.lastHoleEnd(tcb.sndUna, tcb.sndMax);
  const from = seqMax(tcb.sndUna, (end - segmentPayload(tcb)) >>> 0);
  const sent = resend(tcb, board.nextHole(from), end);
  if (sent === 0) return;
  tcb.context.statistics.sackRexmits++;
  tcb.context.statistics.sackRexmitBytes += sent;
}

/** Sends one segment of old data from `seq`, not beyond `limit`. */
function resend(tcb: Tcb, seq: number, limit: number): number {
  const end = seqMin(limit, endOfData(tcb));
  const length = Math.min(segmentPayload(tcb), Math.max(0, (end - seq) | 0));
  // Nothing but the FIN is left to send again.
  if (length === 0 && !(finPending(tcb) && seqGt(limit, endOfData(tcb)))) return 0;
  return sendData(tcb, seq, length, 0);
}
