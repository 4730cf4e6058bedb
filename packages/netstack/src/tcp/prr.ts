import type { RateSample } from "./delivery-rate.ts";
import { sendHistoryOf } from "./send-history.ts";
import type { Tcb } from "./tcb.ts";

/**
 * Proportional rate reduction (RFC 6937 §3): with each acknowledgment in recovery, `cwnd` becomes what is in the network and what may follow it, so
 * that by the end of recovery it has gone down to `ssthresh` smoothly. When losses have taken the pipe below that, slow start's reduction
 * bound fills it while recovery makes progress; where it does not, and what was sent again is lost too, the conservative one (packet conservation).
 */
export function reduceRate(tcb: Tcb, sample: RateSample, advanced: boolean): void {
  const delivered = sample.ackedBytes + sample.sackedBytes;
  if (delivered === 0) return;
  const recovery = tcb.recovery!;
  const history = sendHistoryOf(tcb);
  const pipe = tcb.sent === null ? 0 : tcb.sent.pipe;
  recovery.delivered += delivered;
  let count: number;
  if (pipe > tcb.ssthresh) {
    count = Math.ceil((recovery.delivered * tcb.ssthresh) / recovery.flight) - recovery.sent;
  } else {
    let limit = recovery.delivered - recovery.sent;
    const conservative = tcb.context.tunables.prrConservative.value || !advanced || history.lost > history.lostSampled;
    if (!conservative) limit = Math.max(limit, delivered) + tcb.maxSegment;
    count = Math.min(tcb.ssthresh - pipe, limit);
  }
  tcb.cwnd = Math.max(tcb.maxSegment, pipe + Math.max(0, count));
}
