import type { Slice } from "@nfs4/bytestream";
import { ESTABLISHED } from "./constants.ts";
import type { Tcb } from "./tcb.ts";

/** Sequence number behind the last byte written: that of the FIN, if there is one. Meaningful once our SYN is acknowledged. */
export function endOfData(tcb: Tcb): number {
  return (tcb.sndUna + tcb.sendBuffer.queued) >>> 0;
}

/** Takes slices over into the send buffer. */
export function queueSlices(tcb: Tcb, slices: readonly Slice[]): void {
  const { sendBuffer } = tcb;
  const before = sendBuffer.queued;
  sendBuffer.append(slices);
  tcb.context.sendMemory.charge(sendBuffer.queued - before);
  if (sendBuffer.queued >= tcb.sendHighWater) tcb.aboveHighWater = true;
}

/** The first `bytes` of the send buffer are acknowledged: releases their slices, which runs code of others, and tells the owner when there is room again. */
export function releaseSent(tcb: Tcb, bytes: number): void {
  tcb.context.sendMemory.refund(bytes);
  tcb.sendBuffer.acknowledge(bytes);
  if (tcb.aboveHighWater && tcb.sendBuffer.queued <= tcb.sendHighWater / 2) {
    tcb.aboveHighWater = false;
    tcb.owner?.drained(tcb);
  }
}

/** Bytes of sequence space sent and not acknowledged. */
export function flightSize(tcb: Tcb): number {
  return (tcb.sndMax - tcb.sndUna) | 0;
}

/** A FIN is queued and not yet acknowledged. None goes before the handshake is complete. */
export function finPending(tcb: Tcb): boolean {
  return tcb.finQueued && !tcb.finAcked && tcb.state >= ESTABLISHED;
}

/** Whether there is data, or a FIN, that was never sent. */
export function hasUnsent(tcb: Tcb): boolean {
  const end = endOfData(tcb) + (finPending(tcb) ? 1 : 0);
  return ((end - tcb.sndMax) | 0) > 0;
}
