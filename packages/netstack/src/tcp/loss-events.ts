import { searchResent } from "./path-search.ts";
import type { Rack } from "./rack.ts";
import { sendHistoryOf } from "./send-history.ts";
import type { Tcb } from "./tcb.ts";
import { LOST, SACKED, type TransmitLog } from "./transmit-log.ts";
import { noteResentForUndo } from "./undo.ts";

/** Why something is sent again. */
export const CAUSE_TIMEOUT = 0;
export const CAUSE_RACK = 1;
export const CAUSE_DUPACK = 2;
export const CAUSE_PROBE = 3;
export const CAUSE_RESCUE = 4;
export const CAUSE_MTU = 5;
/** A window probe's byte, or what was sent into a window that has shut. */
export const CAUSE_WINDOW = 6;
export type RetransmissionCause = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Takes a run for lost that was not. Returns its bytes. */
export function noteLost(tcb: Tcb, log: TransmitLog, index: number): number {
  const bytes = log.lengthOf(index);
  log.markLost(index);
  sendHistoryOf(tcb).lost += bytes;
  return bytes;
}

/** `bytes` of sequence space from `seq` on were sent once more. Every retransmission comes by here. */
export function noteRetransmission(tcb: Tcb, cause: RetransmissionCause, seq: number, bytes: number): void {
  noteResentForUndo(tcb, seq, bytes);
  if (tcb.pathSearch !== null) searchResent(tcb, tcb.pathSearch, seq, bytes);
  const { statistics, histograms } = tcb.context;
  histograms.retransmissions[cause]!.add(bytes);
  switch (cause) {
    case CAUSE_TIMEOUT:
      statistics.rexmtByTimeout++;
      break;
    case CAUSE_RACK:
      statistics.rexmtByRack++;
      break;
    case CAUSE_DUPACK:
      statistics.rexmtByDupAck++;
      break;
    case CAUSE_PROBE:
      statistics.tlpResends++;
      statistics.tlpResendBytes += bytes;
      break;
    case CAUSE_RESCUE:
      statistics.rexmtByRescue++;
      break;
    case CAUSE_MTU:
      statistics.rexmtByMtu++;
      break;
    case CAUSE_WINDOW:
      statistics.rexmtByWindow++;
      break;
  }
  if (!tcb.sackPermitted || !tcb.inRecovery) return;
  statistics.sackRexmits++;
  statistics.sackRexmitBytes += bytes;
}

/**
 * Data that was sent once arrived after data that was sent later: `bytes` from its beginning to the highest that had arrived, `us` µs after that. Every
 * reordering comes by here.
 */
export function noteReordering(tcb: Tcb, rack: Rack, bytes: number, us: number): void {
  const { statistics, histograms } = tcb.context;
  statistics.reorderings++;
  histograms.reorderingDistance.add(bytes);
  histograms.reorderingDelay.add(us);
  rack.reorderings++;
  if (bytes > rack.reorderingBytes) rack.reorderingBytes = bytes;
  if (us > rack.reorderingUs) rack.reorderingUs = us;
}

/** All in flight that has not been SACKed must be sent again, for a reason that is no congestion. */
export function sendAllAgain(tcb: Tcb, cause: RetransmissionCause): void {
  const log = tcb.sent;
  if (log === null) return;
  for (let i = log.first; i < log.end; i++) if ((log.flags[i]! & (LOST | SACKED)) === 0) log.markLost(i);
  tcb.retransmissionCause = cause;
}
