import { hasUnsent } from "./send-space.ts";
import { seqGe, seqGt, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { BY_FRTO, takeBack } from "./undo.ts";

/** F-RTO is not at work; waits for the first acknowledgment after a timeout; has sent something new, and waits for the second. */
export const FRTO_OFF = 0;
export const FRTO_FIRST = 1;
export const FRTO_SECOND = 2;
export type FrtoStep = 0 | 1 | 2;

/**
 * Step 1 of RFC 5682 §2.1 and §3.1: the retransmission timer expired, and `tcb.recover` is still what it was. Not while another recovery is under way,
 * but once more if the same segment timed out before.
 */
export function startFrto(tcb: Tcb): void {
  const again = tcb.rexmtTries > 1 && tcb.frto !== FRTO_OFF;
  const busy = tcb.inRecovery || seqLt(tcb.sndUna, tcb.recover);
  tcb.frto = tcb.context.tunables.frto.value && (again || !busy) ? FRTO_FIRST : FRTO_OFF;
}

/**
 * Steps 2 and 3: an acknowledgment came after a timeout. `advanced`: it moved SND.UNA; `news`: bytes that it newly SACKed; `duplicate`: it was a duplicate
 * acknowledgment.
 */
export function frtoProgress(tcb: Tcb, advanced: boolean, news: number, duplicate: boolean): void {
  if (tcb.frto === FRTO_FIRST) {
    if (advanced) firstAcknowledgment(tcb);
    // Without SACK it tells nothing (step 2a); with it the next one will.
    else if (duplicate && !tcb.sackPermitted) tcb.frto = FRTO_OFF;
    return;
  }
  if (tcb.frto !== FRTO_SECOND || !(advanced || news > 0 || duplicate)) return;
  const log = tcb.sent;
  const top = log === null ? -1 : log.highestSacked();
  const beyond = seqGt(tcb.sndUna, tcb.recover) || (top >= 0 && seqGt(log!.ends[top]!, tcb.recover));
  if (!beyond && (advanced || news > 0)) {
    // What it acknowledges was sent before the timeout, and not again: it was only late.
    takeBack(tcb, BY_FRTO);
    return;
  }
  tcb.frto = FRTO_OFF;
  if (!tcb.congestion.ownsWindow) tcb.cwnd = Math.min(tcb.cwnd, 3 * tcb.maxSegment);
}

/** Step 2: if it covers what was sent again and not everything, something new goes instead of what may be lost. */
function firstAcknowledgment(tcb: Tcb): void {
  const room = tcb.sndWnd - ((tcb.sndMax - tcb.sndUna) | 0) > 0;
  const covers = tcb.undo !== null && seqGe(tcb.sndUna, tcb.undo.upTo);
  tcb.frto = covers && seqLt(tcb.sndUna, tcb.recover) && room && hasUnsent(tcb) ? FRTO_SECOND : FRTO_OFF;
}
