import { runDelivered } from "./delivery-rate.ts";
import { sendHistoryOf } from "./send-history.ts";
import { seqGt, seqLe, seqLt, seqMin } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { SACKED, type TransmitLog } from "./transmit-log.ts";

/** Notes in the log that `seq … end)` was sent: what lies before SND.MAX, which the caller has yet to move, for one more time. */
export function recordSent(tcb: Tcb, seq: number, end: number, now: number): void {
  const history = sendHistoryOf(tcb);
  history.lastSent = now;
  if (tcb.sent === null) {
    tcb.sent = tcb.context.logs.take();
    // A flight begins: the time before it is no time of delivery, nor of waiting.
    history.firstSentAt = now;
    history.deliveredAt = now;
    history.noProgressSince = now;
  }
  const { sndMax } = tcb;
  if (seqLt(seq, sndMax)) tcb.sent.resent(seq, seqMin(end, sndMax), now, history);
  if (seqGt(end, sndMax)) tcb.sent.append(sndMax, end, now, history);
}

/** `start … end)`, which lies within SND.UNA … SND.MAX, is SACKed. */
export function recordSacked(tcb: Tcb, start: number, end: number): void {
  const log = tcb.sent;
  if (log === null) return;
  const { rateSample, clock, statistics, tunables } = tcb.context;
  const now = clock.coarse();
  for (let i = log.indexAt(start); i < log.end && seqLt(log.starts[i]!, end); i++) {
    if ((log.flags[i]! & SACKED) !== 0) continue;
    if (log.sackedRuns >= tunables.sackMaxholes.value && addsRange(log, i, start, end)) {
      statistics.sackSboverflow++;
      return;
    }
    i = log.isolate(i, start, end);
    rateSample.sackedBytes += log.lengthOf(i);
    runDelivered(tcb, log, i, now, rateSample);
    i = log.markSacked(i);
  }
}

/** Whether a run's part of `start … end)` would be a SACKed range by itself: nothing SACKed touches it. */
function addsRange(log: TransmitLog, index: number, start: number, end: number): boolean {
  const joinsBefore = !seqGt(start, log.starts[index]!) && index > log.first && (log.flags[index - 1]! & SACKED) !== 0;
  const joinsBehind = !seqLt(end, log.ends[index]!) && index + 1 < log.end && (log.flags[index + 1]! & SACKED) !== 0;
  return !joinsBefore && !joinsBehind;
}

/** Everything before `ack` is acknowledged, which lies beyond SND.UNA. */
export function recordAcknowledged(tcb: Tcb, ack: number): void {
  const log = tcb.sent;
  if (log === null) return;
  const { rateSample, clock } = tcb.context;
  const now = clock.coarse();
  while (!log.isEmpty && seqLt(log.starts[log.first]!, ack)) {
    const partly = !seqLe(log.ends[log.first]!, ack);
    const index = partly ? log.isolate(log.first, log.starts[log.first]!, ack) : log.first;
    if ((log.flags[index]! & SACKED) === 0) rateSample.ackedBytes += log.lengthOf(index);
    runDelivered(tcb, log, index, now, rateSample);
    log.removeFirst();
    if (partly) break;
  }
  if (log.isEmpty) releaseLog(tcb);
}

/** Nothing is in flight any more. */
export function releaseLog(tcb: Tcb): void {
  if (tcb.sent === null) return;
  tcb.context.logs.give(tcb.sent);
  tcb.sent = null;
}
