import type { Tcb } from "./tcb.ts";

/** Sequence number behind the last byte written: that of the FIN, if there is one. Meaningful once our SYN is acknowledged. */
export function endOfData(tcb: Tcb): number {
  return (tcb.sndUna + tcb.sendBuffer.queued) >>> 0;
}

/** Bytes of sequence space sent and not acknowledged. */
export function flightSize(tcb: Tcb): number {
  return (tcb.sndMax - tcb.sndUna) | 0;
}

/** A FIN is queued and not yet acknowledged. */
export function finPending(tcb: Tcb): boolean {
  return tcb.finQueued && !tcb.finAcked;
}

/** Whether there is data, or a FIN, that was never sent. */
export function hasUnsent(tcb: Tcb): boolean {
  const end = endOfData(tcb) + (finPending(tcb) ? 1 : 0);
  return ((end - tcb.sndMax) | 0) > 0;
}
